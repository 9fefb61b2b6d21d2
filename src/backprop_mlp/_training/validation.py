"""Validation rows: which they are, and how a network does on them."""

from functools import partial
from typing import Any, NamedTuple

import numpy as np

from .._objective.blocks import DataSet, row_slices
from .._objective.overflow import IGNORE_OVERFLOW
from .scoring import score_rows

ROWS_AT_ONCE = 100_000
"""Rows that are drawn at once."""


def split_rows(codes, sample_weight, stratify, fraction, seed):
    """Numbers of the training and of the validation rows, both sorted.

    Stratified by class where every class can have a row on both sides, plain
    otherwise and where ``stratify`` is False. Rows with zero weight are on neither side.
    Beyond the result, the draw takes about 15 bytes per row.

    Parameters
    ----------
    codes : {ndarray, csr_matrix} of shape (n_rows,) or (n_rows, n_labels)
    sample_weight : ndarray of shape (n_rows,)
    stratify : bool
        Whether codes are the numbers of classes.
    fraction : float
        Of the rows with weight that are held out; rounded up.
    seed : int

    Returns
    -------
    train, validation : ndarray of int
        In 32 bits if they are enough for the number of rows.

    Raises
    ------
    ValueError
        If no row would be left to train or to validate on.
    """
    small = np.int32 if len(sample_weight) <= np.iinfo(np.int32).max else np.int64
    rows = np.flatnonzero(sample_weight).astype(small)
    n_rows = len(rows)
    n_validation = int(np.ceil(fraction * n_rows))
    if not 0 < n_validation < n_rows:
        purpose, remedy = ("train", "Lower") if n_validation else ("validate", "Raise")
        raise ValueError(
            f"early_stopping=True with validation_fraction={fraction} leaves no row to {purpose} "
            f"on: got n_samples={n_rows} with weight. {remedy} validation_fraction or pass X_val "
            "and y_val."
        )
    rng = np.random.default_rng(seed)
    rng.shuffle(rows)
    held_out = np.zeros(len(sample_weight), dtype=bool)
    quotas = _class_quotas(codes, rows, n_validation, rng) if stratify else None
    if quotas is None:
        held_out[rows[:n_validation]] = True
    else:
        _hold_out_quotas(held_out, codes, rows, quotas)
    rows.sort()
    chosen = held_out[rows]
    validation = rows[chosen]
    return rows[np.logical_not(chosen, out=chosen)], validation


def _class_quotas(codes, rows, n_validation, rng):
    """How many rows of each class are held out; None if a class is too small for both sides.

    Each class's share of the held-out rows is its share of all rows, rounded down; those
    that are left go to the largest remainders, and the lot decides between equal ones.
    """
    n_codes = codes.max() + 1
    counts: Any = sum(np.bincount(codes[part], minlength=n_codes) for part in _parts(rows))
    present = counts[counts > 0]
    n_rows = len(rows)
    if present.min() < 2 or len(present) > min(n_validation, n_rows - n_validation):
        return None
    quotas, remainders = np.divmod(n_validation * counts, n_rows)
    by_lot = rng.permutation(len(counts))
    largest = by_lot[np.argsort(-remainders[by_lot], kind="stable")]
    quotas[largest[: n_validation - quotas.sum()]] += 1
    return quotas


def _hold_out_quotas(held_out, codes, rows, quotas):
    """Mark the first rows of each class, in the order that is given, until its quota is full."""
    room = quotas.copy()
    for part in _parts(rows):
        part_codes = codes[part]
        by_class = np.argsort(part_codes, kind="stable")
        counts = np.bincount(part_codes, minlength=len(room))
        # A row's number among those of its class in this part.
        ranks = np.arange(len(part)) - np.repeat(np.cumsum(counts) - counts, counts)
        held_out[part[by_class[ranks < room[part_codes[by_class]]]]] = True
        room -= np.minimum(room, counts)
        if not room.any():
            break


def _parts(rows):
    """Rows in parts, so that what is computed from them takes little memory."""
    return (rows[part] for part in row_slices(len(rows), ROWS_AT_ONCE))


def _block_loss_and_tally(network, targets, theta, block):
    """A block's loss, and what it adds to the score."""
    # What overflows is reported once, for all blocks.
    with np.errstate(**IGNORE_OVERFLOW):
        z, _ = network.forward(network.views(theta), block.X)
        value = network.loss.value(z, block.Y, block.loss_weight)
        return value, targets.tally(network.loss, z, block)


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
    blocks : DataSet
    targets : Targets
    scoring : None, "loss" or callable(estimator, X, y, **metadata) -> float
        None: ``targets.score``. "loss": minus the mean loss, without the penalty.
    scorer_rows : tuple of (X, y) and dict, default=None
        What a callable is given after the estimator: rows, and the sample weights by
        name if there are any.
    totals : Moments, default=None
        As ``targets.totals`` of the rows; of numbers only, for their R2.
    """

    def __init__(self, blocks: DataSet, targets, scoring, scorer_rows=None, totals=None):
        self.blocks = blocks
        self.targets = targets
        self.scoring = scoring
        self.scorer_rows = scorer_rows
        self.totals = totals
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
            If the scorer gives something that is not a number.
        """
        theta = theta.astype(self.blocks.dtype, copy=False)
        function = partial(_block_loss_and_tally, network, self.targets, theta)
        losses, tallies = zip(*map_blocks(function, self.blocks), strict=True)
        loss = sum(losses) / self.total_weight
        if not np.isfinite(loss):
            raise FloatingPointError(
                f"The loss of the validation rows is {loss}: the numbers overflow. With adam, "
                "rmsprop or sgd lower learning_rate_init; scale the features, and X_val with "
                "the same StandardScaler."
            )
        if self.scoring is None:
            score = self.targets.score(sum(tallies), self.total_weight, self.totals)
            return Measured(score, loss)
        if self.scoring == "loss":
            return Measured(-loss, loss)
        (X, y), metadata = self.scorer_rows
        estimator, classes = make_estimator(network, theta), self.targets.exclusive_classes
        given = score_rows(self.scoring, estimator, X, y, classes, metadata)
        try:
            return Measured(float(given), loss)
        except (TypeError, ValueError) as error:
            raise TypeError(f"scoring must give a number; got {given!r}.") from error
