"""Which alpha noisy tables want: areas under the ROC curve beside MLPClassifier.

Five shuffled, stratified folds, inputs standardised on the training rows, 100 units
on both sides and all else at its defaults. The environment variable TABLES names the
folder of the real tables.
"""

import os
import sys
import warnings
from pathlib import Path

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from backprop_mlp import BackpropMLPClassifier, BackpropMLPClassifierCV

TABLES = (
    "classification_large/bank_additional",
    "classification_large/online_shoppers",
    "classification/german_credit",
    "classification/pima",
)
ALPHAS = (1.0, 10.0, 100.0)


def classifiers():
    """Name -> classifier, in the order of the columns."""
    network = BackpropMLPClassifier(solver="lbfgs", random_state=0)
    search = BackpropMLPClassifierCV(network, alphas=ALPHAS, cv=3, scoring="roc_auc")
    ours = {f"alpha {a:g}": BackpropMLPClassifier(alpha=a, random_state=0) for a in ALPHAS}
    return {"MLPClassifier": MLPClassifier(random_state=0), **ours, "chosen": search}


def main():
    if "TABLES" not in os.environ:
        sys.exit("Set TABLES to the folder of the real tables.")
    # Nobody waits for convergence where defaults are compared.
    warnings.simplefilter("ignore", ConvergenceWarning)
    folds = StratifiedKFold(5, shuffle=True, random_state=1)
    print(f"{'':20}" + "".join(f"{name:>15}" for name in classifiers()))
    for table in TABLES:
        with np.load(Path(os.environ["TABLES"]) / f"{table}.npz") as data:
            X, y = data["X"], data["y"]
        areas = [
            cross_val_score(
                make_pipeline(StandardScaler(), classifier), X, y, cv=folds, scoring="roc_auc"
            ).mean()
            for classifier in classifiers().values()
        ]
        print(f"{Path(table).name:20}" + "".join(f"{area:15.3f}" for area in areas), flush=True)


if __name__ == "__main__":
    main()
