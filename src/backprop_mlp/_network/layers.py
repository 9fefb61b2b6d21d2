"""Layers: the forward step, followed by its derivatives.

A layer is immutable and holds no parameters. It says how many *weights* (under
the penalty) and how many *free* parameters (biases, scales and shifts: not
under it) it has, and receives views into the packed vector theta as its
``params``. The contract is `Layer`; a layer that full-batch solvers can train
keeps `DifferentiableLayer`, too, and one that measures moments `MeasuringLayer`.

The derivatives of the loss with respect to a layer's output are called ``dy``,
those with respect to its input ``dx``. A leading ``t`` marks a tangent: the
derivative along a direction in theta, of which Hessian-vector products are made
(Pearlmutter, 1994).
"""

from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
from scipy.sparse import issparse

from .activations import Activation
from .sparse import write_sparse_product

BATCH_NORM_EPSILON = 1e-5
"""Added to every variance before its root is taken."""


class Rows(NamedTuple):
    """What a training pass says about the rows to its layers.

    Parameters
    ----------
    sample_weight : ndarray of shape (n_rows,)
    rng : numpy.random.Generator or None
        Source of the dropout masks; None where nothing is random.
    """

    sample_weight: np.ndarray
    rng: Any


class BatchMoments(NamedTuple):
    """Mean and variance of a batch normalisation's inputs, and the weight they rest on."""

    mean: np.ndarray
    var: np.ndarray
    weight: float


class Layer(Protocol):
    """A step from x of shape (n_rows, n_in) to y of shape (n_rows, n_out).

    A layer is an immutable, hashable value (a frozen dataclass). Its arrays per
    row lie in memory column by column and have theta's precision; so has
    everything it returns. ``params`` and ``grads`` are what ``views`` returns
    for theta and for a vector of the same length.
    """

    @property
    def n_weights(self) -> int:
        """Number of parameters under the penalty."""

    @property
    def n_free(self) -> int:
        """Number of parameters that are not."""

    @property
    def training_only(self) -> str | None:
        """The keyword that adds the layer, if it exists in training alone, else None.

        Such a layer needs ``rows`` in ``forward``, and folds away.
        """

    @property
    def row_wise(self) -> bool:
        """Whether a row of y depends on the same row of x alone."""

    @property
    def random(self) -> bool:
        """Whether ``forward`` draws from ``rows.rng``."""

    @property
    def has_moments(self) -> bool:
        """Whether ``forward`` measures moments of x, which folding needs: a `MeasuringLayer`."""

    def views(self, weights, free):
        """The parameters as a tuple of views into theta's stretches for this layer.

        Parameters
        ----------
        weights : ndarray of shape (n_weights,)
        free : ndarray of shape (n_free,)
        """

    def write_blank(self, params):
        """Write the parameters of a layer before initialisation; given are zeros."""

    def forward(self, params, x, rows):
        """(y, cache): the output, and what the derivatives need.

        Parameters
        ----------
        params : tuple of ndarray
        x : {ndarray, csr_matrix} of shape (n_rows, n_in)
            Only the first layer's may be sparse. It may be overwritten, unless the
            layer may be the first.
        rows : Rows or None
            None outside of training.
        """

    def write_param_grad(self, grads, cache, dy):
        """Overwrite grads with the derivatives of the loss, from dy, which is left alone."""

    def input_grad(self, params, cache, dy):
        """dx, of the shape of x; dy may be overwritten."""

    def fold(self, params, moments, folded):
        """Become part of the plain network that predicts as this layer does.

        Parameters
        ----------
        params : tuple of ndarray
        moments : BatchMoments or None
            The fixed ones; None unless ``has_moments``.
        folded : list of (Layer, params)
            The plain layers so far, to which this one adds itself or its effect;
            arrays in it are replaced, not overwritten.
        """


