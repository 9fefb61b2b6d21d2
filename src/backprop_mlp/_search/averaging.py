"""Several networks as one: the mean of their probabilities, or of the numbers they predict.

Logits of an average are those of the mean: of probabilities their logarithms, or the log-odds
where an output decides by itself; of numbers what the link makes of them.
"""

from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
from sklearn.utils import gen_batches
from sklearn.utils.validation import check_is_fitted

from .._estimator.fitted import Predictor, fitted_network
from .._network.losses import Loss, SigmoidLoss, SoftmaxLoss
from .._network.regression_losses import RegressionLoss
from .._objective.overflow import IGNORE_OVERFLOW
from .._targets.continuous import Numbers
from .._targets.targets import ClassTargets, fitted_targets
from .._training.scoring import spread_columns

ROWS_AT_A_TIME = 16_384
"""Rows of which the logits of all members are held at once."""


@dataclass(eq=False)
class Average(Predictor):
    """Fitted networks whose outputs are averaged; see its subclasses.

    Parameters
    ----------
    members : list of FittedNetwork
    targets : Targets
        What the average stands for.
    """

    members: list
    targets: Any

    def map_rows(self, X, function):
        results = None
        for rows in gen_batches(X.shape[0], ROWS_AT_A_TIME):
            logits = [member.map_rows(X[rows], lambda z: z) for member in self.members]
            with np.errstate(**IGNORE_OVERFLOW):
                average = self._of_members(logits)
            part = function(average)
            if len(part) == X.shape[0]:
                return part
            if results is None:
                results = np.empty((X.shape[0], *part.shape[1:]), part.dtype)
            results[rows] = part
        return results

    def _of_members(self, logits):
        """Logits of the average from the logits of each member."""
        raise NotImplementedError


class AveragedNetworks(Average):
    """Fitted networks whose probabilities are averaged.

    Each knows all classes or some of them; the targets are those of all classes.
    """

    targets: ClassTargets

    @property
    def loss(self) -> Loss:
        outputs_decide = self.targets.multilabel or len(self.targets.classes) == 2
        return SigmoidLoss() if outputs_decide else SoftmaxLoss()

    def _of_members(self, logits):
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


class AveragedNumbers(Average):
    """Fitted networks whose predictions are averaged: all of one loss, in y's units."""

    targets: Numbers

    @property
    def loss(self) -> RegressionLoss:
        return self.targets.loss

    def _of_members(self, logits):
        total = sum(self.loss.predict(z) for z in logits)
        return self.loss.link(total / len(logits))


# What a search has kept


def keeps_average(search):
    """Whether a fitted search keeps the networks of its folds, whatever ``refit`` is now."""
    return hasattr(search, "estimators_")


def can_predict(search):
    """Whether a search keeps networks to predict with, or will; an error with the reason if not.

    What was fitted decides, and ``refit`` before that.
    """
    if hasattr(search, "alpha_"):
        if keeps_average(search) or hasattr(search, "best_estimator_"):
            return True
        raise AttributeError(
            "Only a search that was fitted with refit=True or refit='folds' can predict; this one "
            "was fitted with refit=False."
        )
    if not search.refit:
        raise AttributeError(
            "Only a search with refit=True or refit='folds' can predict; got refit=False."
        )
    return True


def networks_of(search) -> Predictor:
    """The network that a fitted search found, or the average of those of its folds.

    Parameters
    ----------
    search : AlphaSearch

    Returns
    -------
    predictor : Predictor

    Raises
    ------
    NotFittedError
        If the search is not fitted.
    AttributeError
        If it keeps no network.
    """
    check_is_fitted(search)
    can_predict(search)
    if not keeps_average(search):
        return fitted_network(search.best_estimator_)
    members = [fitted_network(estimator) for estimator in search.estimators_]
    if not members[0].targets.has_classes:
        return AveragedNumbers(members, members[0].targets)
    return AveragedNetworks(members, fitted_targets(search.classes_, search._multilabel))


def _log_mean_exp(log_values):
    """Logarithm of the mean of the exponentials of several arrays, finite for finite ones."""
    top = reduce(np.maximum, log_values)  # NumPy's would copy them into one array
    total = sum(np.exp(values - top) for values in log_values)
    return top + np.log(total / len(log_values))


def _of_all_classes(log_P, known, classes):
    """Log-probabilities of all classes; those of unknown ones are the lowest number."""
    if len(known) == len(classes):
        return log_P
    numbers, lowest = np.searchsorted(classes, known), np.finfo(log_P.dtype).min
    return spread_columns(log_P, numbers, len(classes), lowest)
