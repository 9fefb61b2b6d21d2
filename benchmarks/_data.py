"""The data sets of the benchmarks, and their options on the command line."""

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

from backprop_mlp import load_ex4_data

OURS = Path(__file__).parents[1] / "data" / "digits20x20.mat"


@dataclass(frozen=True)
class Options:
    """What the command line asks for.

    Parameters
    ----------
    repeats : int or None
        Repeats of every measurement; None leaves each group its own.
    scale : float
        Share of the rows of every data set that is used.
    ex4_data : Path or None
        Folder with the exercise's ex4data1.mat.
    map_gib : float
        Size of the memory-mapped file.
    """

    repeats: int | None = None
    scale: float = 1.0
    ex4_data: Path | None = None
    map_gib: float = 4.0

    def rows(self, n_rows):
        """How many of n_rows rows are used, but never too few to train on."""
        return max(round(self.scale * n_rows), min(n_rows, 400))

    def part(self, X, y):
        """The rows that are used, spread evenly, for they may be sorted by class."""
        chosen = np.linspace(0, len(X) - 1, self.rows(len(X))).astype(int)
        return X[chosen], y[chosen]


def add_data_option(parser):
    """The option that names the exercise's folder."""
    folder = os.environ.get("EX4_DATA")
    parser.add_argument(
        "--ex4-data",
        type=Path,
        default=Path(folder) if folder else None,
        metavar="FOLDER",
        help="where the exercise's ex4data1.mat is (default: the environment variable EX4_DATA; "
        "without it, data/digits20x20.mat is used)",
    )


def exercise(folder):
    """(name, X, y): the exercise's 5000 digits of 20 x 20 pixels, or our 1797."""
    if folder is not None:
        return ("ex4data1.mat", *load_ex4_data(folder / "ex4data1.mat"))
    return ("digits20x20.mat", *load_ex4_data(OURS))


def digit_sets(options):
    """Name -> (X, y): scikit-learn's digits of 8 x 8 pixels, as they come, and the exercise's."""
    name, X, y = exercise(options.ex4_data)
    return {
        "8 x 8 digits": options.part(*load_digits(return_X_y=True)),
        name: options.part(X, y),
    }


def random_rows(n_rows, n_features, n_classes, dtype=np.float64):
    """Normally distributed features and random labels: for times that depend on the shape alone."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n_rows, n_features), dtype=dtype)
    return X, rng.integers(n_classes, size=n_rows)