class DifferentiableLayer(Layer, Protocol):
    """A layer that is there in prediction, with the derivatives of its derivatives.

    ``tparams`` are views of the direction, ``tgrads`` of the product of the
    Hessian and the direction.
    """

    def forward_tangent(self, params, tparams, cache, tx):
        """(ty, tcache) along the direction; tx is None for the inputs, and may be overwritten."""

    def write_param_grad_tangent(self, tgrads, cache, tcache, dy, tdy):
        """Overwrite tgrads with the tangent of ``write_param_grad``."""

    def input_grad_tangent(self, params, tparams, cache, tcache, dy, tdy):
        """(dx, tdx); dy and tdy may be overwritten."""


class MeasuringLayer(Layer, Protocol):
    """A layer with ``has_moments``."""

    def moments(self, cache) -> BatchMoments:
        """What ``forward`` measured."""


class _Plain:
    """What the layers of a network that predicts declare."""

    training_only: str | None = None
    row_wise = True
    random = False
    has_moments = False

    def write_blank(self, params):
        """Zeros are right."""

    def fold(self, params, moments, folded):
        """Stay."""
        folded.append((self, params))


class _WithoutParams:
    """What every layer without parameters has in common."""

    n_weights = 0
    n_free = 0

    def views(self, weights, free):
        return ()

    def write_param_grad(self, grads, cache, dy):
        """Nothing to write."""

    def write_param_grad_tangent(self, tgrads, cache, tcache, dy, tdy):
        """Nothing to write."""


@dataclass(frozen=True)
class Dense(_Plain):
    """The linear map y = x W + b, with W of shape (n_in, n_out) and b of shape (n_out,).

    Everything with a row per sample lies in memory column by column, W in theta
    unit by unit: so the sums, maxima and biases of a few units run over long
    stretches, and the products are the ones that BLAS does best.
    """

    n_in: int
    n_out: int

    @property
    def n_weights(self):
        return self.n_in * self.n_out

    @property
    def n_free(self):
        return self.n_out

    def views(self, weights, free):
        """(W, b), from this layer's stretches of theta."""
        return weights.reshape(self.n_out, self.n_in).T, free

    def forward(self, params, x, rows):
        W, b = params
        y = _product(x, W)
        y += b
        return y, x

    def write_param_grad(self, grads, cache, dy):
        W_grad, b_grad = grads
        if issparse(cache):
            write_sparse_product(cache.T, dy, W_grad)
        else:
            np.matmul(dy.T, cache, out=W_grad.T)
        # The sums of the columns, three times as fast as np.sum.
        np.matmul(np.ones(len(dy), dy.dtype), dy, out=b_grad)

    def input_grad(self, params, cache, dy):
        W, _ = params
        return _product(dy, W.T)

    def forward_tangent(self, params, tparams, cache, tx):
        W, _ = params
        tW, tb = tparams
        ty = _product(cache, tW)
        ty += tb
        if tx is not None:
            ty += _product(tx, W)
        return ty, tx

    def write_param_grad_tangent(self, tgrads, cache, tcache, dy, tdy):
        self.write_param_grad(tgrads, cache, tdy)
        if tcache is not None:
            tW_grad, _ = tgrads
            tW_grad += tcache.T @ dy

    def input_grad_tangent(self, params, tparams, cache, tcache, dy, tdy):
        W, _ = params
        tW, _ = tparams
        tdx = _product(tdy, W.T)
        tdx += _product(dy, tW.T)
        return _product(dy, W.T), tdx


def _product(x, W):
    """x W, column by column in memory."""
    if issparse(x):
        y = np.empty((W.shape[1], x.shape[0]), np.result_type(x.dtype, W.dtype)).T
        write_sparse_product(x, W, y)
        return y
    if len(W) == 1:
        # NumPy multiplies by a single row without BLAS, and takes two to five times as long.
        return np.multiply(W.T, x.T).T
    # In single precision OpenBLAS is a third slower at writing columns from rows
    # than at writing rows; that pays for turning a product with fewer columns.
    by_rows = x.dtype == np.float32 and x.shape[1] > W.shape[1] and x.flags.c_contiguous
    if by_rows:
        return np.asfortranarray(x @ W)
    return np.matmul(W.T, x.T).T


