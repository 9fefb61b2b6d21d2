"""
Batch, mini-batch and stochastic gradient descent
=================================================

Batch, mini-batch and stochastic gradient descent: by updates, by passes, by time.

The digits, 25 logistic units and plain gradient descent, without momentum. A step
may look at all 1,797 rows, at 32 of them or at a single one; each way is shown at
the best of four learning rates. The cost J is that of all rows, after each pass.

By updates, steps along single rows do worst: they know least. By passes they do
best: they come thousands to a pass. By time the mini-batch wins, for a step along
32 rows takes hardly longer than one along a single row, and is far less noisy. The
dotted line is what L-BFGS reaches.
"""

import warnings
from time import perf_counter

import matplotlib.pyplot as plt
import numpy as np
from _pictures import argument_parser, save
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning

from backprop_mlp import BackpropMLPClassifier

# %%
# The three ways differ in ``batch_size`` alone, and each has its own rates to choose from.

# Name: rows a batch, passes (for about the same time each), and rates to try.
WAYS = {
    "batch": (1797, 800, (0.3, 1.0, 3.0, 10.0)),
    "mini-batch": (32, 120, (0.03, 0.1, 0.3, 1.0)),
    "stochastic": (1, 8, (0.003, 0.01, 0.03, 0.1)),
}
MARKERS = {"batch": "o", "mini-batch": "s", "stochastic": "^"}


def network(**settings):
    """The same network, from the same start."""
    return BackpropMLPClassifier(25, "logistic", random_state=0, **settings)


# %%
# Each way trains at all of its rates; the best one is drawn three times, over three quantities.

options = argument_parser(__doc__).parse_args()
# The number of passes is fixed: no convergence is expected.
warnings.simplefilter("ignore", ConvergenceWarning)
X, y = load_digits(return_X_y=True)
X = X / 16.0

figure, axes = plt.subplots(1, 3, figsize=(12.0, 4.8), sharey=True, layout="constrained")
print(
    f"{'':12}{'rows':>6}{'rate':>7}{'passes':>8}{'updates':>9}{'seconds':>9}"
    f"{'ms an update':>14}{'cost':>8}"
)
for name, (batch_size, n_passes, rates) in WAYS.items():
    settings = {
        "solver": "sgd",
        "momentum": 0.0,
        "batch_size": batch_size,
        "max_iter": n_passes,
        "n_iter_no_change": n_passes,
    }
    tried = {}
    for rate in rates:
        began = perf_counter()
        clf = network(learning_rate_init=rate, **settings).fit(X, y)
        tried[rate] = clf.cost(X, y), perf_counter() - began
    rate = min(tried, key=tried.get)
    _, seconds = tried[rate]
    # The same run once more: validation on the training rows gives J of all rows after
    # each pass, where loss_curve_ has the mean over the mini-batches during the pass.
    clf = network(learning_rate_init=rate, **settings).fit(X, y, X_val=X, y_val=y)
    passes = np.arange(1, n_passes + 1)
    updates = passes * clf.n_fun_ // n_passes
    costs = clf.validation_loss_curve_
    style = {
        "label": f"{name}: {batch_size:,} row{'s' if batch_size > 1 else ''}, rate {rate:g}",
        "marker": MARKERS[name],
        "markersize": 6,
        "markevery": 0.1,
    }
    # Each pass of a run takes the same time.
    for ax, x in zip(axes, (updates, passes, seconds * passes / n_passes), strict=True):
        ax.plot(x, costs, **style)
    print(
        f"{name:12}{batch_size:6d}{rate:7g}{n_passes:8d}{clf.n_fun_:9d}{seconds:9.2f}"
        f"{1000 * seconds / clf.n_fun_:14.3f}{costs[-1]:8.3f}"
    )

# sphinx_gallery_defer_figures

# %%
# What a solver with nothing to tune reaches on the same cost is the line to hold them against.

reached = network(solver="lbfgs", max_iter=2000).fit(X, y).loss_
print(f"L-BFGS reaches {reached:.3f}")
for ax, quantity in zip(axes, ("Updates", "Passes through the data", "Time (s)"), strict=True):
    ax.axhline(reached, color="black", linestyle=":", zorder=0, label="L-BFGS")
    ax.set(xlabel=quantity, xscale="log", yscale="log", ylim=(0.4, 4.0))
    ax.set_yticks([0.4, 0.6, 1.0, 2.0, 4.0], ["0.4", "0.6", "1", "2", "4"])
    ax.minorticks_off()
axes[0].set_ylabel("Cost J of all rows")
figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
save(figure, options.output, "batch_sizes")
