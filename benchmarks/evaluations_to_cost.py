"""How many evaluations the full-batch solvers need to reach given costs.

The costs are those that L-BFGS in merely centred coordinates reached after 50, 100 and
200 evaluations. They stand in ``evaluations_to_cost.json``, next to the evaluations that
conjugate gradient needed then, so counts can be compared without running that version
again. Counts are exact: neither the machine nor its load changes them.

Every run begins at the same parameters as the recorded one: 100 relu units, alpha 1,
70 % of the rows of 20 real tables (the environment variable TABLES names their folder),
of the 8 x 8 digits, both standardised, and of the exercise's digits as they come. With
``--record`` this file, run by the older version, writes the record.
"""

import argparse
import contextlib
import io
import json
import os
import re
import sys
import time
import warnings
from pathlib import Path

import numpy as np
from _data import exercise
from _measure import Row, duration
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from backprop_mlp import BackpropMLPClassifier
from backprop_mlp._estimator.assembly import open_objective
from backprop_mlp._estimator.pose import pose_fitted
from backprop_mlp._solvers.full_batch import METHODS, plan_descent
from backprop_mlp._solvers.kronecker import Kronecker
from backprop_mlp.initializers import GlorotUniform, HeNormal

RECORD = Path(__file__).with_suffix(".json")
AFTER = (50, 100, 200)
"""Evaluations of L-BFGS after which its costs are the goals."""

SEEDS = (0, 1)
N_HIDDEN = 100
MAX_FUN = 2500
"""Evaluations after which a run ends that has not reached the goals."""

GOALS = {
    "cg": (0.45, 0.30, 0.20),
    "lbfgs": (None, None, None),
    "lbfgs where curvature is in use": (0.68, 0.60, 0.58),
}
"""Geometric means of the ratios that are aimed at, by solver and runs."""


class Lines(io.TextIOBase):
    """Standard output that reads evaluations and processor time off the printed lines."""

    def __init__(self):
        self.n_fun = []
        self.seconds = []

    def write(self, text):
        if found := re.search(r"evaluations +(\d+)", text):
            self.n_fun.append(int(found[1]))
            self.seconds.append(time.process_time())
        return len(text)


class Trace:
    """Costs, evaluations and processor seconds of one fit from given parameters, by iteration."""

    def __init__(self, X, y, thetas, solver, max_fun, alpha=1.0):
        classifier = BackpropMLPClassifier.from_thetas(
            thetas,
            solver=solver,
            alpha=alpha,
            tol=0.0,
            n_iter_no_change=np.inf,
            max_iter=10**6,
            max_fun=max_fun,
            warm_start=True,
            verbose=True,
        )
        lines = Lines()
        with warnings.catch_warnings(), contextlib.redirect_stdout(lines):
            warnings.simplefilter("ignore", ConvergenceWarning)
            began = time.process_time()
            classifier.fit(X, y)
        self.classifier = classifier
        self.costs = np.array(classifier.loss_curve_)
        self.n_fun = np.array(lines.n_fun)
        self.seconds = np.array(lines.seconds) - began

    def cost_after(self, n_fun):
        """The cost after so many evaluations."""
        return float(self.costs[self.n_fun <= n_fun][-1])

    def to(self, cost):
        """Evaluations and processor seconds to a cost; (None, None) if it was not reached."""
        reached = np.flatnonzero(self.costs <= cost)
        if not reached.size:
            return None, None
        return int(self.n_fun[reached[0]]), float(self.seconds[reached[0]])


def problems(folder, ex4_data):
    """Name -> (X, y), with numbers for labels."""
    found = {}
    for path in sorted((Path(folder) / "classification").glob("*.npz")):
        with np.load(path, allow_pickle=True) as table:
            found[path.stem] = table["X"], np.unique(table["y"], return_inverse=True)[1]
    found["digits"] = load_digits(return_X_y=True)
    if ex4_data is not None:
        _, X, y = exercise(ex4_data)
        found["exercise"] = X, np.unique(y, return_inverse=True)[1]
    return found


def training_rows(name, X, y, seed):
    """X and y of 70 % of the rows, standardised but for pixels that come scaled; and the others."""
    X, X_test, y, y_test = train_test_split(X, y, train_size=0.7, stratify=y, random_state=seed)
    if name != "exercise":
        scaler = StandardScaler().fit(X)
        X, X_test = scaler.transform(X), scaler.transform(X_test)
    return X, y, X_test, y_test


def start(X, y, seed):
    """The exercise's Theta1 and Theta2, drawn with the seed."""
    rng = np.random.default_rng(seed)
    n_classes = int(y.max()) + 1
    n_outputs = 1 if n_classes == 2 else n_classes
    hidden = HeNormal()(rng, X.shape[1], N_HIDDEN)
    output = GlorotUniform()(rng, N_HIDDEN, n_outputs)
    return [np.insert(W.T, 0, 0.0, axis=1) for W in (hidden, output)]