@dataclass(frozen=True)
class Elementwise(_WithoutParams, _Plain):
    """An activation function, applied in place of its input."""

    activation: Activation

    def forward(self, params, x, rows):
        self.activation.apply(x)
        return x, x

    def input_grad(self, params, cache, dy):
        self.activation.times_slope(cache, dy)
        return dy

    def forward_tangent(self, params, tparams, cache, tx):
        tcache = tx.copy()
        self.activation.times_slope(cache, tx)
        return tx, tcache

    def input_grad_tangent(self, params, tparams, cache, tcache, dy, tdy):
        self.activation.times_slope(cache, tdy)
        curvature = self.activation.curvature(cache)
        if curvature is not None:
            curvature *= tcache
            curvature *= dy
            tdy += curvature
        self.activation.times_slope(cache, dy)
        return dy, tdy


@dataclass(frozen=True)
class BatchNorm:
    """Batch normalisation y = gamma * (x - mean) / sqrt(var + epsilon) + beta.

    The moments are those of the batch, weighted by the rows' weights, so that
    rows with zero weight are ignored. A batch of one row gives y = beta; one
    without weight is passed through with mean 0 and variance 1 (Ioffe &
    Szegedy, 2015, algorithm 1).
    """

    n: int

    n_weights = 0
    training_only = "batch_norm"
    row_wise = False
    random = False
    has_moments = True

    @property
    def n_free(self):
        return 2 * self.n

    def views(self, weights, free):
        """(gamma, beta), from this layer's stretch of theta."""
        return free[: self.n], free[self.n :]

    def write_blank(self, params):
        """Scales of one."""
        gamma, _ = params
        gamma[:] = 1.0

    def forward(self, params, x, rows):
        gamma, beta = params
        total = rows.sample_weight.sum()
        if total > 0.0:
            share = (rows.sample_weight / total).astype(x.dtype)
            mean = share @ x
            xhat = x - mean
            var = share @ (xhat * xhat)
        else:
            share = np.zeros(len(x), x.dtype)
            mean, var = np.zeros(self.n, x.dtype), np.ones(self.n, x.dtype)
            xhat = x.copy()
        inverse_std = 1.0 / np.sqrt(var + BATCH_NORM_EPSILON)
        xhat *= inverse_std
        y = xhat * gamma
        y += beta
        return y, (xhat, inverse_std, share, BatchMoments(mean, var, float(total)))

    def write_param_grad(self, grads, cache, dy):
        gamma_grad, beta_grad = grads
        np.einsum("ij,ij->j", dy, cache[0], out=gamma_grad)
        np.sum(dy, axis=0, out=beta_grad)

    def input_grad(self, params, cache, dy):
        gamma, _ = params
        xhat, inverse_std, share, _ = cache
        dy *= gamma
        dx = dy - share[:, np.newaxis] * (dy.sum(axis=0) + xhat * np.einsum("ij,ij->j", dy, xhat))
        dx *= inverse_std
        return dx

    def moments(self, cache) -> BatchMoments:
        return cache[-1]

    def fold(self, params, moments, folded):
        """With fixed moments a linear map: become part of the dense layer before."""
        gamma, beta = params
        dense, (W, b) = folded.pop()
        scale = gamma / np.sqrt(moments.var + BATCH_NORM_EPSILON)
        folded.append((dense, (W * scale, (b - moments.mean) * scale + beta)))


@dataclass(frozen=True)
class Dropout(_WithoutParams):
    """Inverted dropout: y = x / (1 - rate) where a mask keeps it, 0 elsewhere.

    The mask drops each entry with probability ``rate``; the expectation of y is
    x (Srivastava et al., 2014, section 10).
    """

    rate: float

    training_only = "dropout"
    row_wise = True
    random = True
    has_moments = False

    def write_blank(self, params):
        """No parameters."""

    def forward(self, params, x, rows):
        n_rows, n_units = x.shape
        draws = rows.rng.random((n_units, n_rows), dtype=np.float32).T
        mask = (draws >= self.rate).astype(x.dtype)
        mask /= 1.0 - self.rate
        return x * mask, mask

    def input_grad(self, params, cache, dy):
        dy *= cache
        return dy

    def fold(self, params, moments, folded):
        """Fall away."""
