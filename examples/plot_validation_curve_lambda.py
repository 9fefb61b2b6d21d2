"""
Validation curve and learning curves by lambda
==============================================

How lambda shapes the network: validation curve, learning curves, and what to try next.

The validation curve shows accuracy and cost on training and validation rows
over lambda: too small a lambda lets the network learn its training rows by
heart (high variance), too large a one keeps it from learning (high bias). The
learning curves show the same two ailments by the number of training rows, which
tells what to try next.
"""

import copy
import warnings

import matplotlib.pyplot as plt
import numpy as np
from _pictures import DIGITS, argument_parser, save
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import LearningCurveDisplay, ValidationCurveDisplay, train_test_split

from backprop_mlp import BackpropMLPClassifier, load_ex4_data

# %%
# Accuracy and cost, both by scikit-learn's own displays. The cost is given without its penalty, so
# that different lambdas compare.

LAMBDAS = np.array([0.001, 0.01, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0])

# What to try next.
ADVICE = {
    "high variance": "try more rows, a larger lambda, fewer units or features",
    "about right": "more rows still help",
    "high bias": "try a smaller lambda, more units or features",
}


def negative_cost(estimator, X, y):
    """Minus the cost without its penalty, so that different lambdas compare."""
    return -copy.copy(estimator).set_params(alpha=0.0).cost(X, y)


SCORES = {
    "Accuracy": {"scoring": "accuracy"},
    "Cost J without its penalty": {"scoring": negative_cost, "negate_score": True},
}

STYLE = {
    "score_type": "both",
    "std_display_style": "fill_between",
    "cv": 3,
}


def mark_lines(ax):
    """Markers and names that need no colour."""
    lines = ax.get_lines()
    for line, marker, linestyle in zip(lines, "os", ("-", "--"), strict=True):
        line.set(marker=marker, linestyle=linestyle)
    ax.legend(lines, ["training rows", "validation rows"])


def draw_validation_curves(network, X, y, folder):
    """Accuracy and cost over lambda; the lambda with the lowest validation cost."""
    figure, axes = plt.subplots(1, 2, figsize=(11.0, 4.4), layout="constrained")
    columns = []
    for ax, (name, scoring) in zip(axes, SCORES.items(), strict=True):
        display = ValidationCurveDisplay.from_estimator(
            network,
            X,
            y,
            param_name="alpha",
            param_range=LAMBDAS,
            ax=ax,
            score_name=name,
            **scoring,
            **STYLE,
        )
        columns += [line.get_ydata() for line in display.lines_]
        ax.set(xscale="log", xlabel="lambda", title=f"{name.split()[0]} over lambda")
        mark_lines(ax)
    for place, side in ((0.2, "high variance"), (0.84, "high bias")):
        ax.text(place, 1.0, side, transform=ax.transAxes, ha="center", va="top", style="italic")
    save(figure, folder, "validation_curve_lambda")
    print(f"{'':>8}{'accuracy':^24}{'cost':^24}")
    print(f"{'lambda':>8}" + 2 * f"{'training':>12}{'validation':>12}")
    for row in zip(LAMBDAS, *columns, strict=True):
        print(f"{row[0]:8g}{row[1]:12.3f}{row[2]:12.3f}{row[3]:12.3f}{row[4]:12.3f}")
    best = LAMBDAS[np.argmin(columns[3])]
    print(f"Lowest validation cost: lambda {best:g}")
    return best


def draw_learning_curves(network, X, y, best, folder):
    """Cost by the number of training rows, for lambda too small, best, too large."""
    figure, axes = plt.subplots(
        1, 3, figsize=(13.0, 4.8), sharex=True, sharey=True, layout="constrained"
    )
    lambdas = (0.0, best, 10.0)
    print(f"\n{'lambda':>8}{'rows':>8}{'training':>12}{'validation':>12}   cost")
    for ax, alpha, (diagnosis, advice) in zip(axes, lambdas, ADVICE.items(), strict=True):
        display = LearningCurveDisplay.from_estimator(
            copy.copy(network).set_params(alpha=alpha),
            X,
            y,
            train_sizes=np.linspace(0.2, 1.0, 5),
            ax=ax,
            score_name="Cost J without its penalty",
            **SCORES["Cost J without its penalty"],
            **STYLE,
        )
        ax.set_title(f"lambda {alpha:g}: {diagnosis}\n", fontweight="bold")
        ax.text(0.5, 1.02, advice, transform=ax.transAxes, ha="center", style="italic", fontsize=11)
        ax.set(xlabel="Training rows", ylim=(-0.1, 3.5))
        ax.label_outer()
        mark_lines(ax)
        curves = [line.get_ydata() for line in display.lines_]
        for size, train, validation in zip(display.train_sizes, *curves, strict=True):
            print(f"{alpha:8g}{size:8d}{train:12.3f}{validation:12.3f}")
        print(f"{'':8}{diagnosis}: {advice}")
    save(figure, folder, "learning_curves_lambda")


# %%
# The validation curve comes first, for it chooses the lambda of the learning curves' middle panel.

options = argument_parser(__doc__).parse_args()
X, y = load_ex4_data(DIGITS)
# A third of the rows, in random order: with few of them lambda matters more.
X, _, y, _ = train_test_split(X, y, train_size=1 / 3, stratify=y, random_state=0)
network = BackpropMLPClassifier(25, "logistic", initializer="uniform", max_iter=50, random_state=0)
with warnings.catch_warnings():
    # Fifty iterations are enough for every lambda here.
    warnings.simplefilter("ignore", ConvergenceWarning)
    best = draw_validation_curves(network, X, y, options.output)
    draw_learning_curves(network, X, y, best, options.output)
