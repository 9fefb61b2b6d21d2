"""
Starting weights in a deep network
==================================

Ten hidden layers, five ways to start, and what is left of the signal.

Ten layers of 100 units, not yet trained, and the digits go through them. Top: the
spread of the activations in each layer. Zeros let nothing through, weights that are
too small shrink the signal at every layer, and weights that are too large drive tanh
units to their limits and let relu units explode. Xavier's variance, 1 / fan_in, is
made for tanh. Relu units set half of their inputs to zero, and need He's, 2 / fan_in.

Middle: the gradient that each layer's weights receive. Zero is drawn at the bottom.

Bottom: what follows from it, the cost in 20 epochs of gradient descent. Zeros and too
small weights go nowhere. He and Xavier both train, also on the other's units: at this
depth the difference costs a few epochs, no more.
"""

import warnings
from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
from _pictures import argument_parser, save
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import StandardScaler

from backprop_mlp import BackpropMLPClassifier
from backprop_mlp.initializers import HeNormal, Xavier

# %%
# Zeros, weights that are too small or too large, Xavier's and He's.

HIDDEN = [100] * 10
N_EPOCHS = 20


def zeros(rng, fan_in, fan_out):
    """An initialiser is any function from (rng, fan_in, fan_out) to weights."""
    return np.zeros((fan_in, fan_out))


def too_small(rng, fan_in, fan_out):
    """Standard deviation 0.02."""
    return rng.normal(0.0, 0.02, (fan_in, fan_out))


def too_large(rng, fan_in, fan_out):
    """Standard deviation 0.5."""
    return rng.normal(0.0, 0.5, (fan_in, fan_out))


STARTS = {
    "zeros": (zeros, "v"),
    "too small: 0.02": (too_small, "D"),
    "too large: 0.5": (too_large, "P"),
    "Xavier": (Xavier(), "o"),
    "He": (HeNormal(), "s"),
}


def untrained(initializer, activation, n_features, n_classes):
    """A network at its start: weights from the initialiser, biases zero."""
    rng = np.random.default_rng(0)
    sizes = [n_features, *HIDDEN, n_classes]
    thetas = [
        np.column_stack([np.zeros(fan_out), initializer(rng, fan_in, fan_out).T])
        for fan_in, fan_out in pairwise(sizes)
    ]
    return BackpropMLPClassifier.from_thetas(
        thetas, activation=activation, output_activation="softmax", alpha=0.0
    )


def train(initializer, activation, X, y):
    """Cost after each epoch; nothing if training diverged."""
    network = BackpropMLPClassifier(
        HIDDEN,
        activation,
        output_activation="softmax",
        solver="sgd",
        alpha=0.0,
        initializer=initializer,
        learning_rate_init=0.01,
        batch_size=64,
        max_iter=N_EPOCHS,
        n_iter_no_change=N_EPOCHS,
        random_state=0,
    )
    try:
        # Huge numbers on the way to the error are what is to be seen.
        with np.errstate(all="ignore"):
            return network.fit(X, y).loss_curve_
    except FloatingPointError:
        return []


# %%
# The spread and the gradients are those of networks that have not been trained at all: the start
# alone makes the difference. The costs below are what follows from it.

options = argument_parser(__doc__).parse_args()
# The number of epochs is fixed: no convergence is expected.
warnings.simplefilter("ignore", ConvergenceWarning)
X, y = load_digits(return_X_y=True)
X = StandardScaler().fit_transform(X)

figure, axes = plt.subplots(
    3, 2, figsize=(10.0, 9.5), sharex="row", sharey="row", layout="constrained"
)
print(f"{'units':8}{'start':16}{'spread 1':>10}{'spread 10':>11}{'cost':>10}")
for column, activation in zip(axes.T, ("tanh", "relu"), strict=True):
    for name, (initializer, marker) in STARTS.items():
        network = untrained(initializer, activation, X.shape[1], 10)
        spread = [a.std() for a in network.activations(X)[1:-1]]
        _, gradients = network.cost_gradient(X, y)
        norms = [np.linalg.norm(gradient[:, 1:]) for gradient in gradients]
        costs = train(initializer, activation, X, y)
        for ax, values in zip(column, (spread, norms, costs), strict=True):
            # Zero lies at the bottom.
            shown = np.maximum(values, 1e-10)
            ax.plot(range(1, len(shown) + 1), shown, marker=marker, label=name)
        end = f"{costs[-1]:10.4f}" if costs else "  diverged"
        print(f"{activation:8}{name:16}{spread[0]:10.1e}{spread[-1]:11.1e}{end}")
    column[0].set(title=f"{activation} units", xlabel="Hidden layer", xticks=range(1, 11))
    column[1].set(xlabel="Layer (11: output)", xticks=range(1, 12))
    column[2].set(xlabel="Epoch", xticks=range(0, N_EPOCHS + 1, 5))
axes[0, 0].set(ylabel="Spread of the activations", yscale="log", ylim=(3e-11, 1e7))
axes[1, 0].set(ylabel="Norm of the gradient", yscale="log", ylim=(3e-11, 1e7))
axes[2, 0].set(ylabel="Cost J", yscale="log", ylim=(1e-4, 15.0))
axes[2, 1].text(20.0, 7.0, "too large: diverges", ha="right", va="center")
figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=5)
save(figure, options.output, "initialisation")
