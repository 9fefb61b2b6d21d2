"""From rows to a fitted estimator: validate, pose the problem, train, adopt the best."""

from functools import partial

import numpy as np
from sklearn.utils import check_random_state

from .._sklearn import validate_params
from .._training.baseline import Baseline
from .._training.callbacks import CallbackTask
from .adoption import adopt_best, adopt_outcome, earlier_training, unchanged_on_failure
from .fit_warnings import (
    warn_before,
    warn_of_a_first_chunk,
    warn_of_a_scale_that_was_unknown,
    warn_of_interruption,
)
from .ignored_keywords import warn_of_adaptive_chunks
from .pose import pose, pose_chunk
from .refits import pose_once
from .rows import Given
from .training import train_estimator


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
    task = CallbackTask.of_call(estimator, "fit", n_starts, estimator.max_iter)
    with unchanged_on_failure(estimator):
        rng = check_random_state(estimator.random_state)
        rows = Given(X, y, sample_weight)
        pose_rows = partial(pose, estimator, rows, Given(*validation), rng, earlier)
        problem = pose_once(estimator, rows, pose_rows)
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
    task = CallbackTask.of_call(estimator, "partial_fit", 1, 1)
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
