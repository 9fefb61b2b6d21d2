"""
The learning-rate range test
============================

The learning-rate range test, and whether its suggestion is any good.

Top: in one short run the learning rate rises at every update, and the cost of each
mini-batch is noted. It stays, falls, and rises again where training diverges. The
suggestion is a tenth of the rate at which the smoothed cost is lowest. Bottom: the
same networks, trained for 20 epochs at rates from low to high; at a triangle the
cost ended above 10. The star is the cost at the suggestion: a safe place to start,
found within 200 updates. It is not the optimum: here the best rates are about four
times as high.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np
from _pictures import argument_parser, plot_below, save
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning

from backprop_mlp import BackpropMLPClassifier, LearningRateRangeDisplay

# %%
# Three networks of the same shape.

N_EPOCHS = 20
RATES = np.logspace(-4, 1, 11)
NETWORKS = {
    "Momentum, logistic outputs": {"solver": "sgd"},
    "Momentum, softmax": {"solver": "sgd", "output_activation": "softmax"},
    "Adam, softmax": {"solver": "adam", "output_activation": "softmax"},
}


def final_cost(X, y, network, rate):
    """Cost of the last epoch; infinite if training diverged."""
    network.set_params(learning_rate_init=rate)
    try:
        # Huge numbers on the way to the error are what is to be seen.
        with np.errstate(all="ignore"):
            return network.fit(X, y).loss_
    except FloatingPointError:
        return np.inf


# %%
# For each network one range test, and then full training at rates around its suggestion: does the
# suggestion hold?

options = argument_parser(__doc__).parse_args()
# The number of epochs is fixed: no convergence is expected.
warnings.simplefilter("ignore", ConvergenceWarning)
X, y = load_digits(return_X_y=True)
# Single precision is enough here, and faster.
X = (X / 16.0).astype(np.float32)

figure, axes = plt.subplots(2, 3, figsize=(13.0, 7.6), sharex=True, layout="constrained")
print(f"{'':28}{'suggestion':>11}{'cost there':>11}{'best rate':>11}{'cost':>8}")
for column, (name, settings) in zip(axes.T, NETWORKS.items(), strict=True):
    network = BackpropMLPClassifier(
        (100, 100),
        batch_size=50,
        max_iter=N_EPOCHS,
        n_iter_no_change=N_EPOCHS,
        random_state=0,
        **settings,
    )
    display = LearningRateRangeDisplay.from_estimator(network, X, y, ax=column[0])
    suggestion = display.result.suggestion
    there = final_cost(X, y, network, suggestion)
    costs = np.array([final_cost(X, y, network, rate) for rate in RATES])
    best = costs.argmin()
    print(f"{name:28}{suggestion:11.2g}{there:11.3f}{RATES[best]:11.2g}{costs[best]:8.3f}")

    column[0].set(title=f"{name}: {suggestion:.2g}", xlabel="")
    column[0].get_legend().remove()
    plot_below(column[1], RATES, costs, 10.0, marker="o", label="rates tried")
    column[1].axvline(suggestion, color="black", linestyle="--")
    column[1].plot(suggestion, there, "k*", markersize=15, linestyle="", label="cost there")
    column[1].set(xlabel="Learning rate", yscale="log", ylim=(0.05, 10.0))
    column[1].yaxis.set_major_formatter("{x:g}")
for ax in axes[:, 1:].flat:
    ax.set_ylabel("")
axes[0, 0].set_ylabel("Cost J in the test")
axes[1, 0].set_ylabel(f"Cost J after {N_EPOCHS} epochs")
*test_lines, line = display.lines_
line.set_label("suggestion")
handles = [*test_lines, line, *column[1].get_legend_handles_labels()[0]]
figure.legend(handles=handles, loc="outside lower center", ncols=5)
save(figure, options.output, "learning_rate_range")
