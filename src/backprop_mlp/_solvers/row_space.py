"""The space of the rows: where they are few and wide, a descent moves in no other.

The gradient of J with respect to the weights W of the first layer is

    Z' delta + alpha/m W,    Z = X - 1 c'

where the biases are those of centred inputs, b + W'c. Every step of a full-batch method is made
of gradients, so that each unit's weights stay in the space of Z's rows, but for what they had
outside of it at the start: of that they keep a multiple, which changes no output for these
rows. With Z = A Q', where Q has orthonormal columns, and a unit vector p outside, a unit has

    w = Q v + u p,    |w|^2 = |v|^2 + u^2

and J is that of a network with the weights (v, u), which sees the rows of A and one more input
that is always zero. It has as many inputs as there are rows, not columns: with 60 rows of 7,000
columns a descent takes a thirtieth of the time. It is the same J, with the same minima; no step
of it is an approximation. What is outside of it (theta, its gradient) is computed when it is asked
for.

The columns of A are the principal components of the rows, each row counting by its weight: a weight
of two is the row twice.
"""

from itertools import chain
from typing import Protocol

import numpy as np
import scipy.linalg
from scipy.sparse import issparse

from .._cached import cached_property
from .._network.layers import Dense
from .._network.network import Network
from .._objective.blocks import RowBlocks
from .._objective.objective import Objective
from .._objective.overflow import IGNORE_OVERFLOW
from .iteration import Known, Place

COLUMNS_PER_ROW = 4
"""Columns per row from which on it pays: with fewer, preparing takes up what it saves."""

ITERATIONS_PER_ROW_AND_UNIT = 10
"""Iterations, times units of the first layer, per row from which on it pays: preparing takes rows
times rows times columns, an evaluation rows times columns times units."""

MOST_ROWS = 1_000
"""Rows up to which it pays: the singular value decomposition takes their cube."""

FEWEST_WEIGHTS = 100_000
"""Weights of the first layer from which on it pays: fewer stay in the cache, and take no time."""

LARGEST_RATIO = 1e6
"""How many times the smallest column that is not constant the largest number may be: directions
that mix columns hold the small ones with so many digits fewer."""

LARGEST_OFFSET_ERROR = 1e-6
"""What rounding, in the precision of X, may make of the distance of a column from zero, as a share
of the column's size: inside there is none, and J is to be the same."""

LARGEST_NUMBER = 1e100
"""What products of lengths do not overflow with."""


class Passage(Protocol):
    """Where a descent moves, and the way from there to theta."""

    objective: Objective
    """Of what moves."""
    start: np.ndarray
    """Where the descent starts."""

    def place(self, theta, grad) -> Place:
        """What is outside of it, for parameters and a gradient inside."""


class WholeSpace:
    """A descent that moves in the whole space of theta.

    Parameters
    ----------
    objective : Objective
    theta : ndarray of shape (n_params,)
        Where it starts.
    """

    def __init__(self, objective: Objective, theta):
        self.objective = objective
        self.start = theta

    def place(self, theta, grad):
        """theta itself, and the largest component of its gradient."""
        return Known(theta, np.abs(grad).max())


class RowSpace:
    """The space of an objective's centred rows, made once for all descents over them.

    It keeps a dense copy of the rows in float64: with at most 25 rows per unit less than what
    L-BFGS remembers outside.

    Parameters
    ----------
    objective : Objective

    Raises
    ------
    FloatingPointError
        If rounding would lose small columns beside large ones, or numbers overflow.
    """

    def __init__(self, objective: Objective):
        blocks, network = objective.blocks, objective.network
        rows = blocks.weighted_rows
        X, weights = blocks.X[rows], blocks.sample_weight[rows]
        self.centre, Z, offset = _centred(X, objective.input_scale.means)
        self._Q, R = scipy.linalg.qr(Z.T, mode="economic", overwrite_a=True, check_finite=False)
        share = np.sqrt(weights / weights.max())[:, np.newaxis]
        axes = scipy.linalg.svd(share * R.T, overwrite_a=True, check_finite=False)[2].T
        A = R.T @ axes
        # What is smaller, for every row, is what rounding has left of nothing: repeated rows, or
        # those that lie in a plane, add no direction.
        noise = np.linalg.norm(R, axis=0) + offset
        noise *= max(Z.shape) * np.finfo(np.float64).eps
        kept = (np.abs(A) > noise[:, np.newaxis]).any(axis=0)
        self._axes, A = axes[:, kept], A[:, kept]
        first = Dense(A.shape[1] + 1, network.dense_layers[0].n_out)
        self.network = Network((first, *network.layers[1:]), network.loss)
        self.blocks = blocks.with_inputs(self.network, rows, np.pad(A, ((0, 0), (0, 1))))

    @classmethod
    def of(cls, objective: Objective, max_iter) -> "RowSpace | None":
        """That of an objective's rows; None where it does not pay, or they don't suit.

        Which it is depends on the rows and their weights, not on whether X is sparse.

        Parameters
        ----------
        objective : Objective
        max_iter : int
            Largest number of iterations of a descent.
        """
        first, n_rows = objective.network.dense_layers[0], objective.n_counted_rows
        # Partitions elsewhere would have to be brought together.
        if not (isinstance(objective.blocks, RowBlocks) and objective.is_isotropic):
            return None
        if objective.blocks.row_space is None:
            pays = (
                n_rows * COLUMNS_PER_ROW <= first.n_in
                and n_rows <= MOST_ROWS
                and n_rows * ITERATIONS_PER_ROW_AND_UNIT <= max_iter * first.n_out
                and first.n_weights >= FEWEST_WEIGHTS
            )
            if not pays:
                return None
            with np.errstate(**IGNORE_OVERFLOW):
                try:
                    objective.blocks.row_space = cls(objective)
                except FloatingPointError:
                    return None
        return objective.blocks.row_space

    def along(self, W):
        """Q'W for weights of shape (n_units, n_features), transposed as they are."""
        return W @ self._Q @ self._axes

    def outside(self, V):
        """The weights Q V, transposed as they are."""
        return (V @ self._axes.T) @ self._Q.T


