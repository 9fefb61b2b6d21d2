"""Coordinates made of the curvature of each dense layer, as a Kronecker product.

A dense layer y = x W + b sees inputs with covariance A; B is the mean curvature of the loss
with respect to y. By Gauss-Newton, and as if inputs and curvature were independent, the
Hessian of its weights is about A (x) B + alpha/m. With A = U diag(a) U', B = V diag(b) V' the
layer's coordinates (Phi, beta) are

    W = U (D o Phi) V'          D_ij = (a_i b_j + alpha/m + lam mean(a) mean(b))^(-1/2)
    b = V (d o beta) - c'W      d_j  = (b_j + alpha/m + lam mean(b))^(-1/2)

(o: entry by entry): about the inverse square root of the Hessian. Of inputs that are centred
and scaled (`centring`), U's rows are divided by their scales and c is moved back to the inputs
themselves, so that one map does both. lam is a damping: the curvature of a network changes a
lot on the way, and a product of two factors is a rough picture of it. c and A are the mean and
the covariance of x over the rows with the weights w_i v_i^(1/2), where v_i is the trace of the
loss's curvature in the row's outputs: rows that are fitted already have no curvature. B comes
from the outputs backwards,

    B_last   = mean of the loss's curvature in the outputs
    B_before = E[f' f''] o (W B W')          f': the slopes of the units before

Martens & Grosse, "Optimizing neural networks with Kronecker-factored approximate
curvature" (2015) take a layer's curvature for a Kronecker product; Botev, Ritter & Barber,
"Practical Gauss-Newton optimisation for deep learning" (2017) have this recursion for B.
Both precondition stochastic steps. Here the product only says in which coordinates a line
search method works, so that it may be rough, and is made some times in a whole descent.

Everything is a weighted sum over rows, so that rows may lie in blocks, on several machines,
and stand for several rows each. Where an eigenbasis would take longer than it can save, its
side of the layer is scaled only (U or V is the identity and A or B diagonal); where even
that does not pay, there is no such part at all: see `CurvaturePlan`.
"""

import math
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np
from scipy.sparse import issparse

from .._network.layers import Dense, Elementwise
from .._network.network import Network
from .._network.sparse import merge_duplicates
from .._objective.blocks import Block, add_up, row_slices
from .._objective.objective import Objective
from .._objective.row_sums import NUMBERS_AT_ONCE
from .centring import Centring
from .coordinates import pass_flops

DAMPING = 3.0
"""lam: part of a layer's mean curvature that is added to every entry."""

SMALLEST_CURVATURE = 1e-10
"""What a mean counts as at least in the damping."""

BUILT_AT = (0, 7, 17, 47, 97, 197, 397, 847)
"""Iterations at which the curvature is measured. It changes most in the beginning; never
measured again it makes descents longer than none at all. Measured more often it takes longer
than the evaluations that it saves, and at other iterations than these, tens apart, conjugate
gradient would start again more often. The 7 iterations of a table network at its next alpha, half
a decade further, end before the second time."""

BUILT_LATE = (12, 24, 45, 80, 140, 220, 350, 550, 850)
"""The same where f(0) of a hidden layer is not zero: at small starting weights the units are
all alike, and the curvature measured there leads to worse minima."""

LARGEST_BASIS = 1000
"""Units or inputs above which there is no eigenbasis, whatever the rows take."""

SHARE_OF_A_BASIS = 0.4
"""What an eigenbasis of inputs may take at most, as a share of what all of them may."""

BUILDS_PER_EVALUATION = 0.04
"""How often the curvature is measured in the first hundred evaluations."""

BUILDS_PER_EVALUATION_LATE = 0.03
"""The same where it is measured late."""

_PASSES = 20
"""How often vectors of parameters are read for T phi and T' grad."""

_EIGH = 10.0
"""Operations of an eigendecomposition, times its size cubed."""

_CURVATURE = 300.0
"""Operations per row and output for the loss's curvature, without the products of pairs."""


class Sums(NamedTuple):
    """Weighted sums over rows, of which the coordinates are made.

    Parameters
    ----------
    weight : float
        Sum of the rows' weights w_i v_i^(1/2), below: of the rows.
    curvature : ndarray of shape (n_outputs, n_outputs)
        Mean of the loss's curvature in the outputs.
    inputs : tuple of (first, second)
        Per dense layer, the sum of its inputs and of their products (or squares).
    slopes : tuple of (first, second)
        Per hidden layer, the same of the units' slopes.
    """

    weight: float
    curvature: np.ndarray
    inputs: tuple
    slopes: tuple


