"""Layers: the forward step beside its derivatives.

A layer is immutable and holds no parameters. It says how many *weights* (under
the penalty) and how many *free* parameters (biases: not under it) it has, and
receives views into the packed vector theta as its ``params``. ``forward``
returns its output and what the derivatives need of it, the ``cache``.

The derivatives of the loss with respect to a layer's output are called ``dy``,
those with respect to its input ``dx``; ``dy`` may be overwritten.
"""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import issparse

from ._activations import Activation


@dataclass(frozen=True)
class Dense:
    """The linear map y = x W + b, with W of shape (n_in, n_out) and b of shape (n_out,)."""

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
        return weights.reshape(self.n_in, self.n_out), free

    def forward(self, params, x):
        W, b = params
        y = x @ W
        y += b
        return y, x

    def write_param_grad(self, grads, cache, dy):
        W_grad, b_grad = grads
        if issparse(cache):
            W_grad[:] = cache.T @ dy
        else:
            np.matmul(cache.T, dy, out=W_grad)
        np.sum(dy, axis=0, out=b_grad)

    def input_grad(self, params, cache, dy):
        W, _ = params
        return dy @ W.T


@dataclass(frozen=True)
class Elementwise:
    """An activation function, applied in place of its input."""

    activation: Activation

    n_weights = 0
    n_free = 0

    def views(self, weights, free):
        return ()

    def forward(self, params, x):
        self.activation.apply(x)
        return x, x

    def write_param_grad(self, grads, cache, dy):
        """Nothing to write: no parameters."""

    def input_grad(self, params, cache, dy):
        self.activation.times_slope(cache, dy)
        return dy


Layer = Dense | Elementwise
