"""A small fitted network for the pictures."""

import pytest
from sklearn.datasets import load_iris

from backprop_mlp import BackpropMLPClassifier


@pytest.fixture(scope="session")
def iris():
    """Features and labels."""
    return load_iris(return_X_y=True)


@pytest.fixture(scope="session")
def fitted(iris):
    """Four inputs, six hidden units in each of two layers, three classes."""
    network = BackpropMLPClassifier((6, 6), "tanh", max_iter=20, tol=0.0, random_state=0)
    with pytest.warns(match="max_iter=20"):
        return network.fit(*iris)
