"""
What hidden units look for
==========================

What the hidden units look for, by lambda and by their number.

Without a penalty the units keep the noise that they started from; a strong one
leaves broad strokes and little else. Few units must each see much of a digit;
many can share the work.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np
from _pictures import DIGITS, argument_parser, save
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split

from backprop_mlp import BackpropMLPClassifier, HiddenUnitsDisplay, load_ex4_data

# %%
# The exercise's network: 25 logistic units behind 400 pixels. The weights of a unit are an image.


def fit(X, y, alpha, n_units):
    """The exercise's network, trained to convergence or for 300 iterations."""
    network = BackpropMLPClassifier(
        n_units,
        "logistic",
        initializer="uniform",
        alpha=alpha,
        max_iter=300,
        random_state=0,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return network.fit(X, y)


def draw(settings, title_of, rows, path):
    """Train and draw a network a setting, side by side; print a table."""
    X_train, X_test, y_train, y_test = rows
    figure, axes = plt.subplots(
        1, len(settings), figsize=(4.6 * len(settings), 3.7), layout="constrained"
    )
    print(f"{'lambda':>6}  {'units':>5}  {'train':>7}  {'held-out':>8}  {'weights, r.m.s.':>15}")
    for (alpha, n_units), ax in zip(settings, axes, strict=True):
        network = fit(X_train, y_train, alpha, n_units)
        spread = np.sqrt(np.mean(network.coefs_[0] ** 2))
        print(
            f"{alpha:6g}  {n_units:5d}  {100 * network.score(X_train, y_train):5.1f} %"
            f"  {100 * network.score(X_test, y_test):6.1f} %  {spread:15.3f}"
        )
        # A scale that a few extreme weights do not decide.
        limit = np.percentile(np.abs(network.coefs_[0]), 99.5)
        HiddenUnitsDisplay.from_estimator(network, ax=ax, vmin=-limit, vmax=limit)
        ax.set_title(title_of(alpha, n_units))
    save(figure, *path)


# %%
# The digits, halved: the networks are trained on one half, and the accuracy in the table is that
# on the other.

options = argument_parser(__doc__).parse_args()
X, y = load_ex4_data(DIGITS)
rows = train_test_split(X, y, test_size=0.5, stratify=y, random_state=0)

# %%
# First three strengths of the penalty. Without one, a unit's weights keep the noise that they
# started from.

draw(
    [(0.0, 25), (1.0, 25), (10.0, 25)],
    lambda alpha, n_units: f"lambda {alpha:g}",
    rows,
    (options.output, "hidden_units_by_lambda"),
)

# %%
# Then three numbers of units.

draw(
    [(1.0, 4), (1.0, 16), (1.0, 64)],
    lambda alpha, n_units: f"{n_units} hidden units",
    rows,
    (options.output, "hidden_units_by_width"),
)
