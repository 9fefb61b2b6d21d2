"""What the coordinates bring: the cost after 50 iterations, plain, centred, and learning."""

import numpy as np
from _coordinates import descend
from _data import exercise
from _measure import Curve, Row
from sklearn.model_selection import train_test_split

from backprop_mlp._solvers.centring import Centring
from backprop_mlp._solvers.coordinates import Composition
from backprop_mlp._solvers.full_batch import DescentPlan, plan_descent
from backprop_mlp._solvers.secants import Secants

N_ITER = 50
SEEDS = range(3)
EXERCISE = {
    "hidden_layer_sizes": 25,
    "activation": "logistic",
    "initializer": "uniform",
    "alpha": 1.0,
}


def plain(objective, method):
    """theta itself, but for the length of the first step."""
    return DescentPlan(Composition([Secants()]), method.attempts, 0)


def centred(objective, method):
    """Inputs that are centred and scaled, and nothing learned."""
    return DescentPlan(Composition([Centring.of(objective), Secants()]), method.attempts, 0)


def measure(options):
    """Yield rows of the table, with the mean and the range of the seeds, and the cost curves."""
    name, X, y = exercise(options.ex4_data)
    X, y = options.part(X, y)
    X, _, y, _ = train_test_split(X, y, train_size=0.8, stratify=y, random_state=0)
    for solver in ("cg", "lbfgs"):
        runs = {
            plan.__name__: [
                descend(X, y, plan, solver=solver, n_iter=N_ITER, seed=seed, **EXERCISE)
                for seed in SEEDS
            ]
            for plan in (plain, centred, plan_descent)
        }
        runs["learning"] = runs.pop("plan_descent")
        costs = {label: np.array([run.costs for run in found]) for label, found in runs.items()}
        ends = {label: values[:, -1] for label, values in costs.items()}
        spent = {
            label: np.mean([run.evaluations[-1] for run in found]) for label, found in runs.items()
        }
        detail = ", ".join(
            f"{label} {end.mean():.4f} ({spent[label]:.0f} evaluations)"
            for label, end in ends.items()
        )
        for better, worse, target in (("centred", "plain", 15.0), ("learning", "centred", None)):
            lower = 100.0 * (1.0 - ends[better] / ends[worse])
            yield Row(
                "centring",
                f"{solver}, {N_ITER} iterations, {name}, {better}",
                f"{worse} coordinates, mean of {len(SEEDS)} seeds",
                figure=float(100.0 * (1.0 - ends[better].mean() / ends[worse].mean())),
                low=float(lower.min()),
                high=float(lower.max()),
                unit="% lower cost",
                target=target,
                detail=detail,
            )
        yield Curve(
            f"Cost of {solver} on {name}",
            "Iterations",
            "Cost J",
            list(range(N_ITER + 1)),
            {label: values.mean(axis=0).tolist() for label, values in costs.items()},
        )
