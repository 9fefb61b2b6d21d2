"""Types of what users hand over: data, and values of the estimators' keywords.

Names are literals, so that editors offer them, and strings, since names come from lists
and dictionaries as well. What is allowed is checked when an estimator is fitted.
"""

from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike
from sklearn.metrics import get_scorer_names

from .._sklearn import NamedOptions

Matrix = Any
"""{array-like, sparse matrix, dataframe}: libraries agree on no type for these together."""

Sizes = int | Sequence[int] | np.ndarray

ActivationName = Literal["identity", "logistic", "tanh", "relu", "leaky_relu"] | str
ActivationNames = ActivationName | Sequence[ActivationName] | np.ndarray

OutputActivation = Literal["logistic", "softmax"] | str

RegressionLossName = Literal["squared_error", "huber", "poisson", "gamma", "quantile"] | str

Solver = Literal["cg", "lbfgs", "newton-cg", "adam", "rmsprop", "sgd"] | str

Initializer = (
    Literal["auto", "uniform", "glorot_uniform", "glorot_normal", "xavier", "he_normal"]
    | str
    | Callable[[np.random.Generator, int, int], Any]
)

LearningRate = (
    Literal["constant", "invscaling", "adaptive", "step", "exponential", "inverse_time", "cosine"]
    | str
    | Callable[[int], float]
)

Dropout = float | Sequence[float] | np.ndarray

ClassWeight = dict[Any, Any] | list[dict[Any, Any]] | Literal["balanced"] | str | None
"""No other mapping or sequence is taken. Any, since a dict of ints is no dict of floats."""

Scoring = str | Callable[..., Any] | None

RandomState = int | np.random.RandomState | None

Weights = ArrayLike | None
"""Row weights."""

OUTPUT_ACTIVATION = NamedOptions(
    {"logistic", "softmax"}, "a str among 'logistic' (the sigmoid), 'softmax'"
)
_A_SCORER = "the name of a scorer (sklearn.metrics.get_scorer_names() lists them)"
HELD_OUT_SCORING = NamedOptions(
    {"log_loss", *get_scorer_names()},
    "'log_loss' (not 'loss', what training minimises: with several logistic outputs that chooses "
    f"other alphas), {_A_SCORER}",
)
SCORING = NamedOptions(
    {"loss", *get_scorer_names()},
    "'loss' (what training minimises; the log-loss of probabilities is 'neg_log_loss'), "
    f"{_A_SCORER}",
)
REGRESSION_SCORING = NamedOptions(
    {"loss", *get_scorer_names()}, f"'loss' (what training minimises), {_A_SCORER}"
)
"""What keywords may be, and how messages say it."""
