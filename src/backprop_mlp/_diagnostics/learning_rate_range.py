"""The learning-rate range test (Smith, 2017, section 3.3)."""

from dataclasses import dataclass, replace
from numbers import Integral
from typing import Any

import numpy as np

from .._base import BackpropMLP
from .._estimator.assembly import MINI_BATCH_SOLVERS, build_mini_batches, open_objective
from .._estimator.fitted import kind_error
from .._estimator.keywords import Matrix, Weights
from .._estimator.pose import pose_unfitted
from .._estimator.seeds import draw_seeds
from .._numbers import as_float
from .._objective.objective import block_not_finite
from .._objective.overflow import IGNORE_OVERFLOW
from .._solvers.mini_batch import initial_state, minimize_mini_batch
from .._training.start import draw_theta

SMOOTHING = 0.9
"""Weight of the past in the smoothed costs."""

DIVERGENCE_RATIO = 4.0
"""The test ends where the smoothed cost is this many times its lowest value."""


@dataclass(frozen=True)
class LearningRateRange:
    """Costs of mini-batches while the learning rate rises.

    Parameters
    ----------
    rates : ndarray of shape (n_steps,)
        Learning rate of each update.
    costs : ndarray of shape (n_steps,)
        Cost of each update's mini-batch, before the update.
    smoothed : ndarray of shape (n_steps,)
        Exponentially weighted mean of the costs, corrected for its start.

    See Also
    --------
    learning_rate_range_test : Makes the test.
    LearningRateRangeDisplay : Draws it.

    Examples
    --------
    >>> import numpy as np
    >>> from backprop_mlp import LearningRateRange
    >>> costs = np.array([3.0, 2.9, 2.0, 1.8, 2.5])
    >>> round(LearningRateRange(np.geomspace(1e-4, 1.0, 5), costs, costs).suggestion, 3)
    0.01
    """

    rates: np.ndarray
    costs: np.ndarray
    smoothed: np.ndarray

    @property
    def suggestion(self) -> float:
        """A tenth of the rate at which the smoothed cost is lowest.

        There training is about to diverge; a tenth keeps a safe distance. (The
        steepest fall of the cost, which is also taken, lies much too low where
        the outputs first learn no more than how rare their class is.)
        """
        return float(self.rates[self.smoothed.argmin()] / 10.0)


class _Recorder:
    """What a mini-batch solver asks of an objective; notes each cost, and ends the test."""

    def __init__(self, objective, n_steps):
        self._objective = objective
        self._n_steps = n_steps
        self.blocks = objective.blocks
        self.n_rows = objective.n_rows
        self.costs: list[float] = []
        self.smoothed: list[float] = []
        self._average = 0.0

    def minibatch(self, theta, rows, rng):
        if len(self.costs) == self._n_steps:
            raise _Finished
        cost, grad, moments = self._objective.minibatch(theta, rows, rng)
        if not np.isfinite(cost):
            raise FloatingPointError("The cost overflows.")
        self.costs.append(cost)
        self._average = SMOOTHING * self._average + (1.0 - SMOOTHING) * cost
        self.smoothed.append(self._average / (1.0 - SMOOTHING ** len(self.costs)))
        if self.smoothed[-1] > DIVERGENCE_RATIO * min(self.smoothed):
            raise _Finished
        return cost, grad, moments


class _Finished(Exception):  # noqa: N818
    """The test has seen enough."""


class _Onward:
    """A monitor that never stops and leaves the rate as it is.

    It records no iteration, so that Ctrl-C goes through: there is nothing to keep.
    """

    rate_factor = 1.0
    n_iter = 0

    def __call__(self, iteration):
        return False


@dataclass(frozen=True)
class _Rising:
    """The schedule of the test: from min_rate to max_rate by equal factors."""

    min_rate: float
    max_rate: float
    n_steps: int

    def __call__(self, step):
        return self.min_rate * (self.max_rate / self.min_rate) ** (step / (self.n_steps - 1))