def block_curvature(network: Network, theta, total_weight, centre, scale, plan, block: Block):
    """The `Sums` of a block's rows, as a tuple.

    Parameters
    ----------
    network : Network
    theta : ndarray of shape (n_params,)
        In the precision in which the block is to be computed.
    total_weight : float
    centre, scale : ndarray of shape (n_features,)
        Of the inputs, which are centred and scaled before they are squared.
    plan : CurvaturePlan
    block : Block
    """
    z, caches = network.forward(network.views(theta), block.X, block.rows)
    curvature, traces = network.loss.curvature(z, block.Y, block.loss_weight)
    # The traces are of weighted rows, v_i w_i.
    weight = np.sqrt(block.sample_weight / total_weight) * np.sqrt(traces / total_weight)
    inputs, slopes = [], []
    bases = iter(plan.input_bases)
    before = None
    for layer, cache in zip(network.layers, caches, strict=True):
        if isinstance(layer, Dense):
            if before is None:
                sums = _input_sums(cache, weight, centre, scale, next(bases))
            else:
                sums = _sums(cache - before, weight, next(bases))
            inputs.append(sums)
        elif isinstance(layer, Elementwise):
            before = layer.activation.centre
            slope = np.ones_like(cache)
            layer.activation.times_slope(cache, slope)
            slopes.append(_sums(slope, weight, plan.slope_pairs))
    return weight.sum(), curvature / total_weight, tuple(inputs), tuple(slopes)


def _sums(x, weight, pairs):
    """Weighted sums of x's columns, and of their products in pairs, or squares; overwrites x."""
    first = weight.astype(x.dtype) @ x
    if pairs:
        # One product of a matrix with itself, which takes half the operations of one of two.
        x *= np.sqrt(weight)[:, np.newaxis].astype(x.dtype)
        second = x.T @ x
    else:
        x *= x
        second = weight.astype(x.dtype) @ x
    return first.astype(np.float64), second.astype(np.float64)


