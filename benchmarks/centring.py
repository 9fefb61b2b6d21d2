"""What the centred coordinates bring: the cost after 50 iterations, with and without them."""

import numpy as np
from _coordinates import descend
from _data import exercise
from _measure import Curve, Row
from sklearn.model_selection import train_test_split

from backprop_mlp._solvers.coordinates import Centring

N_ITER = 50
SEEDS = range(3)
EXERCISE = {
    "hidden_layer_sizes": 25,
    "activation": "logistic",
    "initializer": "uniform",
    "alpha": 1.0,
}


class Plain(Centring):
    """Coordinates with every centre at zero: theta itself."""

    def __init__(self, network, input_means):
        super().__init__(network, input_means)
        self.centres = []


def measure(options):
    """Yield rows of the table, with the mean and the range of the seeds, and the cost curves."""
    name, X, y = exercise(options.ex4_data)
    X, y = options.part(X, y)
    X, _, y, _ = train_test_split(X, y, train_size=0.8, stratify=y, random_state=0)
    for solver in ("cg", "lbfgs"):
        costs = {
            label: np.array(
                [
                    descend(
                        X, y, coordinates, solver=solver, n_iter=N_ITER, seed=seed, **EXERCISE
                    ).costs
                    for seed in SEEDS
                ]
            )
            for label, coordinates in (("centred", Centring), ("plain", Plain))
        }
        ends = {label: values[:, -1] for label, values in costs.items()}
        lower = 100.0 * (1.0 - ends["centred"] / ends["plain"])
        mean = 100.0 * (1.0 - ends["centred"].mean() / ends["plain"].mean())
        yield Row(
            "centring",
            f"{solver}, {N_ITER} iterations, {name}",
            f"plain coordinates, mean of {len(SEEDS)} seeds",
            figure=float(mean),
            low=float(lower.min()),
            high=float(lower.max()),
            unit="% lower cost",
            target=15.0,
            detail=", ".join(f"{label} {end.mean():.4f}" for label, end in ends.items()),
        )
        yield Curve(
            f"Cost of {solver} on {name}",
            "Iterations",
            "Cost J",
            list(range(N_ITER + 1)),
            {label: values.mean(axis=0).tolist() for label, values in costs.items()},
        )
