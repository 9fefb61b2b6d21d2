"""Several networks as one: the mean of their probabilities, or of the numbers they predict.

The average of classifiers has the inner interface of a `FittedNetwork`: its logits are the
logarithms of the mean probabilities, or the log-odds where an output decides by itself, so that
all that is done with logits holds for them.
"""

from typing import NamedTuple

import numpy as np
from sklearn.base import is_regressor
from sklearn.utils import gen_batches
from sklearn.utils.validation import check_is_fitted

from .._network.losses import Loss, SigmoidLoss, SoftmaxLoss
from .._objective.overflow import IGNORE_OVERFLOW
from .._targets.targets import ClassTargets, fitted_targets
from .fitted import fitted_network

ROWS_AT_A_TIME = 16_384
"""Rows of which the logits of all members are held at once."""


class AveragedNetworks(NamedTuple):
    """Fitted networks whose probabilities are averaged.

    Parameters
    ----------
    members : list of FittedNetwork
        Each knows all classes or some of them.
    targets : ClassTargets
        Those of all classes.
    loss : Loss
        By which logits of the average become probabilities again.
    """

    members: list
    targets: ClassTargets
    loss: Loss

    def logits(self, X):
        """Logits of the mean probabilities, of shape (n_rows, n_outputs)."""
        return self.map_rows(X, lambda z: z)

    def map_rows(self, X, function):
        """``function(z)`` of the logits z of X's rows, some thousands at a time."""
        parts = [
            function(self._of_members([m.map_rows(X[rows], lambda z: z) for m in self.members]))
            for rows in gen_batches(X.shape[0], ROWS_AT_A_TIME)
        ]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def _of_members(self, logits):
        """Logits of the mean probabilities from the logits of each member."""
        if self.targets.multilabel:
            present = _log_mean_exp([self.loss.log_proba(z) for z in logits])
            absent = _log_mean_exp([self.loss.log_proba(-z) for z in logits])
            return present - absent
        log_P = _log_mean_exp(
            [
                _of_all_classes(member.log_proba(z), member.targets.classes, self.targets.classes)
                for member, z in zip(self.members, logits, strict=True)
            ]
        )
        return np.diff(log_P, axis=1) if len(self.targets.classes) == 2 else log_P

    def predict(self, z):
        """Labels for logits z."""
        return self.targets.predict(self.loss, z)

    def proba(self, z):
        """Probabilities of the classes for logits z."""
        return self.targets.proba(self.loss, z)

    def log_proba(self, z):
        """Logarithms of the probabilities for logits z, always finite."""
        return self.targets.log_proba(self.loss, z)


def averaged_networks(estimators, classes, multilabel):
    """The average of fitted classifiers.

    Parameters
    ----------
    estimators : list of BackpropMLPClassifier
    classes : ndarray of shape (n_classes,)
        All classes, sorted.
    multilabel : bool

    Returns
    -------
    averaged : AveragedNetworks
    """
    outputs_decide = multilabel or len(classes) == 2
    return AveragedNetworks(
        [fitted_network(estimator) for estimator in estimators],
        fitted_targets(classes, multilabel),
        SigmoidLoss() if outputs_decide else SoftmaxLoss(),
    )


class AveragedNumbers(NamedTuple):
    """Fitted networks whose predictions are averaged.

    Parameters
    ----------
    members : list of FittedNetwork
    """

    members: list

    @property
    def targets(self):
        """What the outputs stand for: the first member's."""
        return self.members[0].targets

    def predict(self, X):
        """The mean of the members' predictions of X's rows."""
        predictions = (member.map_rows(X, member.predict) for member in self.members)
        total = next(predictions).copy()
        for prediction in predictions:
            total += prediction
        total /= len(self.members)
        return total


def networks_of(search):
    """The network that a fitted search found, or the average of those of its folds."""
    check_is_fitted(search)
    if hasattr(search, "estimators_"):
        if is_regressor(search):
            return AveragedNumbers([fitted_network(network) for network in search.estimators_])
        return averaged_networks(search.estimators_, search.classes_, search._multilabel)
    return fitted_network(search.best_estimator_)


def _log_mean_exp(log_values):
    """Logarithm of the mean of the exponentials of several arrays, finite for finite ones."""
    top = np.maximum.reduce(log_values)
    with np.errstate(**IGNORE_OVERFLOW):
        total = sum(np.exp(values - top) for values in log_values)
    return top + np.log(total / top.dtype.type(len(log_values)))


def _of_all_classes(log_P, known, classes):
    """Log-probabilities of all classes; those of unknown ones are the lowest number."""
    if len(known) == len(classes):
        return log_P
    spread = np.full((len(log_P), len(classes)), np.finfo(log_P.dtype).min, log_P.dtype)
    spread[:, np.searchsorted(classes, known)] = log_P
    return spread
