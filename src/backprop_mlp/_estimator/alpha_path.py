"""One network along the alphas of one fold, from weak to strong."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import clone

from .._sklearn import _check_method_params, _safe_indexing
from .._training.callbacks import Task
from .._training.interruption import fit_without_warnings
from .._training.scoring import score_rows
from .adoption import adopt_no_record

ITERATIONS_PER_DECADE = 1 / 3
"""Part of ``max_iter`` that a path is given for each factor of ten between two alphas. On
the digits half of it and twice as much found the same accuracies as fits from the
beginning."""


class Fold(NamedTuple):
    """A fold, and the callbacks' task for it.

    Parameters
    ----------
    train, test : ndarray
        Numbers of the rows.
    task : Task
        Not begun.
    """

    train: np.ndarray
    test: np.ndarray
    task: Task


class Path(NamedTuple):
    """What a fold has to say of every alpha.

    Parameters
    ----------
    scores, train_scores : list of float
        On the rows that are left out, and on those that are trained on.
    n_iter : list of int
    """

    scores: list
    train_scores: list
    n_iter: list


@dataclass(frozen=True)
class AlphaPath:
    """What all folds have in common; called with one, it trains and scores along the alphas.

    Parameters
    ----------
    estimator : BackpropMLPClassifier
        Not fitted; it is cloned.
    alphas : ndarray of shape (n_alphas,)
        Rising.
    X, y
        All rows.
    sample_weight : ndarray of shape (n_samples,) or None
    classes : ndarray of shape (n_classes,) or None
        Sorted labels of all rows, some of which a fold may lack; None for multilabel
        problems.
    scorer : callable(estimator, X, y, **metadata)
    metadata : dict
        The scorer's keywords, for all rows.
    """

    estimator: Any
    alphas: np.ndarray
    X: Any
    y: Any
    sample_weight: np.ndarray | None
    classes: np.ndarray | None
    scorer: Callable
    metadata: dict

    def __call__(self, fold: Fold) -> Path:
        """Train and score; an interruption comes as KeyboardInterrupt out of a fit."""
        X, y, sample_weight = self._rows(fold.train)
        X_out, y_out, _ = self._rows(fold.test)
        metadata = _check_method_params(self.X, self.metadata, indices=fold.train)
        metadata_out = _check_method_params(self.X, self.metadata, indices=fold.test)
        weights = {} if sample_weight is None else {"sample_weight": sample_weight}
        path = Path([], [], [])
        network = clone(self.estimator).set_params(
            warm_start=True, class_weight=self._class_weight(y)
        )
        max_iters = iterations_along(self.alphas, network.max_iter)
        with fold.task.whole(X=X, y=y, metadata=weights or None):
            for alpha, max_iter in zip(self.alphas, max_iters, strict=True):
                network.set_params(alpha=alpha, max_iter=max_iter)
                with fold.task.fit_of(network, "alpha"):
                    fit_without_warnings(network.fit, X, y, sample_weight)
                path.scores.append(self._score(network, X_out, y_out, metadata_out))
                # Some metrics are not defined on rows of one class; nothing depends on it here.
                path.train_scores.append(self._score(network, X, y, metadata, may_be_nan=True))
                path.n_iter.append(network.n_iter_)
                # Schedules and what counts iterations without progress begin again per alpha.
                adopt_no_record(network)
        return path

    def _rows(self, rows):
        sample_weight = None if self.sample_weight is None else self.sample_weight[rows]
        return _safe_indexing(self.X, rows), self.y[rows], sample_weight

    def _class_weight(self, y):
        """The keyword, without classes that the fold lacks."""
        class_weight = self.estimator.class_weight
        if self.classes is None or not isinstance(class_weight, dict):
            return class_weight
        missing = set(self.classes.tolist()) - set(np.unique(y).tolist())
        return {label: weight for label, weight in class_weight.items() if label not in missing}

    def _score(self, network, X, y, metadata, may_be_nan=False):
        """A network's score: a number, and one that can be compared if it decides."""
        given = score_rows(self.scorer, network, X, y, self.classes, metadata)
        try:
            score = float(given)
        except (TypeError, ValueError):
            score, may_be_nan = np.nan, False
        if np.isnan(score) and not may_be_nan:
            raise ValueError(
                f"scoring must give a number; got {given!r} for alpha={network.alpha:g}."
            )
        return score


def iterations_along(alphas, max_iter):
    """Largest number of iterations of each fit of a path."""
    with np.errstate(divide="ignore"):
        shares = ITERATIONS_PER_DECADE * np.diff(np.log10(alphas))
    return [max_iter, *(int(np.ceil(share * max_iter)) for share in shares.clip(max=1.0))]
