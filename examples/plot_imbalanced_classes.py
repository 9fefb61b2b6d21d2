"""
Imbalanced classes: weights or a threshold
==========================================

Three rows in a hundred belong to the rare class. A classifier that minimises the cost of all
rows may do well by overlooking them: its probabilities are right, but few of them exceed one
half. Two remedies, and what they cost:

- ``class_weight="balanced"`` gives both classes the same total weight in training. Its
  probabilities are then those of a world in which both classes are equally frequent;
- the threshold is moved, by scikit-learn's ``TunedThresholdClassifierCV``, and the network, with
  its probabilities, stays as it is.
"""

import warnings

import matplotlib.pyplot as plt
from _pictures import argument_parser, save
from sklearn.datasets import make_classification
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import (
    average_precision_score,
    balanced_accuracy_score,
    precision_recall_curve,
    precision_score,
    recall_score,
)
from sklearn.model_selection import TunedThresholdClassifierCV, train_test_split

from backprop_mlp import BackpropMLPClassifier

# %%
# Six thousand rows, of which half are held out, and the same network three times.

X, y = make_classification(
    6000,
    10,
    n_informative=5,
    n_redundant=0,
    weights=[0.97],
    flip_y=0.005,
    class_sep=0.8,
    random_state=0,
)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.5, stratify=y, random_state=0)


def network(**settings):
    """Twenty-five units, and a penalty that fits so few rows of one class."""
    return BackpropMLPClassifier(25, alpha=10.0, random_state=0, **settings)


WAYS = {
    "as it comes": (network(), "o", "-"),
    'class_weight="balanced"': (network(class_weight="balanced"), "s", "--"),
    "threshold tuned": (
        TunedThresholdClassifierCV(network(), scoring="balanced_accuracy", cv=3),
        "D",
        ":",
    ),
}

# %%
# The table has what each way finds of the rare class (recall), how much of what it finds is right
# (precision), and the mean probability that it gives to the rare class, next to its true share.

options = argument_parser(__doc__).parse_args()
# The penalty decides, not the last iterations.
warnings.simplefilter("ignore", ConvergenceWarning)

points = {}
print(f"The rare class is {100 * y_test.mean():.1f} % of the held-out rows")
print(f"{'':26}{'recall':>9}{'precision':>11}{'balanced acc.':>15}{'avg. prec.':>12}{'mean p':>9}")
for name, (classifier, _, _) in WAYS.items():
    classifier.fit(X_train, y_train)
    predicted, p = classifier.predict(X_test), classifier.predict_proba(X_test)[:, 1]
    points[name] = recall_score(y_test, predicted), precision_score(y_test, predicted)
    print(
        f"{name:26}{points[name][0]:9.2f}{points[name][1]:11.2f}"
        f"{balanced_accuracy_score(y_test, predicted):15.3f}"
        f"{average_precision_score(y_test, p):12.3f}{100 * p.mean():7.1f} %"
    )

# %%
# A curve is all that a network could do at some threshold; the mark is what ``predict`` does. The
# network whose threshold was tuned has the curve of the first: only the mark moves.

figure, ax = plt.subplots(figsize=(7.5, 5.6), layout="constrained")
for (name, (classifier, marker, linestyle)), color in zip(
    WAYS.items(), ("C0", "C1", "C2"), strict=True
):
    if name != "threshold tuned":
        p = classifier.predict_proba(X_test)[:, 1]
        curve_precision, curve_recall, _ = precision_recall_curve(y_test, p)
        ax.plot(curve_recall, curve_precision, color=color, linestyle=linestyle, label=name)
    recall, precision = points[name]
    ax.plot(recall, precision, marker, color=color, markersize=13, label=f"predict, {name}")
ax.axhline(y_test.mean(), color="0.5", linestyle=":", label="guessing")
ax.set(title="The rare class on held-out rows", xlim=(0.0, 1.02), ylim=(0.0, 1.05))
ax.set(xlabel="Recall: share of the rare rows found", ylabel="Precision: share of the found right")
ax.legend(fontsize="small", loc="best")
save(figure, options.output, "imbalanced_classes")
