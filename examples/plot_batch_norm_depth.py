"""
Batch normalisation in a deep network
=====================================

Eight hidden layers with and without batch normalisation: who hears the gradient?

The digits and eight layers of 32 units, trained by gradient descent with momentum.
Top: the norm of the gradient in each layer after the first epoch, mean of five
starts. Through logistic units it shrinks on its way back, layer by layer, and the
first ones hear a twentieth of it; with batch normalisation every layer hears
about the same. Tanh and relu units pass the gradient on by themselves.
Bottom: the cost after 20 epochs over the learning rate; a triangle on the upper edge
has diverged. What batch normalisation gives to all of them is a wider range of rates
that work.

The gradients are those of the fitted network, in which batch normalisation is
folded into the weights. There is no penalty.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np
from _pictures import argument_parser, plot_below, save
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning

from backprop_mlp import BackpropMLPClassifier

# %%
# Every network is the same but for its units and for batch normalisation. The gradient of each
# layer comes from ``cost_gradient``, which is that of the fitted network.

DEPTH = 8
N_EPOCHS = 20
RATES = [0.003, 0.01, 0.03, 0.1, 0.3, 1.0]
ACTIVATIONS = ["logistic", "tanh", "relu"]
STYLES = {
    False: {"label": "without batch normalisation", "marker": "o", "linestyle": "--"},
    True: {"label": "with batch normalisation", "marker": "s", "linestyle": "-"},
}


def network(activation, **settings):
    """Eight hidden layers, not yet trained."""
    return BackpropMLPClassifier(
        [32] * DEPTH,
        activation,
        output_activation="softmax",
        solver="sgd",
        alpha=0.0,
        batch_size=64,
        n_iter_no_change=N_EPOCHS,
        **settings,
    )


def gradient_norms(X, y, activation, batch_norm):
    """Norm of dJ/dW in each layer after one epoch, mean of five starts."""
    norms = []
    for seed in range(5):
        clf = network(
            activation,
            batch_norm=batch_norm,
            learning_rate_init=0.01,
            max_iter=1,
            random_state=seed,
        ).fit(X, y)
        _, gradients = clf.cost_gradient(X, y)
        # The first column belongs to the biases.
        norms.append([np.linalg.norm(gradient[:, 1:]) for gradient in gradients])
    return np.mean(norms, axis=0)


def final_cost(X, y, activation, batch_norm, rate):
    """Cost after training; infinite if it diverged."""
    clf = network(
        activation,
        batch_norm=batch_norm,
        learning_rate_init=rate,
        max_iter=N_EPOCHS,
        random_state=0,
    )
    try:
        # Huge numbers on the way to the error are what is to be seen.
        with np.errstate(all="ignore"):
            return clf.fit(X, y).cost(X, y)
    except FloatingPointError:
        return np.inf


# %%
# Each column of the picture is one kind of unit. Look at the left end of the upper curves: with
# logistic units the first layer hears a small part of what the last one hears, and with batch
# normalisation about as much.

options = argument_parser(__doc__).parse_args()
# The number of epochs is fixed: no convergence is expected.
warnings.simplefilter("ignore", ConvergenceWarning)
X, y = load_digits(return_X_y=True)
X = X / 16.0

figure, axes = plt.subplots(
    2, 3, figsize=(11.5, 7.6), sharex="row", sharey="row", layout="constrained"
)
layers = np.arange(1, DEPTH + 2)
print("Gradient in the first layer over that in the last; cost after training, by rate")
print(f"{'':10}{'batch norm':>11}{'first / last':>14}" + "".join(f"{r:9g}" for r in RATES))
for column, activation in zip(axes.T, ACTIVATIONS, strict=True):
    column[0].set_title(f"{activation} units")
    for batch_norm, style in STYLES.items():
        norms = gradient_norms(X, y, activation, batch_norm)
        costs = [final_cost(X, y, activation, batch_norm, rate) for rate in RATES]
        column[0].plot(layers, norms, **style)
        plot_below(column[1], RATES, costs, 10.0, **style)
        print(
            f"{activation:10}{'yes' if batch_norm else 'no':>11}{norms[0] / norms[-1]:14.1e}"
            + "".join(f"{cost:9.3f}" for cost in costs)
        )
    column[0].set(xlabel="Layer (9: output)", yscale="log", xticks=layers)
    column[1].axhline(np.log(10), color="0.5", linestyle=":", zorder=0, label="guessing")
    column[1].set(xlabel="Learning rate", xscale="log", yscale="log", ylim=(1e-3, 10.0))
axes[0, 0].set_ylabel("Gradient norm after 1 epoch")
axes[1, 0].set_ylabel(f"Cost J after {N_EPOCHS} epochs")
axes[1, 0].yaxis.set_major_formatter("{x:g}")
figure.legend(*axes[1, 0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
save(figure, options.output, "batch_norm_depth")