def _input_sums(X, weight, centre, scale, pairs):
    """As `_sums`, of (X - centre) / scale."""
    if not issparse(X):
        x = X - centre.astype(X.dtype)
        x /= scale.astype(X.dtype)
        return _sums(x, weight, pairs)
    # No sparse matrix is made dense: its sums are moved. In float64, for they cancel.
    max_rows = max(1, NUMBERS_AT_ONCE * X.shape[0] // max(X.nnz, 1))
    slices = row_slices(max(1, X.shape[0]), max_rows)
    first, second = add_up(_sparse_sums(X[rows], weight[rows], pairs) for rows in slices)
    total = weight.sum()
    if pairs:
        cross = np.outer(first, centre)
        second += total * np.outer(centre, centre) - cross - cross.T
        second /= np.outer(scale, scale)
    else:
        second += total * centre**2 - 2.0 * first * centre
        second /= scale**2
    return (first - total * centre) / scale, second


def _sparse_sums(X, weight, pairs):
    """As `_sums`, of sparse rows; in float64."""
    X = merge_duplicates(X.astype(np.float64, copy=False))
    first = X.T @ weight
    if not pairs:
        return first, X.multiply(X).T @ weight
    rooted = X.multiply(np.sqrt(weight)[:, np.newaxis]).tocsr()
    return first, (rooted.T @ rooted).toarray()


def _is_measured_late(network):
    """Whether the curvature is measured late."""
    return any(activation.centre != 0.0 for activation in network.hidden_activations)


@dataclass(frozen=True)
class CurvaturePlan:
    """Which eigenbases pay, by their floating-point operations.

    Parameters
    ----------
    input_bases : tuple of bool
        Per dense layer, whether its inputs get an eigenbasis, U; they are only scaled if not.
    output_bases : tuple of bool
        The same of its outputs, V.
    slope_pairs : bool
        Whether slopes are taken in pairs, or each unit's as independent of the others'.
    """

    input_bases: tuple
    output_bases: tuple
    slope_pairs: bool

    @classmethod
    def of(cls, network: Network, n_rows, evaluation, max_share):
        """The plan for a network and rows, or None where no such coordinates pay.

        Parameters
        ----------
        network : Network
        n_rows : float
        evaluation : float
            Operations of one evaluation of J and its gradient.
        max_share : float
            What the coordinates may take per evaluation, as a share of it.

        Returns
        -------
        plan : CurvaturePlan or None
        """
        dense = network.dense_layers
        hidden = range(1, len(dense))
        rate = BUILDS_PER_EVALUATION_LATE if _is_measured_late(network) else BUILDS_PER_EVALUATION

        def pays(size, products=1):
            extra = rate * (_EIGH * size**3 + products * n_rows * size**2)
            return size <= LARGEST_BASIS and extra <= SHARE_OF_A_BASIS * max_share * evaluation

        pairs = all(pays(dense[index].n_in, products=2) for index in hidden)
        first = pays(dense[0].n_in)
        outputs = tuple(layer.n_out <= LARGEST_BASIS for layer in dense)
        # The richest plan first, then what is left without one of its parts.
        for first_basis, slope_pairs in ((first, pairs), (first, False), (False, False)):
            plan = cls((first_basis, *(slope_pairs for _ in hidden)), outputs, slope_pairs)
            build, apply = plan._flops(network, n_rows)
            if rate * (evaluation / 3.0 + build) + apply <= max_share * evaluation:
                return plan
        return None

    def _flops(self, network, n_rows):
        """Operations of measuring the curvature after a forward pass, and of T phi and T' grad."""
        dense = network.dense_layers
        n_outputs = dense[-1].n_out
        build = n_rows * n_outputs * (_CURVATURE + 2.0 * n_outputs)
        apply = _PASSES * pass_flops(network.n_params)
        sides = zip(dense, self.input_bases, self.output_bases, strict=True)
        for index, (layer, has_U, has_V) in enumerate(sides):
            build += has_U * (_EIGH * layer.n_in**3 + n_rows * layer.n_in**2)
            build += has_V * _EIGH * layer.n_out**3
            if index > 0:
                build += 2.0 * layer.n_in * layer.n_out * (layer.n_in + layer.n_out)
                build += self.slope_pairs * n_rows * layer.n_in**2
            apply += 4.0 * layer.n_in * layer.n_out * (has_U * layer.n_in + has_V * layer.n_out)
        return build, apply


class LayerFactors(NamedTuple):
    """The coordinates of one dense layer for its inputs x; None stands for the identity.

    Parameters
    ----------
    mean : ndarray of shape (n_in,)
        c.
    U, inverse : ndarray of shape (n_in, n_in) or None
        U, and its inverse, transposed.
    V : ndarray of shape (n_out, n_out) or None
    D : ndarray of shape (n_out, n_in)
        Transposed.
    d : ndarray of shape (n_out,)
    """

    mean: np.ndarray
    U: np.ndarray | None
    inverse: np.ndarray | None
    V: np.ndarray | None
    D: np.ndarray
    d: np.ndarray

    def behind(self, centre, scale):
        """Those of x, if these are those of (x - centre) / scale."""
        mean = centre + scale * self.mean
        if self.U is None:
            return self._replace(mean=mean, D=self.D / scale)
        rows = np.expand_dims(scale, -1)
        return self._replace(mean=mean, U=self.U / rows, inverse=self.U * rows)


class Kronecker:
    """Coordinates in which each layer has a curvature of about the identity.

    They are those of centred and scaled inputs until a curvature has been measured, and
    behind them from then on: one map does both.

    Parameters
    ----------
    objective : Objective
    centring : Centring
    plan : CurvaturePlan
    """

    def __init__(self, objective: Objective, centring: Centring, plan: CurvaturePlan):
        self.objective = objective
        self.network = objective.network
        self.centring = centring
        self.plan = plan
        self._factors: list[LayerFactors] = []
        """One per dense layer, or none where only the inputs are centred and scaled."""
        self._due_at = list(BUILT_LATE if _is_measured_late(self.network) else BUILT_AT)
        """Iterations at which the curvature is still to be measured."""

    @property
    def learned(self):
        """Whether a curvature has been measured."""
        return bool(self._factors)

    def _layers(self, vectors, new):
        """(factors, (W', b), (new W', new b)) of each dense layer: a row per unit."""
        rows = self.network.dense_rows
        return zip(self._factors, rows(vectors), rows(new), strict=True)

    def to_theta(self, phi):
        """T phi, a new vector."""
        if not self._factors:
            return self.centring.to_theta(phi)
        theta = np.empty_like(phi)
        for (mean, U, _, V, D, d), (Phi, beta), (W, b) in self._layers(phi, theta):
            product, bias = D * Phi, d * beta
            if V is not None:
                bias = bias @ V.T
                product = np.matmul(V, product, out=W if U is None else None)
            if U is not None:
                np.matmul(product, U.T, out=W)
            elif V is None:
                W[...] = product
            np.subtract(bias, W @ mean, out=b)
        return theta

    def to_phi(self, theta):
        """The phi with T phi = theta, a new vector."""
        if not self._factors:
            return self.centring.to_phi(theta)
        phi = np.empty_like(theta)
        for (mean, _, inverse, V, D, d), (W, b), (Phi, beta) in self._layers(theta, phi):
            product, bias = _along(inverse, V, W, b + W @ mean)
            np.divide(product, D, out=Phi)
            np.divide(bias, d, out=beta)
        return phi

    def pull_back(self, grad):
        """T' grad, a new vector."""
        if not self._factors:
            return self.centring.pull_back(grad)
        pulled = np.empty_like(grad)
        for (mean, U, _, V, D, d), (W, b), (Phi, beta) in self._layers(grad, pulled):
            product, bias = _along(U, V, W - b[..., np.newaxis] * mean, b)
            np.multiply(product, D, out=Phi)
            np.multiply(bias, d, out=beta)
        return pulled

    def due(self, n_iter):
        """Number of iterations after which the curvature should be measured again."""
        return next((due for due in self._due_at if due > n_iter), math.inf)

    def refresh(self, point):
        """Measure the curvature, if it is time to."""
        if point.plain:
            self._factors = []
            return
        later = [due for due in self._due_at if due > point.n_iter]
        if later != self._due_at:
            self._due_at = later
            self._factors = self._measure(point.theta)

    def _measure(self, theta):
        """The factors of every layer from the curvature at theta; none if there is no curvature."""
        objective, network = self.objective, self.network
        centring = self.centring
        scale = centring.input_scales
        if scale is None:
            scale = np.ones_like(centring.input_means)
        function = partial(
            block_curvature,
            network,
            theta.astype(objective.dtype, copy=False),
            objective.total_weight,
            centring.input_means,
            scale,
            self.plan,
        )
        sums = Sums(*objective.sum_over_blocks(function))
        if not sums.weight > 0.0:
            return []
        factors = _factorise(
            sums,
            [W for W, _ in network.dense_views(theta)],
            objective.alpha / objective.total_weight,
            self.plan,
        )
        centres = dict(centring.centres)
        factors = [
            layer.behind(centres.get(number, 0.0), scale if number == 0 else 1.0)
            for number, layer in enumerate(factors)
        ]
        finite = all(
            np.isfinite(part).all() for layer in factors for part in layer if part is not None
        )
        return factors if finite else []


def _along(U, V, W, b):
    """Weights V' W U and biases V' b, along the columns; None is the identity."""
    if V is not None:
        W, b = V.T @ W, b @ V
    return (W if U is None else W @ U), b


def _eigenbasis(matrix):
    """Eigenvalues and eigenvectors of a symmetric matrix; nan where its entries have overflowed."""
    if not np.isfinite(matrix).all():
        return np.full(len(matrix), np.nan), np.full_like(matrix, np.nan)
    return np.linalg.eigh(matrix)


def _factorise(sums: Sums, weights, decay, plan: CurvaturePlan):
    """Each layer's factors, from the sums and its weights; ``decay`` is alpha/m."""
    total, B = sums.weight, sums.curvature
    factors = []
    for index in reversed(range(len(weights))):
        first, second = sums.inputs[index]
        mean = first / total
        if plan.input_bases[index]:
            a, U = _eigenbasis(second / total - np.outer(mean, mean))
        else:
            a, U = second / total - mean**2, None
        if plan.output_bases[index]:
            b, V = _eigenbasis(B)
        else:
            b, V = B.diagonal(), None
        a, b = a.clip(min=0.0), b.clip(min=0.0)
        floor = DAMPING * max(b.mean(), SMALLEST_CURVATURE)
        damping = decay + floor * max(a.mean(), SMALLEST_CURVATURE)
        D = 1.0 / np.sqrt(np.outer(b, a) + damping)
        factors.append(LayerFactors(mean, U, U, V, D, 1.0 / np.sqrt(b + decay + floor)))
        if index > 0:
            W = weights[index]
            first, second = sums.slopes[index - 1]
            pairs = second / total
            if not plan.slope_pairs:
                pairs = np.outer(first, first) / total**2
                np.fill_diagonal(pairs, second / total)
            B = pairs * (W @ B @ W.T)
    return factors[::-1]
