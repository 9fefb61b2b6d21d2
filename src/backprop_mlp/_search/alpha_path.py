"""One network along the alphas of one fold, which `alpha_search` gives, from weak to strong."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import clone

from .._estimator.adoption import adopt_no_record, fitted_twin
from .._estimator.refits import Refits
from .._sklearn import _check_method_params, _safe_indexing, validate_params
from .._targets.class_weight import keep_classes
from .._training.callbacks import CallbackTask
from .._training.scoring import score_rows
from .held_out import HeldOut, mean_loss, outputs_or_nan

ITERATIONS_PER_DECADE = 1 / 3
"""Part of ``max_iter`` that a path is given for each factor of ten between two alphas. On
the digits half of it and twice as much found the same accuracies as fits from the
beginning."""


class Fold(NamedTuple):
    """A fold, what is known of it already, and the callbacks' task for it.

    Parameters
    ----------
    number : int
        From 0.
    train, test : ndarray
        Numbers of the rows.
    seed : int or None
        ``random_state`` of its network; None leaves the estimator's.
    start : estimator or None
        Network from which the path goes on; None for new weights.
    task : CallbackTask
        Not begun.
    """

    number: int
    train: np.ndarray
    test: np.ndarray
    seed: int | None
    start: Any
    task: CallbackTask


class Step(NamedTuple):
    """What a fold has to say of an alpha.

    Parameters
    ----------
    score, train_score : float
        On the rows that are left out, and on those that are trained on; nan if none of them has
        weight, minus infinity if the network overflows in one that has.
    loss : float
        Of the rows that are left out, whatever the score is.
    n_iter : int
    outputs : ndarray
        For the rows that are left out; nan where the network overflows.
    network : estimator
        As it was trained.
    """

    score: float
    train_score: float
    loss: float
    n_iter: int
    outputs: np.ndarray
    network: Any


@dataclass(frozen=True)
class AlphaPath:
    """What all folds have in common; called with one, it trains and scores along the alphas.

    Parameters
    ----------
    estimator : BackpropMLP
        Not fitted; it is cloned.
    X, y
        All rows.
    sample_weight : ndarray of shape (n_samples,) or None
    classes : ndarray of shape (n_classes,) or None
        Sorted labels of all rows, some of which a fold may lack; None for multilabel
        problems and numbers.
    held_out : HeldOut
        What the networks say of the rows that are left out, and what that costs.
    scorer : callable(estimator, X, y, **metadata) or None
        None for minus the held-out loss.
    metadata : dict
        The scorer's keywords, for all rows.
    """

    estimator: Any
    X: Any
    y: Any
    sample_weight: np.ndarray | None
    classes: np.ndarray | None
    held_out: HeldOut
    scorer: Callable | None
    metadata: dict

    def __call__(self, fold: Fold, alphas: np.ndarray) -> list[Step]:
        """Train and score for each alpha in turn.

        An interruption comes as KeyboardInterrupt out of a fit.
        """
        X, y, sample_weight = self._rows(fold.train)
        X_out, y_out, sample_weight_out = self._rows(fold.test)
        metadata = _check_method_params(self.X, self.metadata, indices=fold.train)
        metadata_out = _check_method_params(self.X, self.metadata, indices=fold.test)
        weights = {} if sample_weight is None else {"sample_weight": sample_weight}
        steps = []
        network, max_iters = self._begin(fold, y, alphas)
        refits = Refits(network, X, y, sample_weight)
        with fold.task.whole(X=X, y=y, metadata=weights or None):
            for alpha, max_iter in zip(alphas, max_iters, strict=True):
                # Keywords of its own clone. set_params reads all of their names every time, and
                # knows none of those that the __init__ of a subclass does not take.
                network.alpha, network.max_iter = float(alpha), max_iter
                with fold.task.fit_of(network, "alpha"):
                    refits.fit(f"fold {fold.number + 1}, alpha {alpha:.4g}")
                outputs = outputs_or_nan(self.held_out, network, X_out, sample_weight_out)
                loss = mean_loss(self.held_out, y_out, outputs, sample_weight_out)
                if self.scorer is None:
                    score = -loss
                    train_outputs = outputs_or_nan(self.held_out, network, X, sample_weight)
                    train_score = -mean_loss(self.held_out, y, train_outputs, sample_weight)
                else:
                    score = self._score(network, X_out, y_out, metadata_out)
                    # Some metrics are not defined on rows of one class; nothing depends on it.
                    train_score = self._score(network, X, y, metadata, may_be_nan=True)
                kept = fitted_twin(network)
                kept.warm_start = self.estimator.warm_start
                kept.max_iter = self.estimator.max_iter
                steps.append(Step(score, train_score, loss, network.n_iter_, outputs, kept))
                # Schedules and what counts iterations without progress begin again per alpha.
                adopt_no_record(network)
        return steps

    def held_out_losses(self, tests, outputs):
        """The mean loss of each fold's rows that it leaves out, whose outputs are given."""
        return [
            mean_loss(
                self.held_out,
                self.y[test],
                of_fold,
                None if self.sample_weight is None else self.sample_weight[test],
            )
            for test, of_fold in zip(tests, outputs, strict=True)
        ]

    def _begin(self, fold, y, alphas):
        """The network, and the largest number of iterations for each alpha."""
        max_iter = self.estimator.max_iter
        if fold.start is None:
            network = clone(self.estimator)
            self._weigh_classes(network, y)
            if fold.seed is not None:
                network.random_state = fold.seed
            max_iters = iterations_along(alphas, max_iter)
        else:
            network = fitted_twin(fold.start)
            adopt_no_record(network)
            _, *max_iters = iterations_along([network.alpha, *alphas], max_iter)
        network.warm_start = True
        return network, max_iters

    def _rows(self, rows):
        sample_weight = None if self.sample_weight is None else self.sample_weight[rows]
        return _safe_indexing(self.X, rows), self.y[rows], sample_weight

    def _weigh_classes(self, network, y):
        """Leave classes that the fold lacks out of class weights that name classes."""
        if self.classes is None or isinstance(network.class_weight, str | None):
            return
        given = network.class_weight
        (weights,) = [given] if isinstance(given, dict) else given
        network.class_weight = keep_classes(weights, np.unique(y))

    def _score(self, network, X, y, metadata, may_be_nan=False):
        """A network's score: a number, and one that can be compared if it decides.

        nan for rows without weight, as `mean_loss`; metrics divide by their total weight. Minus
        infinity if the network overflows in rows with weight.
        """
        weights = metadata.get("sample_weight")
        if weights is not None and not np.any(weights):
            return np.nan
        try:
            given = score_rows(self.scorer, network, X, y, self.classes, metadata)
        except FloatingPointError:
            outputs = outputs_or_nan(self.held_out, network, X, weights)
            known = np.flatnonzero(~np.isnan(outputs.reshape(len(outputs), -1)).any(axis=1))
            if len(known) == len(outputs):
                raise  # the scorer's own
            if len(known) == 0:
                return -np.inf
            metadata = _check_method_params(X, metadata, indices=known)
            return self._score(network, _safe_indexing(X, known), y[known], metadata, may_be_nan)
        try:
            score = float(given)
        except (TypeError, ValueError):
            score = np.nan
        if np.isnan(score) and not may_be_nan:
            raise ValueError(
                f"scoring must give a number; got {given!r} for alpha={network.alpha:g}."
            )
        return score


def check_estimator_of_path(estimator):
    """An error if a keyword of the estimator is not allowed, or not along a path.

    Raises
    ------
    ValueError
        With the keyword's name.
    """
    validate_params(estimator)
    if estimator.early_stopping:
        raise ValueError(
            "early_stopping of the estimator must be False on a path of alphas; got True. "
            "GridSearchCV takes it."
        )


def iterations_along(alphas, max_iter):
    """Largest number of iterations of each fit of a path."""
    with np.errstate(divide="ignore"):
        shares = ITERATIONS_PER_DECADE * np.abs(np.diff(np.log10(alphas)))
    return [max_iter, *(int(np.ceil(share * max_iter)) for share in shares.clip(max=1.0))]
