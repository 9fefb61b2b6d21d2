"""Tables: networks averaged, next to boosted trees with their defaults.

    TABLES=folder OMP_NUM_THREADS=1 python benchmarks/tables.py [options]

TABLES holds folders with an .npz per table, X and y in each: "classification",
"classification_large" and "regression". Rows of classes with fewer than five rows are left out;
the folds are shuffled, stratified for classes, and the same for all models. LightGBM and CatBoost
take part where they are installed; all models run with their defaults and a seed.

Printed per folder: the means over the tables of each measure (per table the mean over the
folds; "error" is the root of the mean squared error, in standard deviations of the y left out),
mean ranks among the models, on how many tables each model is better and worse than those named
by --against, with the p of Wilcoxon's signed-rank test over the tables, and processor seconds
of `fit`, summed over the tables for one fold. --json keeps every figure, and goes on from there.
"""

import argparse
import json
import os
import sys
import time
import warnings
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from scipy.stats import rankdata, wilcoxon
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.linear_model import Ridge
from sklearn.metrics import accuracy_score, log_loss, root_mean_squared_error
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from backprop_mlp import (
    BackpropMLPClassifier,
    BackpropMLPClassifierCV,
    BackpropMLPRegressor,
    BackpropMLPRegressorCV,
    make_tabular_classifier,
    make_tabular_regressor,
)

N_FOLDS = 5
FEWEST_ROWS = 5
"""Rows of a class without which a fold may lack it."""


@dataclass(frozen=True)
class Measure:
    """One of the figures that models are compared by.

    Parameters
    ----------
    name : str
    of : callable(y, P) -> float
    greater_is_better : bool
    """

    name: str
    of: object
    greater_is_better: bool

    def order(self, values):
        """The same, so that less is better."""
        return -values if self.greater_is_better else values


def _accuracy(y, P):
    return accuracy_score(y, P.argmax(axis=1))


def _log_loss(y, P):
    P = P.astype(np.float64)
    return log_loss(y, P / P.sum(axis=1, keepdims=True), labels=np.arange(P.shape[1]))


def _error(y, predicted):
    """Root mean squared error, in standard deviations of the rows' y."""
    return root_mean_squared_error(y, predicted) / y.std()


def folds_averaged():
    """Standardised columns, and the networks of the folds averaged: one of the two sets."""
    network = BackpropMLPClassifier(
        (64, 32), solver="lbfgs", output_activation="softmax", max_iter=40
    )
    search = BackpropMLPClassifierCV(network, refit="folds", random_state=0)
    return make_pipeline(StandardScaler(), search)


def regression_folds_averaged():
    """The same for numbers."""
    network = BackpropMLPRegressor((64, 32), solver="lbfgs", max_iter=40)
    return make_pipeline(
        StandardScaler(), BackpropMLPRegressorCV(network, refit="folds", random_state=0)
    )


def lightgbm(kind):
    import lightgbm

    return getattr(lightgbm, f"LGBM{kind}")(random_state=0, n_jobs=1, verbose=-1)


def catboost(kind):
    import catboost

    settings = {"thread_count": 1, "verbose": False, "allow_writing_files": False}
    return getattr(catboost, f"CatBoost{kind}")(random_seed=0, **settings)


def with_peers(found, kind):
    """Name -> what makes a model, with the libraries that are there."""
    peers = {"LightGBM": ("lightgbm", lightgbm), "CatBoost": ("catboost", catboost)}
    return found | {
        name: partial(make, kind) for name, (module, make) in peers.items() if find_spec(module)
    }


class Classes:
    """Tables of classes, whose probabilities are judged."""

    measures = (Measure("accuracy", _accuracy, True), Measure("log-loss", _log_loss, False))

    @staticmethod
    def models():
        """Name -> what makes a model."""
        ours = {
            "make_tabular": lambda: make_tabular_classifier(random_state=0),
            "folds averaged": folds_averaged,
            "defaults": lambda: make_pipeline(
                StandardScaler(), BackpropMLPClassifier(random_state=0)
            ),
            "HistGradientBoosting": lambda: HistGradientBoostingClassifier(random_state=0),
        }
        return with_peers(ours, "Classifier")

    @staticmethod
    def rows(X, y):
        """X and the numbers of the classes, without the rows of rare classes."""
        _, codes, counts = np.unique(y, return_inverse=True, return_counts=True)
        kept = counts[codes] >= FEWEST_ROWS
        return X[kept], np.unique(codes[kept], return_inverse=True)[1]

    @staticmethod
    def splits(X, y):
        """The folds."""
        return StratifiedKFold(N_FOLDS, shuffle=True, random_state=1).split(X, y)

    @staticmethod
    def outputs(model, X):
        """What is judged."""
        return model.predict_proba(X)