def learning_rate_range_test(
    estimator: Any,
    X: Matrix,
    y: Matrix,
    sample_weight: Weights = None,
    *,
    min_rate: float = 1e-5,
    max_rate: float = 10.0,
    n_steps: int = 200,
) -> LearningRateRange:
    """Try learning rates from low to high in one short training run.

    A copy of the estimator is trained from a random start, with its own solver,
    batches, dropout and batch normalisation, while the rate grows by the same
    factor at every update. The cost stays, falls, and rises again where training
    diverges; the run ends there, or after ``n_steps`` updates. A tenth of the rate
    at which the smoothed cost is lowest is a good ``learning_rate_init``.

    Parameters
    ----------
    estimator : BackpropMLPClassifier or BackpropMLPRegressor
        With a mini-batch solver. It is not changed.
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        Training data.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Labels, or numbers for a regressor.
    sample_weight : array-like of shape (n_samples,), default=None
        Row weights.
    min_rate, max_rate : float, default=1e-5 and 10
        First and last rate, 0 < min_rate < max_rate.
    n_steps : int, default=200
        Number of updates at most, >= 10.

    Returns
    -------
    result : LearningRateRange
        Rates, costs and the suggested rate; `LearningRateRangeDisplay` draws it.

    Raises
    ------
    TypeError
        If the estimator is of another kind.
    ValueError
        If the solver has no learning rate, an argument is out of range, or the rows are not
        what `fit` takes.
    FloatingPointError
        If the cost overflows before the rate could rise.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from backprop_mlp import BackpropMLPClassifier, learning_rate_range_test
    >>> X, y = load_digits(return_X_y=True)
    >>> network = BackpropMLPClassifier(25, solver="adam", random_state=0)
    >>> bool(1e-4 < learning_rate_range_test(network, X / 16, y).suggestion < 1.0)
    True
    """
    if not isinstance(estimator, BackpropMLP):
        raise kind_error(estimator, "a BackpropMLPClassifier or BackpropMLPRegressor")
    if estimator.solver not in MINI_BATCH_SOLVERS:
        raise ValueError(
            f"solver must be one of {MINI_BATCH_SOLVERS} for a learning rate to exist; "
            f"got solver={estimator.solver!r}."
        )
    if not 0.0 < as_float(min_rate) < as_float(max_rate) < np.inf:
        raise ValueError(
            "min_rate and max_rate must be finite with 0 < min_rate < max_rate; "
            f"got {min_rate!r} and {max_rate!r}."
        )
    if not (isinstance(n_steps, Integral) and int(n_steps) >= 10):
        raise ValueError(f"n_steps must be an integer >= 10; got {n_steps!r}.")
    problem, source = pose_unfitted(estimator, X, y, sample_weight)
    schedule = _Rising(float(min_rate), float(max_rate), int(n_steps))
    mini_batches = build_mini_batches(estimator, problem.blocks)
    mini_batches = replace(mini_batches, schedule=schedule, time="updates")
    rng = np.random.default_rng(*draw_seeds(source, 1))
    with open_objective(problem, estimator.alpha) as objective:
        recorder = _Recorder(objective, n_steps)
        theta = draw_theta(objective, mini_batches.rule, estimator.initializer, rng)
        state = initial_state(problem.network, theta, mini_batches.rule, rng)
        try:
            # Too high a rate overflows: that is what the test looks for.
            with np.errstate(**IGNORE_OVERFLOW):
                minimize_mini_batch(recorder, theta, state, mini_batches, _Onward())
        except _Finished:
            pass
        except FloatingPointError:
            # Of inputs that are not finite no rate is too high: `open_objective` says so.
            if objective.sum_over_blocks(block_not_finite) > 0.0:
                raise
        if len(recorder.costs) < 2:
            raise FloatingPointError(
                f"The cost overflows at once, with min_rate={min_rate:g}. Lower min_rate, or scale "
                "the features (StandardScaler)."
            )
    steps = np.arange(len(recorder.costs))
    return LearningRateRange(
        rates=np.array([schedule(step) for step in steps]),
        costs=np.array(recorder.costs),
        smoothed=np.array(recorder.smoothed),
    )
