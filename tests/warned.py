"""The warnings that a call makes, and small fits that warn."""

import warnings

import numpy as np
from sklearn.datasets import load_iris
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import (
    scale,
)

from backprop_mlp import (
    BackpropMLPClassifier,
    IgnoredKeywordWarning,
    StrongPenaltyWarning,
)

RAW, y = load_iris(return_X_y=True)
X = scale(RAW)
LABELS = np.column_stack([y > 0, y > 1]).astype(int)


def classifier(solver="cg", **params):
    return BackpropMLPClassifier((5,), "tanh", solver=solver, **{"random_state": 0} | params)


def warned(call, *data, **given):
    """The warnings of our categories that a call makes."""
    with warnings.catch_warnings(record=True) as record:
        warnings.simplefilter("always")
        call(*data, **given)
    ours = (IgnoredKeywordWarning, StrongPenaltyWarning, ConvergenceWarning)
    return [warning for warning in record if issubclass(warning.category, ours)]


def messages(category, call, *data, **given):
    return [str(w.message) for w in warned(call, *data, **given) if w.category is category]


def parameters(estimator):
    return np.concatenate([coef.ravel() for coef in estimator.coefs_])


def convergence(network, data, target=y, **given):
    (message,) = messages(ConvergenceWarning, network.fit, data, target, **given)
    return message
