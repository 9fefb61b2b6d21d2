"""
Decision boundaries by depth, width and activation
==================================================

What depth, width and activation do to the decision boundary.

Three problems in the plane that no straight line solves: circles, moons and XOR.
Without a hidden layer the network is logistic regression. The number in each
corner is the accuracy on rows that were held out.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np
from _pictures import argument_parser, save
from sklearn.datasets import make_circles, make_moons
from sklearn.exceptions import ConvergenceWarning
from sklearn.inspection import DecisionBoundaryDisplay
from sklearn.model_selection import train_test_split

from backprop_mlp import BackpropMLPClassifier

# %%
# Three problems in the plane, and the settings of each study.

COLOURS = "cividis"


def make_xor(n_rows, random_state):
    """Four clouds; those in opposite corners belong together."""
    rng = np.random.default_rng(random_state)
    corners = rng.choice([-1.0, 1.0], size=(n_rows, 2))
    X = corners + rng.normal(scale=0.45, size=corners.shape)
    return X, (corners[:, 0] == corners[:, 1]).astype(int)


PROBLEMS = {
    "circles": make_circles(400, noise=0.12, factor=0.5, random_state=0),
    "moons": make_moons(400, noise=0.25, random_state=0),
    "XOR": make_xor(400, random_state=0),
}

STUDIES = {
    "depth": {
        "no hidden layer": {"hidden_layer_sizes": ()},
        "8": {"hidden_layer_sizes": (8,)},
        "8, 8": {"hidden_layer_sizes": (8, 8)},
        "8, 8, 8": {"hidden_layer_sizes": (8, 8, 8)},
    },
    "width": {f"width {width}": {"hidden_layer_sizes": (width,)} for width in (1, 2, 4, 32)},
    "activation": {
        name: {"activation": name}
        for name in ("identity", "logistic", "tanh", "relu", "leaky_relu")
    },
}

DEFAULTS = {"hidden_layer_sizes": (8,), "activation": "tanh"}


def fit(X, y, settings):
    """The best of three random starts: small networks get stuck now and then."""
    network = BackpropMLPClassifier(
        **{**DEFAULTS, **settings}, alpha=0.1, max_iter=1000, n_init=3, random_state=0
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return network.fit(X, y)


def draw(ax, network, X, y):
    """Draw the probability of the triangles, the boundary, and the rows."""
    area = {"ax": ax, "grid_resolution": 150, "eps": 0.3}
    probability = DecisionBoundaryDisplay.from_estimator(
        network,
        X,
        response_method="predict_proba",
        plot_method="pcolormesh",
        cmap=COLOURS,
        vmin=0,
        vmax=1,
        alpha=0.6,
        **area,
    )
    DecisionBoundaryDisplay.from_estimator(
        network,
        X,
        response_method="decision_function",
        plot_method="contour",
        levels=[0.0],
        colors="black",
        **area,
    )
    for label, marker in ((0, "o"), (1, "^")):
        ax.scatter(
            *X[y == label].T,
            c=np.full(np.count_nonzero(y == label), label),
            marker=marker,
            cmap=COLOURS,
            vmin=0,
            vmax=1,
            edgecolors="black",
            linewidths=0.6,
            s=22,
        )
    ax.set(xticks=[], yticks=[], xlabel="", ylabel="")
    return probability.surface_


# %%
# One picture per study. A row is a problem, a column a setting, and the number in the corner the
# accuracy on the rows that are drawn: none of them was trained on.

options = argument_parser(__doc__).parse_args()
for study, variants in STUDIES.items():
    print(f"Held-out accuracy by {study}")
    print(f"{'':10}" + "".join(f"{name:>17}" for name in variants))
    figure, axes = plt.subplots(
        len(PROBLEMS),
        len(variants),
        figsize=(2.5 * len(variants) + 1.0, 7.2),
        layout="constrained",
    )
    for row, (problem, (X, y)) in zip(axes, PROBLEMS.items(), strict=True):
        X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
        print(f"{problem:10}", end="")
        for ax, (name, settings) in zip(row, variants.items(), strict=True):
            network = fit(X_train, y_train, settings)
            accuracy = 100 * network.score(X_test, y_test)
            surface = draw(ax, network, X_test, y_test)
            ax.text(
                0.97,
                0.04,
                f"{accuracy:.0f} %",
                transform=ax.transAxes,
                ha="right",
                bbox={"facecolor": "white", "edgecolor": "none", "pad": 2.0},
            )
            if ax in axes[0]:
                ax.set_title(name)
            print(f"{accuracy:15.1f} %", end="")
        row[0].set_ylabel(problem)
        print()
    figure.colorbar(surface, ax=axes, shrink=0.6, pad=0.02, label="Probability of the triangles")
    figure.suptitle(f"Decision boundary by {study}, held-out rows")
    save(figure, options.output, f"decision_boundary_{study}")
