"""What the guide tells those who come from scikit-learn's MLPClassifier."""

import copy

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.neural_network import MLPClassifier

from backprop_mlp import BackpropMLPClassifier

X, y = load_iris(return_X_y=True)
ORDER = np.random.default_rng(0).permutation(len(X))
RATE = 1e-3


@pytest.mark.parametrize("n_batches", [1, 3, 10])
def test_its_alpha_times_rows_over_batch_size_is_the_same_penalty(n_batches):
    """Its steps along the batches, from one start, add up to our gradient over all rows."""
    batch_size = len(X) // n_batches
    theirs = MLPClassifier(
        4,
        "tanh",
        solver="sgd",
        alpha=2.0,
        batch_size=batch_size,
        learning_rate_init=RATE,
        momentum=0.0,
        random_state=0,
    ).partial_fit(X, y, classes=[0, 1, 2])
    start = _parameters(theirs)
    ours = BackpropMLPClassifier.from_thetas(
        [np.column_stack([b, W.T]) for W, b in zip(theirs.coefs_, theirs.intercepts_, strict=True)],
        classes=theirs.classes_,
        activation="tanh",
        output_activation="softmax",
        alpha=2.0 * len(X) / batch_size,
    )
    steps = [
        _parameters(copy.deepcopy(theirs).partial_fit(X[rows], y[rows])) - start
        for rows in np.split(ORDER, n_batches)
    ]
    _, gradients = ours.cost_gradient(X, y)
    expected = np.concatenate(
        [gradient[:, 1:].T.ravel() for gradient in gradients]
        + [gradient[:, 0] for gradient in gradients]
    )
    np.testing.assert_allclose(-np.mean(steps, axis=0) / RATE, expected, rtol=1e-8, atol=1e-10)


def _parameters(classifier):
    return np.concatenate([array.ravel() for array in classifier.coefs_ + classifier.intercepts_])
