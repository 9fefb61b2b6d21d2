"""The objective that every solver minimises, over rows that come in blocks.

With m the total row weight and w_i the rows' weights,

    J(theta) = 1/m sum_i w_i loss_i(theta)  +  alpha / (2 m) * sum of squared weights

where biases stay out of the penalty. Block sums are *not* normalised; they are
added in float64, in block order, and divided once by m. So neither the size of
the blocks nor where they were computed matters beyond rounding, and the number
of threads does not matter at all.
"""

from collections.abc import Callable, Iterable
from functools import partial
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from ._network import Network

ROWS_PER_BLOCK = 1250
"""Rows of one block at the most: large enough for fast matrix products, small
enough that a block's activations stay in a core's cache."""


class Block(NamedTuple):
    """Rows that are computed together.

    Parameters
    ----------
    X : {ndarray, csr_matrix} of shape (n_rows, n_features)
    Y : ndarray of shape (n_rows, n_outputs)
    sample_weight : ndarray of shape (n_rows,), float64
    """

    X: Any
    Y: np.ndarray
    sample_weight: np.ndarray


def row_slices(n_rows, rows_per_block=ROWS_PER_BLOCK):
    """Slices of nearly equal length that cover n_rows rows; they depend on nothing else."""
    n_blocks = max(1, -(-n_rows // rows_per_block))
    edges = [n_rows * index // n_blocks for index in range(n_blocks + 1)]
    return [slice(start, stop) for start, stop in pairwise(edges)]


class RowBlocks:
    """The rows of a data set, cut into blocks when they are needed.

    Parameters
    ----------
    X : {ndarray, csr_matrix} of shape (n_rows, n_features)
        Read block by block and never copied as a whole: a memory map will do.
    encode : callable(slice, dtype) -> ndarray of shape (rows of the slice, n_outputs)
        The targets of some rows. Labels stay labels until then.
    sample_weight : ndarray of shape (n_rows,)
    rows_per_block : int
    """

    def __init__(self, X, encode, sample_weight, rows_per_block=ROWS_PER_BLOCK):
        self.X = X
        self.encode = encode
        self.sample_weight = sample_weight
        self.slices = row_slices(X.shape[0], rows_per_block)

    def __len__(self):
        return len(self.slices)

    def __iter__(self):
        for rows in self.slices:
            yield Block(self.X[rows], self.encode(rows, self.X.dtype), self.sample_weight[rows])


def block_value_and_grad(network: Network, theta, block: Block):
    """Loss of one block's rows and its gradient, neither normalised nor penalised.

    Parameters
    ----------
    network : Network
    theta : ndarray of shape (n_params,)
        In the precision in which the block is to be computed.
    block : Block

    Returns
    -------
    value : float
    grad : ndarray of shape (n_params,), of theta's dtype
    """
    grad = np.empty_like(theta)
    params = network.views(theta)
    z, caches = network.forward(params, block.X)
    value = network.loss.value(z, block.Y, block.sample_weight)
    delta = network.loss.delta(z, block.Y, block.sample_weight.astype(theta.dtype, copy=False))
    network.backward(params, network.views(grad), caches, delta)
    return value, grad


def block_value(network: Network, theta, block: Block):
    """Loss of one block's rows, neither normalised nor penalised: a float."""
    z, _ = network.forward(network.views(theta), block.X)
    return network.loss.value(z, block.Y, block.sample_weight)


def block_weighted_inputs(weight, block: Block):
    """Sum of the block's inputs, each row times its share of the total weight."""
    return block.X.T @ (block.sample_weight / weight)


class Objective:
    """J and its gradient, as functions of theta alone.

    Parameters
    ----------
    network : Network
    blocks : iterable of Block
        Iterated once an evaluation.
    total_weight : float
        m: the sum of all row weights, greater than zero.
    alpha : float
        Strength of the penalty: the course's lambda.
    dtype : dtype
        Precision of the blocks. theta, J and the gradient are float64.
    map : callable(function, blocks) -> iterable
        Runs the blocks and yields their results in order: the builtin ``map``,
        threads, or another machine.
    """

    def __init__(
        self,
        network: Network,
        blocks: Iterable[Block],
        total_weight: float,
        alpha: float,
        dtype,
        map: Callable = map,
    ):
        self.network = network
        self.blocks = blocks
        self.total_weight = total_weight
        self.alpha = alpha
        self.dtype = dtype
        self.map = map

    def value(self, theta):
        """J at theta, a float."""
        function = partial(block_value, self.network, theta.astype(self.dtype, copy=False))
        total = sum(self.map(function, self.blocks))
        return total / self.total_weight + self.penalty(theta)

    def value_and_grad(self, theta):
        """J at theta, and its gradient.

        Parameters
        ----------
        theta : ndarray of shape (n_params,), float64

        Returns
        -------
        value : float
        grad : ndarray of shape (n_params,), float64
        """
        function = partial(block_value_and_grad, self.network, theta.astype(self.dtype, copy=False))
        total = 0.0
        grad = np.zeros(theta.shape)
        for block_total, block_grad in self.map(function, self.blocks):
            total += block_total
            grad += block_grad
        grad /= self.total_weight
        n_weights = self.network.n_weights
        grad[:n_weights] += (self.alpha / self.total_weight) * theta[:n_weights]
        return total / self.total_weight + self.penalty(theta), grad

    def penalty(self, theta):
        """The second term of J, a float."""
        weights = theta[: self.network.n_weights]
        return self.alpha / (2.0 * self.total_weight) * float(weights @ weights)

    def input_means(self):
        """Weighted mean of each input, of shape (n_features,), float64."""
        function = partial(block_weighted_inputs, self.total_weight)
        return sum(self.map(function, self.blocks))
