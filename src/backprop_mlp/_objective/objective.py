"""The objective that every solver minimises, over rows that come in blocks.

With m the total row weight and w_i the rows' weights,

    J(theta) = 1/m sum_i w_i loss_i(theta)  +  alpha / (2 m) * sum of squared weights

where biases stay out of the penalty. Block sums are *not* normalised; they are
added in float64, in block order, and divided once by m. So neither the size of
the blocks nor where they were computed matters beyond rounding, and the number
of threads does not matter at all.
"""

import copy
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from .._cached import cached_property
from .._network.network import Network
from .blocks import Block, DataSet, add_up, block_slices, max_block_rows
from .overflow import IGNORE_OVERFLOW, is_finite, refuse_overflow
from .penalty import L2Penalty, Penalty
from .row_sums import InputMoments, InputScale, TargetSums, block_target_sums, measure_inputs

ROW_WEIGHTS = {"float32": (1e-20, 1e20), "float64": (1e-300, 1e305)}
"""Precision of X -> between what the largest weight must be: a block's gradient is summed in
the precision of its rows, and must neither vanish there nor overflow."""

MAX_REPEATS = 1000.0
"""How many rows a row with weight may stand for, in the mean. What is heavier is in other units."""


def block_pass(network: Network, theta, block: Block):
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
    moments : list of BatchMoments
        One for each batch normalisation.
    """
    grad = np.empty_like(theta)
    params = network.views(theta)
    z, caches = network.forward(params, block.X, block.rows)
    value, delta = network.loss.value_and_delta(z, block.Y, block.loss_weight)
    network.backward(params, network.views(grad), caches, delta)
    return value, grad, network.moments(caches)


def block_value_and_grad(network: Network, theta, block: Block):
    """The first two results of `block_pass`, which may be added up."""
    value, grad, _ = block_pass(network, theta, block)
    return value, grad


def block_value(network: Network, theta, block: Block):
    """Loss of one block's rows, neither normalised nor penalised: a float."""
    z, _ = network.forward(network.views(theta), block.X, block.rows)
    return network.loss.value(z, block.Y, block.loss_weight)


def block_hessian_product(network: Network, theta, direction, block: Block):
    """Hessian of one block's loss times a direction, neither normalised nor penalised."""
    product = np.empty_like(theta)
    network.write_hessian_product(
        network.views(theta),
        network.views(direction),
        network.views(product),
        block.X,
        block.Y,
        block.loss_weight,
    )
    return product


def block_not_finite(block: Block):
    """Whether some of the block's inputs are nan or infinite: 0.0 or 1.0."""
    return 0.0 if is_finite(block.X) else 1.0


