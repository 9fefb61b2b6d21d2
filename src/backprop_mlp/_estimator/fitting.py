"""From rows to a fitted estimator: validate, pose the problem, train, adopt the best."""

from contextvars import ContextVar

import numpy as np
from sklearn.utils import check_random_state

from .._sklearn import validate_params
from .._training.baseline import Baseline
from .._training.callbacks import Task
from .._training.search_fit import SearchFit, fit_for_search
from .adoption import adopt_best, adopt_outcome, earlier_training, unchanged_on_failure
from .fit_warnings import (
    warn_before,
    warn_of_a_first_chunk,
    warn_of_a_scale_that_was_unknown,
    warn_of_interruption,
)
from .ignored_keywords import warn_of_adaptive_chunks
from .pose import pose, pose_chunk
from .training import train_estimator

_REFITS: ContextVar["Refits | None"] = ContextVar("fits of one estimator", default=None)


class Refits:
    """Fits of one estimator on the same rows, between which no keyword changes their problem.

    The rows are validated and posed in the first of them alone.

    Parameters
    ----------
    estimator : BackpropMLP
    X, y, sample_weight
        As each `fit` is given them.
    """

    def __init__(self, estimator, X, y, sample_weight):
        self._estimator = estimator
        self._rows = (X, y, sample_weight)
        self._problem = None

    def fit(self, name):
        """Call the estimator's `fit`, which leaves warnings about its outcome to the caller.

        Parameters
        ----------
        name : str
            As that of `SearchFit`.
        """
        before = _REFITS.set(self)
        try:
            fit_for_search(SearchFit(name), self._estimator.fit, *self._rows)
        finally:
            _REFITS.reset(before)

    def problem(self, estimator, rows, pose_rows):
        """The problem of the rows that a fit was given, from ``pose_rows()`` if it is not known.

        Callbacks may fit others on the same rows.
        """
        own = zip((estimator, *rows), (self._estimator, *self._rows), strict=True)
        if not all(given is known for given, known in own):
            return pose_rows()
        if self._problem is None:
            self._problem = pose_rows()
        return self._problem


def _posed(estimator, rows, pose_rows):
    """The problem of rows, from ``pose_rows()`` unless an earlier one of refits has posed it."""
    refits = _REFITS.get()
    return pose_rows() if refits is None else refits.problem(estimator, rows, pose_rows)


def fit_rows(estimator, X, y, sample_weight, validation):
    """Train on all rows, from random starts or, with ``warm_start``, on from the last fit.

    Parameters
    ----------
    estimator : BackpropMLP
        Fitted in place; left as it was if anything fails.
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
    sample_weight : array-like of shape (n_samples,) or None
    validation : tuple of X_val, y_val and sample_weight_val
        Each may be None.

    Returns
    -------
    estimator : BackpropMLP
    """
    goes_on = estimator.warm_start and hasattr(estimator, "coefs_")
    earlier = earlier_training(estimator) if goes_on else None
    n_starts = estimator.n_init if earlier is None else 1
    task = Task.of_call(estimator, "fit", n_starts, estimator.max_iter)
    with unchanged_on_failure(estimator):
        rng = check_random_state(estimator.random_state)
        rows = (X, y, sample_weight)
        problem = _posed(estimator, rows, lambda: pose(estimator, *rows, validation, rng, earlier))
        warn_before(estimator, problem, earlier)
        task.begin_fit(X, y, sample_weight)
        outcomes = train_estimator(estimator, problem, earlier, rng, task, n_starts)
        adopt_best(estimator, outcomes, problem, earlier)
        task.end(lambda: vars(estimator))
    return estimator


def fit_chunk(estimator, X, y, sample_weight, classes=None):
    """Train for one epoch on rows that may be new.

    Parameters
    ----------
    estimator : BackpropMLP
        Fitted in place; left as it was if anything fails.
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
    sample_weight : array-like of shape (n_samples,) or None
    classes : array-like of shape (n_classes,), default=None
        Of a classifier.

    Returns
    -------
    estimator : BackpropMLP
    """
    earlier = earlier_training(estimator) if hasattr(estimator, "coefs_") else None
    if earlier is not None:
        # scikit-learn validates the parameters in the first call alone.
        validate_params(estimator)
    task = Task.of_call(estimator, "partial_fit", 1, 1)
    with unchanged_on_failure(estimator):
        rng = check_random_state(estimator.random_state)
        problem = pose_chunk(estimator, X, y, sample_weight, classes, earlier)
        if earlier is None:
            warn_before(estimator, problem)
            warn_of_adaptive_chunks(estimator)
            warn_of_a_first_chunk(estimator, problem)
            # Once is enough.
            problem = problem._replace(baseline=Baseline())
        else:
            warn_of_a_scale_that_was_unknown(estimator, problem, earlier)
        task.begin_fit(X, y, sample_weight)
        # One epoch is what is asked for, whatever it brings.
        (outcome,) = train_estimator(
            estimator, problem, earlier, rng, task, tol=-np.inf, max_iter=1
        )
        warn_of_interruption([outcome])
        adopt_outcome(estimator, outcome, problem, earlier)
        task.end(lambda: vars(estimator))
    return estimator
