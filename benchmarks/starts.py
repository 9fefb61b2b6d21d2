"""What the starting weights of logistic units are worth: "auto" beside Glorot's alone.

Scores on held-out rows, accuracy or R2: means over draws of the rows, of the split and of the
weights, with inputs standardised on the training rows. The option --draws says how many.
"""

import argparse
import warnings

import numpy as np
from sklearn.datasets import load_iris, make_circles, make_friedman1
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from backprop_mlp import BackpropMLPClassifier, BackpropMLPRegressor, StrongPenaltyWarning

CONFIGURATIONS = (
    {"solver": "cg", "hidden_layer_sizes": (100,), "alpha": 1.0},
    {"solver": "cg", "hidden_layer_sizes": (100,), "alpha": 0.01},
    {"solver": "cg", "hidden_layer_sizes": (20, 20, 20), "alpha": 1.0},
    {"solver": "cg", "hidden_layer_sizes": (20, 20, 20), "alpha": 0.01},
    {"solver": "adam", "hidden_layer_sizes": (100,), "alpha": 0.01, "learning_rate_init": 0.005},
    {
        "solver": "adam",
        "hidden_layer_sizes": (20, 20, 20),
        "alpha": 0.01,
        "learning_rate_init": 0.005,
    },
)
STARTS = ("glorot_uniform", "auto")


def parity(rng):
    """Six inputs; the class is the sign of the product of three."""
    X = rng.normal(size=(400, 6))
    return X, X[:, :3].prod(axis=1) > 0.0


def wave(rng):
    """Two inputs, a number."""
    X = rng.uniform(-2.0, 2.0, size=(400, 2))
    return X, np.sin(2.0 * X[:, 0]) * np.cos(2.0 * X[:, 1]) + 0.05 * rng.normal(size=400)


def rings(rng):
    """Five classes, each a ring around the one before."""
    ring, angle = rng.integers(5, size=500), rng.uniform(0.0, 2.0 * np.pi, 500)
    radius = ring + 1.0 + 0.12 * rng.normal(size=500)
    return np.column_stack([radius * np.cos(angle), radius * np.sin(angle)]), ring


def tasks(draw):
    """Name -> kind of estimator, and rows with y."""
    rng = np.random.default_rng(draw)
    circles = make_circles(400, noise=0.08, factor=0.5, random_state=draw)
    return {
        "circles": (BackpropMLPClassifier, circles),
        "parity": (BackpropMLPClassifier, parity(rng)),
        "rings": (BackpropMLPClassifier, rings(rng)),
        "iris": (BackpropMLPClassifier, load_iris(return_X_y=True)),
        "wave": (BackpropMLPRegressor, wave(rng)),
        "friedman": (BackpropMLPRegressor, make_friedman1(500, random_state=draw)),
    }


def score(kind, X, y, draw, **params):
    """The score on rows that are held out."""
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.3, random_state=draw)
    network = kind(activation="logistic", random_state=draw, **params)
    return make_pipeline(StandardScaler(), network).fit(X_train, y_train).score(X_test, y_test)


def mean_score(name, n_draws, **params):
    """Mean over draws."""
    drawn = ((draw, *tasks(draw)[name]) for draw in range(n_draws))
    return np.mean([score(kind, *rows, draw, **params) for draw, kind, rows in drawn])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=20, help="of all (20)")
    n_draws = parser.parse_args().draws
    # Plateaus are what is measured.
    warnings.simplefilter("ignore", ConvergenceWarning)
    warnings.simplefilter("ignore", StrongPenaltyWarning)
    names = tasks(0)
    print(f"{'':28}" + "".join(f"{name:>12}" for name in names))
    for params in CONFIGURATIONS:
        title = f"{params['solver']} {params['hidden_layer_sizes']} {params['alpha']:g}"
        cells = []
        for name in names:
            scores = (mean_score(name, n_draws, initializer=start, **params) for start in STARTS)
            cells.append(", ".join(f"{score:.2f}" for score in scores))
        print(f"{title:28}" + "".join(f"{cell:>12}" for cell in cells), flush=True)


if __name__ == "__main__":
    main()
