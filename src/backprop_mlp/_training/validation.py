"""Validation rows: which they are, and how a network does on them."""

from functools import partial
from typing import NamedTuple

import numpy as np
from sklearn.model_selection import train_test_split

from .._objective.blocks import RowBlocks
from .scoring import score_rows


def split_rows(codes, sample_weight, multilabel, fraction, seed):
    """Numbers of the training and of the validation rows, both sorted.

    Stratified by class where every class can have a row on both sides, plain
    otherwise and for multilabel problems. Rows without weight are on neither side.

    Parameters
    ----------
    codes : {ndarray, csr_matrix} of shape (n_rows,) or (n_rows, n_labels)
    sample_weight : ndarray of shape (n_rows,)
    multilabel : bool
    fraction : float
        Of the rows with weight that are held out; rounded up.
    seed : int

    Returns
    -------
    train, validation : ndarray of int

    Raises
    ------
    ValueError
        If no row would be left to train or to validate on.
    """
    rows = np.flatnonzero(sample_weight)
    n_rows = len(rows)
    n_validation = int(np.ceil(fraction * n_rows))
    if not 0 < n_validation < n_rows:
        purpose, remedy = ("train", "Lower") if n_validation else ("validate", "Raise")
        raise ValueError(
            f"early_stopping=True with validation_fraction={fraction} leaves no row to {purpose} "
            f"on: got n_samples={n_rows} with weight. {remedy} validation_fraction or pass X_val "
            "and y_val."
        )
    stratify = None
    if not multilabel:
        counts = np.bincount(codes[rows])
        counts = counts[counts > 0]
        if counts.min() >= 2 and len(counts) <= min(n_validation, n_rows - n_validation):
            stratify = codes[rows]
    train, validation = train_test_split(
        rows, test_size=n_validation, stratify=stratify, random_state=seed
    )
    return np.sort(train), np.sort(validation)


def _block_loss_and_hits(network, targets, theta, block):
    """A block's loss, and the weight of its rows that are predicted right."""
    # What overflows is reported once, for all blocks.
    with np.errstate(over="ignore", invalid="ignore"):
        z, _ = network.forward(network.views(theta), block.X)
        value = network.loss.value(z, block.Y, block.loss_weight)
    return value, targets.hits(z, block)


class Measured(NamedTuple):
    """How a network does on the validation rows.

    Parameters
    ----------
    score : float
        Greater is better.
    loss : float
        Weighted mean, without the penalty.
    """

    score: float
    loss: float


UNMEASURED = Measured(-np.inf, np.nan)
"""What any score beats."""


class Validation:
    """Validation rows, and what a network's predictions on them are worth.

    Parameters
    ----------
    blocks : RowBlocks
    targets : Targets
    scoring : None, "loss" or callable(estimator, X, y) -> float
        None: accuracy. "loss": minus the mean loss, without the penalty.
    scorer_rows : tuple of (X, y) and dict, default=None
        What a callable is given after the estimator: rows, and the sample weights by
        name if there are any.
    """

    def __init__(self, blocks: RowBlocks, targets, scoring, scorer_rows=None):
        self.blocks = blocks
        self.targets = targets
        self.scoring = scoring
        self.scorer_rows = scorer_rows
        self.total_weight = blocks.total_weight
        if not 0.0 < self.total_weight < np.inf:
            raise ValueError(
                "the weights of the validation rows must have a finite sum above 0; "
                f"got {self.total_weight}."
            )

    def measure(self, map_blocks, make_estimator, network, theta):
        """How a plain network does.

        Parameters
        ----------
        map_blocks : callable(function, blocks) -> iterable
        make_estimator : callable(network, theta) -> estimator
            The fitted estimator of a plain network, for a scorer.
        network : Network
        theta : ndarray of shape (n_params,)

        Returns
        -------
        measured : Measured

        Raises
        ------
        FloatingPointError
            If the loss is not finite.
        TypeError
            If the scorer gives something that is no number.
        """
        theta = theta.astype(self.blocks.dtype, copy=False)
        function = partial(_block_loss_and_hits, network, self.targets, theta)
        loss, hits = (
            sum(values) / self.total_weight
            for values in zip(*map_blocks(function, self.blocks), strict=True)
        )
        if not np.isfinite(loss):
            raise FloatingPointError(
                f"The loss of the validation rows is {loss}: the numbers overflow. Scale X_val "
                "as X (StandardScaler)."
            )
        if self.scoring is None:
            return Measured(hits, loss)
        if self.scoring == "loss":
            return Measured(-loss, loss)
        (X, y), metadata = self.scorer_rows
        classes = None if self.targets.multilabel else self.targets.classes
        given = score_rows(self.scoring, make_estimator(network, theta), X, y, classes, metadata)
        try:
            return Measured(float(given), loss)
        except (TypeError, ValueError) as error:
            raise TypeError(f"scoring must give a number; got {given!r}.") from error
