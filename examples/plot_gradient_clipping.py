"""
Gradient clipping
=================

Gradient clipping off and on: now and then a gradient is a cliff.

The digits, six hidden layers of 64 relu units and gradient descent with momentum.
Left: how long the gradients of the mini-batches are while the network learns. Later on
many are short, and some a hundred times as long: a step along one of these can undo
all that was learned. Middle: three starts at a high rate. Without clipping a start
diverges (a cross), or a few steps kill its units and it stays at what guessing costs,
2.3; with it (``max_grad_norm``) all of them learn. Right: the cost at the end over the
learning rate, the mean of the starts; at a triangle on the upper edge one has diverged.
Clipping does not make the lowest cost lower: here the smallest rate without it does as
well. It makes rates work that are ten times as high and more.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np
from _pictures import argument_parser, plot_below, save
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning

from backprop_mlp import BackpropMLPClassifier

# %%
# Six hidden layers of relu units. To see the gradients that training sees, the cost is asked for
# mini-batch by mini-batch.

N_EPOCHS = 20
BATCH_SIZE = 50
HIGH_RATE = 0.3
RATES = [0.01, 0.03, 0.1, 0.3, 1.0]
SEEDS = range(3)
STYLES = {
    None: {"label": "off", "color": "C0", "marker": "o", "linestyle": "--"},
    1.0: {"label": "norm at most 1", "color": "C1", "marker": "s", "linestyle": "-."},
    0.1: {"label": "norm at most 0.1", "color": "C2", "marker": "D", "linestyle": "-"},
}


def network(seed, **settings):
    """Six hidden layers, not yet trained."""
    return BackpropMLPClassifier(
        [64] * 6,
        output_activation="softmax",
        solver="sgd",
        alpha=0.0,
        batch_size=BATCH_SIZE,
        n_iter_no_change=N_EPOCHS,
        random_state=seed,
        **settings,
    )


def gradient_norms(X, y):
    """Norm of the gradient of each mini-batch, after each epoch of training."""
    clf = network(0, learning_rate_init=0.03, warm_start=True, max_iter=1)
    norms = []
    for _ in range(N_EPOCHS):
        clf.fit(X, y)
        norms.append([])
        for start in range(0, len(X), BATCH_SIZE):
            rows = slice(start, start + BATCH_SIZE)
            _, gradients = clf.cost_gradient(X[rows], y[rows])
            norms[-1].append(np.sqrt(sum(np.sum(gradient**2) for gradient in gradients)))
    return np.array(norms)


def cost_curve(X, y, max_grad_norm, rate, seed):
    """Cost of each epoch, as far as training goes before it diverges."""
    clf = network(
        seed, learning_rate_init=rate, max_grad_norm=max_grad_norm, warm_start=True, max_iter=1
    )
    # Huge numbers on the way to the error are what is to be seen.
    with np.errstate(all="ignore"):
        for _ in range(N_EPOCHS):
            try:
                clf.fit(X, y)
            except FloatingPointError:
                break
    return getattr(clf, "loss_curve_", [])


def draw_curve(ax, curve, style):
    """A start's costs, and a cross where it is lost."""
    epochs = np.arange(1, len(curve) + 1)
    ax.plot(epochs, curve, markevery=4, markersize=5, **style)
    if len(curve) < N_EPOCHS:
        last = (epochs[-1], curve[-1]) if len(curve) > 0 else (1, 10.0)
        ax.plot(*last, "X", color=style["color"], markersize=12)


# %%
# First the gradients of a run without clipping.

options = argument_parser(__doc__).parse_args()
# The number of epochs is fixed: no convergence is expected.
warnings.simplefilter("ignore", ConvergenceWarning)
X, y = load_digits(return_X_y=True)
# Single precision is enough here, and faster.
X = (X / 16.0).astype(np.float32)
order = np.random.default_rng(0).permutation(len(X))
X, y = X[order], y[order]

figure, (left, middle, right) = plt.subplots(1, 3, figsize=(13.0, 4.8), layout="constrained")
epochs = np.arange(1, N_EPOCHS + 1)
norms = gradient_norms(X, y)
left.plot(epochs, norms, ".", color="0.6", markersize=5)
left.plot(epochs, np.median(norms, axis=1), "k-", label="median")
left.set(title="Mini-batches, no clipping", ylabel="Norm of the gradient", yscale="log")
left.legend()
print(f"Norm of the gradients: median {np.median(norms):.2g}, highest {norms.max():.2g}")

# sphinx_gallery_defer_figures

# %%
# Then the same networks with and without clipping, from several starts at each rate. A cross is a
# start that diverged.

print(f"Cost of epoch {N_EPOCHS}, mean of {len(SEEDS)} starts, by the learning rate")
print(f"{'clipping':18}" + "".join(f"{rate:10g}" for rate in RATES))
for max_grad_norm, style in STYLES.items():
    ends = []
    for rate in RATES:
        curves = [cost_curve(X, y, max_grad_norm, rate, seed) for seed in SEEDS]
        lost = any(len(curve) < N_EPOCHS for curve in curves)
        ends.append(np.inf if lost else np.mean([curve[-1] for curve in curves]))
        if rate == HIGH_RATE:
            for curve in curves:
                draw_curve(middle, curve, style)
    plot_below(right, RATES, ends, 10.0, **style)
    shown = ["diverged" if end == np.inf else f"{end:.3f}" for end in ends]
    print(f"{style['label']:18}" + "".join(f"{end:>10}" for end in shown))
middle.set(title=f"Learning rate {HIGH_RATE:g}", ylabel="Cost J", yscale="log")
right.set(title=f"After {N_EPOCHS} epochs", ylabel="Cost J", yscale="log", ylim=(None, 10.0))
right.set(xlabel="Learning rate", xscale="log")
for ax in (left, middle, right):
    ax.yaxis.set_major_formatter("{x:g}")
for ax in (left, middle):
    ax.set(xlabel="Epoch", xticks=range(0, N_EPOCHS + 1, 5))
figure.legend(
    *right.get_legend_handles_labels(), loc="outside lower center", ncols=3, title="Clipping"
)
save(figure, options.output, "gradient_clipping")
