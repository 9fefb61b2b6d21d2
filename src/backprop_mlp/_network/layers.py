"""Layers: the forward step beside its derivatives.

A layer is immutable and holds no parameters. It says how many *weights* (under
the penalty) and how many *free* parameters (biases, scales and shifts: not
under it) it has, and receives views into the packed vector theta as its
``params``. ``forward`` returns its output and what the derivatives need of it,
the ``cache``; ``rows`` tells it about the rows, in training only.

The derivatives of the loss with respect to a layer's output are called ``dy``,
those with respect to its input ``dx``; ``dy`` may be overwritten. A leading
``t`` marks a tangent: the derivative along a direction in theta, of which
Hessian-vector products are made (Pearlmutter, 1994). The layers that exist in
training alone, batch normalisation and dropout, have none.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from scipy.sparse import issparse

from .activations import Activation
from .sparse import write_sparse_product

BATCH_NORM_EPSILON = 1e-5
"""Added to every variance before its root is taken."""


class Rows(NamedTuple):
    """What a training pass tells its layers about the rows.

    Parameters
    ----------
    sample_weight : ndarray of shape (n_rows,)
    rng : numpy.random.Generator
        Source of the dropout masks.
    """

    sample_weight: np.ndarray
    rng: Any


@dataclass(frozen=True)
class Dense:
    """The linear map y = x W + b, with W of shape (n_in, n_out) and b of shape (n_out,).

    Everything with a row a sample lies in memory column by column, W in theta
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
        y = np.empty((W.shape[1], x.shape[0]), x.dtype).T
        write_sparse_product(x, W, y)
        return y
    # In single precision OpenBLAS is a third slower at writing columns from rows
    # than at writing rows; that pays for turning a product with fewer columns.
    by_rows = x.dtype == np.float32 and x.shape[1] > W.shape[1] and x.flags.c_contiguous
    if by_rows:
        return np.asfortranarray(x @ W)
    return np.matmul(W.T, x.T).T


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
class Elementwise(_WithoutParams):
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

    The moments are those of the batch, weighted by the rows' weights, so that a
    row of weight zero is no row. A batch of one row gives y = beta; one of no
    weight is passed through with mean 0 and variance 1 (Ioffe & Szegedy, 2015,
    algorithm 1).
    """

    n: int

    n_weights = 0

    @property
    def n_free(self):
        return 2 * self.n

    def views(self, weights, free):
        """(gamma, beta), from this layer's stretch of theta."""
        return free[: self.n], free[self.n :]

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
        inverse_std = 1.0 / np.sqrt(var + x.dtype.type(BATCH_NORM_EPSILON))
        xhat *= inverse_std
        y = xhat * gamma
        y += beta
        return y, (xhat, inverse_std, share, Moments(mean, var, float(total)))

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


class Moments(NamedTuple):
    """Mean and variance of a batch normalisation's inputs, and the weight they rest on."""

    mean: np.ndarray
    var: np.ndarray
    weight: float


@dataclass(frozen=True)
class Dropout(_WithoutParams):
    """Inverted dropout: y = x / (1 - rate) where a mask keeps it, 0 elsewhere.

    The mask drops each entry with probability ``rate``; the expectation of y is
    x (Srivastava et al., 2014, section 10).
    """

    rate: float

    def forward(self, params, x, rows):
        n_rows, n_units = x.shape
        draws = rows.rng.random((n_units, n_rows), dtype=np.float32).T
        mask = (draws >= self.rate).astype(x.dtype)
        mask /= 1.0 - self.rate
        return x * mask, mask

    def input_grad(self, params, cache, dy):
        dy *= cache
        return dy


Layer = Dense | Elementwise | BatchNorm | Dropout