def recorded_runs(folder, ex4_data, names=None):
    """(name, seed, X, y, X_test, y_test, thetas) of each run."""
    for name, (X, y) in problems(folder, ex4_data).items():
        if names and name not in names:
            continue
        for seed in SEEDS:
            rows = training_rows(name, X, y, seed)
            yield name, seed, *rows, start(rows[0], rows[1], seed)


def uses_curvature(classifier, X, y):
    """Whether the solver's coordinates are made of the layers' curvature, too."""
    problem, _ = pose_fitted(classifier, X, y, None)
    with open_objective(problem, classifier.alpha) as objective:
        plan = plan_descent(objective, METHODS[classifier.solver])
    return any(isinstance(part, Kronecker) for part in plan.coordinates.parts)


def record(folder, ex4_data):
    """Write the costs that L-BFGS reaches, and the evaluations of conjugate gradient to them."""
    entries = []
    for name, seed, X, y, _, _, thetas in recorded_runs(folder, ex4_data):
        lbfgs = Trace(X, y, thetas, "lbfgs", AFTER[-1])
        goals = [lbfgs.cost_after(n_fun) for n_fun in AFTER]
        cg = Trace(X, y, thetas, "cg", MAX_FUN)
        entries.append(
            {
                "problem": name,
                "seed": seed,
                "costs": goals,
                "lbfgs": [lbfgs.to(cost)[0] for cost in goals],
                # A run that ends short of a goal counts with all its evaluations.
                "cg": [cg.to(cost)[0] or int(cg.n_fun[-1]) for cost in goals],
            }
        )
        print(entries[-1], flush=True)
    lines = ",\n".join(json.dumps(entry) for entry in entries)
    RECORD.write_text(f"[\n{lines}\n]\n")


def measure(options):
    """Yield the rows of the table; none without the tables."""
    folder = os.environ.get("TABLES")
    if not folder:
        print("skipped: needs real tables; let TABLES name the folder that holds classification/")
        return
    known = {(entry["problem"], entry["seed"]): entry for entry in json.loads(RECORD.read_text())}
    ratios: dict[str, list] = {which: [] for which in GOALS}
    seconds: dict[str, list] = {which: [] for which in GOALS}
    names: dict[str, list] = {which: [] for which in GOALS}
    with threadpool_limits(1, user_api="blas"):
        for name, seed, X, y, _, _, thetas in recorded_runs(folder, options.ex4_data):
            entry = known[name, seed]
            for solver in ("cg", "lbfgs"):
                trace = Trace(X, y, thetas, solver, MAX_FUN)
                reached = [trace.to(cost) for cost in entry["costs"]]
                run = [
                    (now or MAX_FUN) / before
                    for (now, _), before in zip(reached, entry[solver], strict=True)
                ]
                runs = [solver]
                if solver == "lbfgs" and uses_curvature(trace.classifier, X, y):
                    runs.append("lbfgs where curvature is in use")
                for which in runs:
                    names[which].append(name)
                    ratios[which].append(run)
                    seconds[which].append([spent or np.nan for _, spent in reached])
    for which, aims in GOALS.items():
        columns = np.array(ratios[which]).T
        spent = np.array(seconds[which]).T
        for n_fun, aim, column, times in zip(AFTER, aims, columns, spent, strict=True):
            low, high = np.percentile(column, [25, 75])
            of_problems = [geometric_mean(column[rows]) for rows in by_problem(names[which])]
            yield Row(
                "evaluations_to_cost",
                f"{which}, to the cost of {n_fun} evaluations",
                f"recorded evaluations, mean of {len(column)} runs",
                figure=geometric_mean(column),
                low=float(low),
                high=float(high),
                unit="times as many",
                target=aim,
                at_least=False,
                detail=f"worst problem {max(of_problems):.2f}, worst run {column.max():.2f}; "
                f"{duration(np.nansum(times))} of processor time",
            )


def geometric_mean(ratios):
    """As ratios are averaged."""
    return float(np.exp(np.log(ratios).mean()))


def by_problem(names):
    """For each problem, which of the runs are its own."""
    return [np.array(names) == name for name in dict.fromkeys(names)]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--record", action="store_true", required=True, help="write the record")
    parser.parse_args()
    ex4_data = os.environ.get("EX4_DATA")
    with threadpool_limits(1, user_api="blas"):
        record(os.environ["TABLES"], Path(ex4_data) if ex4_data else None)
    return 0


if __name__ == "__main__":
    sys.exit(main())