class Objective:
    """J and its gradient, as functions of theta alone.

    It alone knows the scaling: losses are divided by m, and the penalty's strength
    is ``alpha / m``. What overflows is ignored while it is computed: J is then
    not finite.

    Parameters
    ----------
    network : Network
    blocks : DataSet
        Taken once per evaluation. theta, J and the gradient are float64.
    alpha : float
        Strength of the penalty: the course's lambda.
    map : callable(function, blocks) -> iterable
        Runs the blocks and yields their results in order: the builtin ``map``,
        threads, or another machine. It may yield sums of them instead.
    penalty : callable(strength) -> Penalty, default=L2Penalty

    Raises
    ------
    ValueError
        If the weights have no finite sum above 0, or all vanish or overflow in
        the precision of the rows.
    """

    def __init__(
        self,
        network: Network,
        blocks: DataSet,
        alpha: float,
        map: Callable = map,
        penalty: Callable[[float], Penalty] = L2Penalty,
    ):
        check_row_weights(blocks)
        self.network = network
        self.blocks: Any = blocks  # of a twin, what `over` is given
        self.n_rows = blocks.n_rows
        self.alpha = alpha
        self.map = map
        self.total_weight = blocks.total_weight
        self.dtype = blocks.dtype
        self._make_penalty = penalty
        self._penalty = penalty(alpha / self.total_weight)
        self._piece_slices: dict[int, list[slice]] = {}

    def of(self, network: Network):
        """The same objective for another network, such as the plain one after training."""
        twin = copy.copy(self)
        twin.network = network
        twin._piece_slices = {}
        return twin

    def over(self, blocks, map: Callable = map):
        """The same objective, m and the number of rows included, that computes other blocks.

        Parameters
        ----------
        blocks : RowBlocks, list of Block or None
            A part of the rows, from which mini-batches estimate J over all; or blocks of all
            rows, for sums alone; or None for an objective that goes to another process.
        map : callable(function, blocks) -> iterable, default=map
        """
        twin = copy.copy(self)
        twin.blocks, twin.map = blocks, map
        twin._piece_slices = {}
        return twin

    def with_inputs(self, network: Network, blocks):
        """The same J of the same rows, for a network that is given other inputs for them."""
        return Objective(network, blocks, self.alpha, penalty=self._make_penalty)

    def sum_over_blocks(self, function):
        """Sum of what a function of blocks returns.

        Parameters
        ----------
        function : callable(Block) -> {float, ndarray, tuple of these}
            For Dask it must be possible to pickle it, and its parameters are best
            given by `functools.partial`: they go to each worker once.

        Returns
        -------
        total : {float, ndarray, tuple of these}
            Arrays are added in block order, in float64.
        """
        with np.errstate(**IGNORE_OVERFLOW):
            return add_up(self.map(function, self.blocks))

    def value(self, theta):
        """J at theta, a float."""
        total = self.sum_over_blocks(partial(block_value, self.network, self._in_blocks(theta)))
        return total / self.total_weight + self.penalty(theta)

    def first_block_cost(self, theta):
        """The first block's share of J, with the whole penalty: a float."""
        with np.errstate(**IGNORE_OVERFLOW):
            value = self.blocks.first(partial(block_value, self.network, self._in_blocks(theta)))
        return value / self.total_weight + self.penalty(theta)

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
        function = partial(block_value_and_grad, self.network, self._in_blocks(theta))
        total, grad = self.sum_over_blocks(function)
        weights = self._penalised(theta)
        with np.errstate(**IGNORE_OVERFLOW):
            grad /= self.total_weight
            self._penalty.add_grad(self._penalised(grad), weights)
            return total / self.total_weight + self._penalty.value(weights), grad

    def finite_value(self, theta):
        """J at theta, a float.

        Raises
        ------
        FloatingPointError
            If it overflows.
        """
        value = self.value(theta)
        refuse_overflow("cost", value)
        return value

    def finite_value_and_grad(self, theta):
        """J at theta and its gradient, as `value_and_grad` gives them.

        Raises
        ------
        FloatingPointError
            If one of them overflows.
        """
        value, grad = self.value_and_grad(theta)
        refuse_overflow("cost", value)
        refuse_overflow("gradient of the cost", grad)
        return value, grad

    def hessian_product(self, theta, direction):
        """J's Hessian at theta times a direction.

        Parameters
        ----------
        theta, direction : ndarray of shape (n_params,), float64

        Returns
        -------
        product : ndarray of shape (n_params,), float64
        """
        function = partial(
            block_hessian_product,
            self.network,
            self._in_blocks(theta),
            self._in_blocks(direction),
        )
        product = self.sum_over_blocks(function)
        with np.errstate(**IGNORE_OVERFLOW):
            product /= self.total_weight
            parts = (self._penalised(vector) for vector in (product, theta, direction))
            self._penalty.add_hessian_product(*parts)
        return product

    def minibatch(self, theta, rows, rng):
        """Estimate of J and its gradient from some of the rows.

        The data term is scaled up to all rows and the penalty is the full one,
        so that alpha means the same for every size of the batch.

        Parameters
        ----------
        theta : ndarray of shape (n_params,)
            In the precision of the blocks.
        rows : {slice, ndarray of int}
            Numbers of the rows.
        rng : numpy.random.Generator
            Source of the dropout masks.

        Returns
        -------
        value : float
        grad : ndarray of shape (n_params,), of theta's dtype
        moments : list of BatchMoments
            One for each batch normalisation.
        """
        n_rows = rows.stop - rows.start if isinstance(rows, slice) else len(rows)
        slices = self._slices_of_batch(n_rows)
        seeds = [None] * len(slices)
        if self.network.random:
            seeds = rng.integers(2**63, size=len(slices)).tolist()

        def piece_pass(piece):
            part, seed = piece
            return block_pass(self.network, theta, self.blocks.block(_part_of(rows, part), seed))

        # Handing a single piece to a thread and waiting for it would only take time.
        run = self.map if len(slices) > 1 else map
        scale = self.n_rows / (n_rows * self.total_weight)
        weights = self._penalised(theta)
        with np.errstate(**IGNORE_OVERFLOW):
            results = iter(run(piece_pass, list(zip(slices, seeds, strict=True))))
            total, grad, moments = next(results)
            for piece_total, piece_grad, _ in results:
                total += piece_total
                grad += piece_grad
                del piece_grad
            grad *= theta.dtype.type(scale)
            self._penalty.add_grad(self._penalised(grad), weights)
            return total * scale + self._penalty.value(weights), grad, moments

    def _slices_of_batch(self, n_rows):
        """Where a mini-batch is cut into blocks; batches have one or two lengths."""
        if n_rows not in self._piece_slices:
            slices = [slice(0, n_rows)]
            if self.network.row_wise:
                max_rows = max_block_rows(self.network, self.blocks.X, n_rows)
                slices = block_slices(n_rows, max_rows)
            self._piece_slices[n_rows] = slices
        return self._piece_slices[n_rows]

    def penalty(self, theta):
        """The second term of J, a float."""
        with np.errstate(**IGNORE_OVERFLOW):
            return self._penalty.value(self._penalised(theta))

    @property
    def is_isotropic(self):
        """Whether the penalty depends on the length of each unit's weights alone."""
        return self._penalty.is_isotropic

    @property
    def n_counted_rows(self):
        """Rows by which effort pays or does not: a weight counts as so many rows.

        So weights lead to the same descents as repeated rows. But weights that no repeats
        explain, such as those that sum to one, count as one row each.
        """
        n_weighted = self.blocks.n_weighted_rows
        if n_weighted <= self.total_weight <= MAX_REPEATS * n_weighted:
            return self.total_weight
        return n_weighted

    @cached_property
    def input_scale(self) -> InputScale:
        """Weighted mean of each input, and max(1, weighted standard deviation)."""
        return self.input_moments.scale(self.dtype)

    @property
    def input_moments(self) -> InputMoments:
        """Weighted mean and standard deviation of each input, measured once for the same rows."""
        if self.blocks.input_moments is None:
            self.blocks.input_moments = measure_inputs(self.sum_over_blocks, self.total_weight)
        return self.blocks.input_moments

    @cached_property
    def constant_logits(self):
        """Logits of a network that tells no rows apart, of shape (n_outputs,), float64.

        As the network's loss makes them from the targets' totals.
        """
        with np.errstate(**IGNORE_OVERFLOW):
            sums = TargetSums(*self.sum_over_blocks(block_target_sums))
            return self.network.loss.constant_logits(sums.totals, sums.weights)

    def _in_blocks(self, theta):
        """theta in the precision of the blocks."""
        with np.errstate(**IGNORE_OVERFLOW):
            return theta.astype(self.dtype, copy=False)

    def _penalised(self, theta):
        """The penalised part of theta, or of a vector like it: a view."""
        return theta[: self.network.n_weights]


def _part_of(rows, part):
    """Part of the numbers of rows; a slice stays one, as a view of X is no copy."""
    if isinstance(rows, slice):
        return slice(rows.start + part.start, rows.start + part.stop)
    return rows[part]


def check_row_weights(blocks: DataSet):
    """Raise an error where the rows' weights can't be computed with."""
    total, largest = blocks.total_weight, blocks.largest_weight
    if largest == 0.0 or not 0.0 < total < np.inf:
        raise ValueError(
            "sample_weight, times class_weight, must have a finite sum above 0; got "
            f"{0.0 if largest == 0.0 else total}."
        )
    precision = np.dtype(blocks.dtype).name
    least, most = ROW_WEIGHTS[precision]
    if not least <= largest <= most:
        remedy = " or take X in float64" if precision == "float32" else ""
        raise ValueError(
            f"sample_weight, times class_weight, must have a largest value from {least:g} to "
            f"{most:g} where X is {precision}; got {largest:g}. Scale the weights{remedy}."
        )
