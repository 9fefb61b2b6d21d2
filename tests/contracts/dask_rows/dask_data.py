"""Rows for the tests of Dask collections, and how they are cut."""

import dask.array as da
import numpy as np
from sklearn.datasets import load_digits

from backprop_mlp import BackpropMLPClassifier

DIGITS, LABELS = load_digits(return_X_y=True)
DIGITS = DIGITS[:600] / 16.0
LABELS = LABELS[:600]
WEIGHTS = np.random.default_rng(0).uniform(0.0, 2.0, len(LABELS))


def chunked(array, *lengths):
    """A Dask array of blocks of these lengths, the last one with all that is left."""
    lengths = (*lengths, len(array) - sum(lengths))
    return da.from_array(array, chunks=(lengths, *array.shape[1:]))


def network(**params):
    return BackpropMLPClassifier(
        **{"hidden_layer_sizes": 12, "activation": "tanh", "max_iter": 10, "random_state": 0}
        | params
    )