def _centred(X, means):
    """c, X - 1 c', and c's largest entry; in constant columns zeros, whatever c is there."""
    X = X.toarray() if issparse(X) else X
    Z = np.subtract(X, means, dtype=np.float64)
    constant = (Z[0] == Z).all(axis=0)
    centre = np.where(constant, X[0], means).astype(np.float64)
    Z[:, constant] = 0.0
    sizes = np.maximum(Z.max(axis=0), -Z.min(axis=0))[~constant]
    offsets = np.abs(centre[~constant])
    offset = offsets.max(initial=0.0)
    largest = max(sizes.max(initial=0.0), offset)
    suits = largest <= min(LARGEST_RATIO * sizes.min(initial=np.inf), LARGEST_NUMBER)
    if not suits or (offsets * np.finfo(X.dtype).eps > LARGEST_OFFSET_ERROR * sizes).any():
        raise FloatingPointError("The columns' sizes differ too much.")
    return centre, Z, offset


class PassageThroughRowSpace:
    """A descent that moves in the space of the rows.

    Parameters
    ----------
    space : RowSpace
    objective : Objective
        Over all columns.
    theta : ndarray of shape (n_params,)
        Where it starts.
    """

    def __init__(self, space: RowSpace, objective: Objective, theta):
        self.space = space
        self.network = objective.network
        self.objective = objective.with_inputs(space.network, space.blocks)
        self.theta = theta
        self.start = space.network.blank()
        (W, b), *others = self.network.dense_rows(theta)
        (inside, b_inside), *others_inside = space.network.dense_rows(self.start)
        inside[:, :-1] = space.along(W)
        self.beyond = W - space.outside(inside[:, :-1])
        """p of each unit, in its row; zeros where all of its weights are inside."""
        lengths = inside[:, -1] = np.linalg.norm(self.beyond, axis=1)
        self.beyond /= np.where(lengths > 0.0, lengths, 1.0)[:, np.newaxis]
        b_inside[:] = b + W @ space.centre
        _copy(others, others_inside)

    def place(self, theta, grad):
        """What is outside of it, computed when it is asked for."""
        return _PlaceInRowSpace(self, theta, grad)

    def theta_outside(self, theta):
        """theta, from the parameters inside."""
        if theta is self.start:
            return self.theta
        outside = self._outside(theta)
        W, b = self.network.dense_rows(outside)[0]
        b -= W @ self.space.centre
        return outside

    def grad_outside(self, grad):
        """The gradient with respect to theta, from that with respect to the parameters inside."""
        outside = self._outside(grad)
        W, b = self.network.dense_rows(outside)[0]
        W += np.multiply.outer(b, self.space.centre)
        return outside

    def _outside(self, vector):
        """The same vector over all columns, of the biases of centred inputs."""
        outside = np.empty(self.network.n_params)
        (inside, b_inside), *others_inside = self.space.network.dense_rows(vector)
        (W, b), *others = self.network.dense_rows(outside)
        W[...] = self.space.outside(inside[:, :-1])
        W += inside[:, -1:] * self.beyond
        b[...] = b_inside
        _copy(others_inside, others)
        return outside


def _copy(layers, others):
    """Write the parameters of some layers into those of others."""
    for parts, other_parts in zip(layers, others, strict=True):
        for part, other in zip(parts, other_parts, strict=True):
            other[...] = part


class _PlaceInRowSpace:
    """A `Place` of a descent that moves in the space of the rows."""

    def __init__(self, passage: PassageThroughRowSpace, theta, grad):
        self._passage = passage
        self._theta = theta
        self._grad = grad

    @cached_property
    def theta(self):
        """The parameters."""
        return self._passage.theta_outside(self._theta)

    @cached_property
    def grad_max(self):
        """Largest absolute component of J's gradient with respect to theta."""
        return np.abs(self._passage.grad_outside(self._grad)).max()

    def is_flat(self, limit):
        """Whether ``grad_max`` is below a limit: no question where a parameter is not changed."""
        (_, b), *others = self._passage.space.network.dense_rows(self._grad)
        same = [b, *chain.from_iterable(others)]
        return max(np.abs(part).max() for part in same) < limit and self.grad_max < limit