class Numbers:
    """Tables of numbers, whose predictions are judged."""

    measures = (Measure("error", _error, False),)

    @staticmethod
    def models():
        """Name -> what makes a model."""
        ours = {
            "make_tabular": lambda: make_tabular_regressor(random_state=0),
            "folds averaged": regression_folds_averaged,
            "defaults": lambda: make_pipeline(
                StandardScaler(), BackpropMLPRegressor(random_state=0)
            ),
            "HistGradientBoosting": lambda: HistGradientBoostingRegressor(random_state=0),
            "MLPRegressor": lambda: make_pipeline(StandardScaler(), MLPRegressor(random_state=0)),
            "MLPRegressor, y scaled": lambda: TransformedTargetRegressor(
                make_pipeline(StandardScaler(), MLPRegressor(random_state=0)),
                transformer=StandardScaler(),
            ),
            "Ridge": lambda: make_pipeline(StandardScaler(), Ridge()),
        }
        return with_peers(ours, "Regressor")

    @staticmethod
    def rows(X, y):
        """X, and y as it comes."""
        return X, y.astype(np.float64)

    @staticmethod
    def splits(X, y):
        """The folds."""
        return KFold(N_FOLDS, shuffle=True, random_state=1).split(X)

    @staticmethod
    def outputs(model, X):
        """What is judged."""
        return model.predict(X)


FOLDERS = {"classification": Classes, "classification_large": Classes, "regression": Numbers}


def measured(task, make, X, y, train, test):
    """Each measure on the rows that are left out, and processor seconds of `fit`."""
    model = make()
    began = time.process_time()
    model.fit(X[train], y[train])
    seconds = time.process_time() - began
    outputs = task.outputs(model, X[test])
    figures = {measure.name: float(measure.of(y[test], outputs)) for measure in task.measures}
    return figures | {"seconds": seconds}


def measure_folder(folder, task, names, n_folds, json_path, found):
    """Add a figure for every model, table and fold that has none yet."""
    models = task.models()
    for path in sorted(folder.glob("*.npz")):
        with np.load(path) as data:
            X, y = task.rows(data["X"], data["y"])
        for fold, (train, test) in enumerate(task.splits(X, y)):
            for name in names if fold < n_folds else ():
                key = f"{folder.name}/{path.stem}/{fold}/{name}"
                if key not in found:
                    found[key] = measured(task, models[name], X, y, train, test)
                    if json_path is not None:
                        json_path.write_text(json.dumps(found, indent=1))


def means_of(found, folder, names, quantity):
    """Mean over the folds, of shape (n_tables, n_models)."""
    values: dict = {}
    for key, figures in found.items():
        where, stem, _, name = key.split("/")
        if where == folder and name in names:
            values.setdefault((stem, name), []).append(figures[quantity])
    stems = sorted({stem for stem, _ in values})
    return np.array([[np.mean(values[stem, name]) for name in names] for stem in stems])


def print_folder(found, folder, task, names, against):
    """The table of a folder."""
    columns = {}
    for measure in task.measures:
        means = means_of(found, folder, names, measure.name)
        ranks = rankdata(measure.order(means), axis=1).mean(axis=0)
        columns[measure.name] = means.mean(axis=0)
        columns[f"rank {measure.name}"] = ranks
        for other in against:
            columns[f"{measure.name} against {other}"] = [
                compared(measure.order(means), names.index(name), names.index(other))
                for name in names
            ]
    columns["seconds"] = means_of(found, folder, names, "seconds").sum(axis=0)
    print(f"\n{folder}: {len(means)} tables")
    print("| model | " + " | ".join(columns) + " |")
    print("|---|" + "---|" * len(columns))
    for row, name in enumerate(names):
        cells = [
            values[row] if isinstance(values[row], str) else f"{values[row]:{form(title)}}"
            for title, values in columns.items()
        ]
        print(f"| {name} | " + " | ".join(cells) + " |")


def form(title):
    """How a column's numbers are printed."""
    return ".1f" if title == "seconds" else ".2f" if title.startswith("rank") else ".4f"


def compared(ordered, ours, theirs):
    """On how many tables a model is better and worse than another one, and Wilcoxon's p."""
    if ours == theirs:
        return ""
    differences = ordered[:, theirs] - ordered[:, ours]
    wins, losses = np.count_nonzero(differences > 0), np.count_nonzero(differences < 0)
    p = wilcoxon(differences).pvalue if wins + losses else 1.0
    return f"{wins}/{losses} p={p:.2g}"


def options():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--folders", nargs="+", choices=FOLDERS, default=list(FOLDERS))
    parser.add_argument("--models", nargs="+", metavar="NAME", help="default: all installed")
    parser.add_argument(
        "--against",
        nargs="*",
        metavar="NAME",
        default=["HistGradientBoosting", "CatBoost"],
        help="models that every other one is compared with (default: %(default)s)",
    )
    parser.add_argument("--n-folds", type=int, default=N_FOLDS, help="how many of the five folds")
    parser.add_argument("--json", type=Path, metavar="FILE", help="keeps the figures")
    return parser.parse_args()


def main():
    given = options()
    if "TABLES" not in os.environ:
        sys.exit("Set TABLES to the folder of the tables.")
    # Nobody waits for convergence where the loss of held-out rows chooses.
    warnings.simplefilter("ignore")
    found = json.loads(given.json.read_text()) if given.json and given.json.exists() else {}
    for folder in given.folders:
        task = FOLDERS[folder]
        installed = list(task.models())
        names = given.models or installed
        if unknown := set(names) - set(installed):
            sys.exit(f"no such model: {sorted(unknown)}; there are {installed}")
        path = Path(os.environ["TABLES"]) / folder
        measure_folder(path, task, names, given.n_folds, given.json, found)
        against = [name for name in given.against if name in names]
        print_folder(found, folder, task, names, against)


if __name__ == "__main__":
    main()
