"""
A table as it comes
===================

Probabilities for a table as it comes: calibration, Brier score, and which columns count.

442 patients, ten columns, and whether their diabetes had advanced beyond the median after
a year: scikit-learn's diabetes data, with the sex as a word and every tenth value of two
columns missing. `make_tabular_classifier` takes the frame without preparation. Boosted trees take
it, too, once they know which columns are categories.

Left: of the patients who were given a probability of 70 %, 70 % should be positive. All
probabilities are of rows that the model was not trained on, from five folds. Right: how much
accuracy is lost where a column of the held-out rows is shuffled. The lines are the
middle half of twenty shuffles.

The table prints accuracy, log-loss and Brier score. The log-loss of the out-of-fold
probabilities, which every fit keeps, tells before any test how good the probabilities are.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from _pictures import argument_parser, save
from sklearn.calibration import CalibrationDisplay
from sklearn.datasets import load_diabetes
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.inspection import permutation_importance
from sklearn.metrics import accuracy_score, brier_score_loss, log_loss
from sklearn.model_selection import StratifiedKFold, cross_val_predict, train_test_split

from backprop_mlp import make_tabular_classifier

# %%
# A table with words and gaps, and the models.

STYLES = {
    "make_tabular_classifier": {"marker": "o", "linestyle": "-", "color": "C0"},
    "boosted trees": {"marker": "s", "linestyle": "--", "color": "C1"},
}


def patients():
    """The table and the labels."""
    table, progression = load_diabetes(as_frame=True, scaled=False, return_X_y=True)
    table["sex"] = pd.Categorical.from_codes(table["sex"].astype(int) - 1, ["A", "B"])
    for column, first in (("bmi", 3), ("s5", 7)):
        table.loc[first::10, column] = np.nan
    return table, np.where(progression > progression.median(), "advanced", "stable")


def models():
    return {
        "make_tabular_classifier": make_tabular_classifier(random_state=0),
        "boosted trees": HistGradientBoostingClassifier(
            categorical_features="from_dtype", random_state=0
        ),
    }


def compare(table, y, ax):
    """Print the scores of held-out probabilities, and draw how well they are calibrated."""
    is_advanced = (y == "advanced").astype(int)
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    print(f"{'':26}{'accuracy':>10}{'log-loss':>10}{'Brier':>10}")
    for name, model in models().items():
        P = cross_val_predict(model, table, is_advanced, cv=folds, method="predict_proba")[:, 1]
        CalibrationDisplay.from_predictions(
            is_advanced, P, n_bins=8, strategy="quantile", name=name, ax=ax, **STYLES[name]
        )
        scores = (
            accuracy_score(is_advanced, P > 0.5),
            log_loss(is_advanced, P),
            brier_score_loss(is_advanced, P),
        )
        print(f"{name:26}" + "".join(f"{score:10.3f}" for score in scores))
    ax.set(xlabel="Predicted probability", ylabel="Share of the positive", title="Calibration")


def rank_columns(table, y, ax):
    """Draw what shuffling a column of held-out rows costs; print the out-of-fold log-loss."""
    X_train, X_test, y_train, y_test = train_test_split(
        table, y, test_size=0.3, stratify=y, random_state=0
    )
    model = models()["make_tabular_classifier"].fit(X_train, y_train)
    plain = model["networks"].named_estimators_["plain"]
    print(f"\nalpha {plain.alpha_:.3g} of {np.round(plain.alphas_, 3).tolist()}")
    before = log_loss(y_train, model["networks"].oof_proba_)
    after = log_loss(y_test, model.predict_proba(X_test))
    print(f"log-loss: out of fold {before:.3f}, on the test rows {after:.3f}")
    importances = permutation_importance(
        model, X_test, y_test, n_repeats=20, random_state=0
    ).importances
    order = np.median(importances, axis=1).argsort()
    low, middle, high = np.percentile(importances[order], [25, 50, 75], axis=1)
    rows = np.arange(len(order))
    ax.barh(rows, middle, color="C0")
    ax.hlines(rows, low, high, color="black")
    ax.set_yticks(rows, table.columns[order])
    ax.set(xlabel="Accuracy that is lost", title="Permutation importance")


# %%
# Both pictures, and the scores of held-out probabilities.

given = argument_parser(__doc__).parse_args()
table, y = patients()
figure, axes = plt.subplots(1, 2, figsize=(11.0, 4.8), layout="constrained")
compare(table, y, axes[0])
rank_columns(table, y, axes[1])
save(figure, given.output, "table_model")
