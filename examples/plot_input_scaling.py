"""
Inputs as measured, and scaled
==============================

Inputs as they were measured, and the same inputs scaled.

Top: logistic regression on two features of wines, magnesium and colour intensity,
less their means. Magnesium varies nine times as much. The cost as a function
of the two weights is then a narrow valley, and gradient descent, whose step must be
short enough for the steep walls, creeps along the floor. Divided by their standard
deviations, the features make a bowl, and a few steps reach the bottom.

Bottom: all thirteen features, of which the largest varies two thousand times as much
as the smallest, 25 tanh units and five solvers; those with a learning rate at the
best of six. The first three see all rows at once and scale the inputs for themselves.
Adam makes up for a part, and gradient descent with momentum suffers most.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np
from _pictures import argument_parser, save
from sklearn.datasets import load_wine
from sklearn.exceptions import ConvergenceWarning

from backprop_mlp import BackpropMLPClassifier

# %%
# Five solvers. Those with a learning rate train at six of them, and the best is drawn.

FEATURES = ["magnesium", "color_intensity"]
N_STEPS = 30
N_ITERATIONS = 100
RATES = np.logspace(-5, 0, 6)
SOLVERS = {
    "cg": {"label": "conjugate gradient", "marker": "P"},
    "lbfgs": {"label": "L-BFGS", "marker": "*"},
    "newton-cg": {"label": "Newton", "marker": "^"},
    "adam": {"label": "Adam", "marker": "o"},
    "sgd": {"label": "gradient descent with momentum", "marker": "s"},
}


def descend(X, y, rate):
    """Parameters and cost at the start and after each step of gradient descent."""
    network = BackpropMLPClassifier.from_thetas(
        [np.zeros((1, 3))],
        solver="sgd",
        momentum=0.0,
        batch_size=len(X),
        learning_rate_init=rate,
    )
    path, costs = [network.thetas_[0][0]], [network.cost(X, y)]
    for _ in range(N_STEPS):
        # All rows are one batch, so that an epoch is one step.
        network.partial_fit(X, y)
        path.append(network.thetas_[0][0])
        costs.append(network.cost(X, y))
    return np.array(path), np.array(costs)


def draw_descent(ax, X, y):
    """The cost over two weights, and the way of gradient descent at its best rate."""
    best = BackpropMLPClassifier((), solver="newton-cg", tol=1e-8).fit(X, y)
    bias, v_best, w_best = best.thetas_[0][0]
    descents = {rate: descend(X, y, rate) for rate in 2.0 ** np.arange(-8, 5)}
    rate = min(descents, key=lambda rate: descents[rate][1][-1])
    path, costs = descents[rate]

    # From the start, at (0, 0), to beyond the minimum.
    w = np.linspace(-0.3, 1.4, 50) * w_best
    v = np.linspace(-1.0, 1.0, 90) * np.ptp(w) / 2.0 + v_best
    surface = [
        [BackpropMLPClassifier.from_thetas([[[bias, v_i, w_j]]]).cost(X, y) for v_i in v]
        for w_j in w
    ]
    levels = best.loss_ + np.array([0.005, 0.02, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6])
    ax.contour(v, w, surface, levels=levels, colors="0.65", linewidths=1.0)
    ax.plot(*path[:, 1:].T, "o-", markersize=4, label=f"{N_STEPS} steps at rate {rate:g}")
    ax.plot(v_best, w_best, "k*", markersize=14, linestyle="", label="minimum")
    ax.set(
        aspect="equal",
        xlabel="Weight of magnesium",
        ylabel="Weight of colour intensity",
        xlim=(v[0], v[-1]),
        ylim=(w.min(), w.max()),
    )
    ax.legend(loc="lower right", fontsize="small")
    left = (costs[-1] - best.loss_) / (costs[0] - best.loss_)
    print(f"Two features, {N_STEPS} steps, best rate {rate:g}: {100 * left:.2g} % of the way left")


def best_curve(X, y, solver):
    """Rate and cost after each iteration, at the best rate if the solver has one."""
    fitted = {}
    for rate in RATES if solver in ("sgd", "adam") else [None]:
        network = BackpropMLPClassifier(
            25, "tanh", solver=solver, max_iter=N_ITERATIONS, random_state=0
        )
        if rate is not None:
            network.set_params(learning_rate_init=rate, n_iter_no_change=N_ITERATIONS)
        fitted[rate] = network.fit(X, y).loss_curve_
    rate = min(fitted, key=lambda rate: fitted[rate][-1])
    return rate, fitted[rate]


# %%
# The contours are the cost over two weights; the dots are the steps of gradient descent. Below, the
# same solvers on all thirteen features.

options = argument_parser(__doc__).parse_args()
# The number of iterations is fixed: no convergence is expected.
warnings.simplefilter("ignore", ConvergenceWarning)
wine = load_wine()
X, y = wine.data - wine.data.mean(axis=0), wine.target
two = [wine.feature_names.index(name) for name in FEATURES]
inputs = {"As measured": X, "Scaled": X / X.std(axis=0)}

figure, axes = plt.subplots(2, 2, figsize=(10.0, 9.8), layout="constrained")
axes[1, 1].sharey(axes[1, 0])
for column, (title, features) in zip(axes.T, inputs.items(), strict=True):
    print(title)
    column[0].set_title(title)
    draw_descent(column[0], features[y < 2][:, two], y[y < 2])
    print(f"{'':32}{'rate':>8}{'iterations':>12}{'cost':>8}")
    for solver, style in SOLVERS.items():
        rate, curve = best_curve(features, y, solver)
        iterations = np.arange(1, len(curve) + 1)
        column[1].plot(iterations, curve, markevery=10, markersize=7, **style)
        shown = "none" if rate is None else f"{rate:g}"
        print(f"{style['label']:32}{shown:>8}{len(curve):12d}{curve[-1]:8.3f}")
    column[1].set(xlabel="Iteration, or epoch", xlim=(0, N_ITERATIONS))
axes[1, 0].set(ylabel="Cost J, all features", yscale="log", ylim=(0.1, 3.0))
axes[1, 0].set_yticks([0.1, 0.2, 0.5, 1.0, 2.0], ["0.1", "0.2", "0.5", "1", "2"])
axes[1, 0].minorticks_off()
axes[1, 1].minorticks_off()
figure.legend(*axes[1, 0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
save(figure, options.output, "input_scaling")
