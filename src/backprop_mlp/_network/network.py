"""The network: layers and a loss, as pure functions of one packed vector theta.

``theta`` holds *all weight matrices first, then everything unpenalised*, each
in the order of the layers. The penalty is therefore about
``theta[:n_weights]`` and nothing else.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import cast

import numpy as np

from .activations import ACTIVATIONS
from .layers import BATCH_NORM_EPSILON, BatchNorm, Dense, Dropout, Elementwise, Layer
from .losses import LOSSES, Loss


@dataclass(frozen=True)
class Network:
    """Layers from input to logits, and the loss on the logits.

    Parameters
    ----------
    layers : tuple of layers
    loss : SigmoidLoss or SoftmaxLoss
    """

    layers: tuple[Layer, ...]
    loss: Loss

    @classmethod
    def feedforward(
        cls,
        sizes: Sequence[int],
        activations: Sequence[str],
        loss: Loss,
        *,
        batch_norm: bool = False,
        dropout: Sequence[float] = (),
    ):
        """The network of ``len(sizes) - 1`` dense layers.

        Parameters
        ----------
        sizes : sequence of int
            Units a layer, from the inputs to the outputs.
        activations : sequence of str
            Names of the activation functions of the hidden layers,
            ``len(sizes) - 2`` of them.
        loss : SigmoidLoss or SoftmaxLoss
        batch_norm : bool, default=False
            Whether batch normalisation stands before each activation function.
        dropout : sequence of float, default=()
            Probability of dropping a unit of each hidden layer; none if empty.
        """
        layers: list[Layer] = []
        rates = dropout or [0.0] * len(activations)
        for (n_in, n_out), name, rate in zip(pairwise(sizes[:-1]), activations, rates, strict=True):
            layers.append(Dense(n_in, n_out))
            if batch_norm:
                layers.append(BatchNorm(n_out))
            layers.append(Elementwise(ACTIVATIONS[name]))
            if rate > 0.0:
                layers.append(Dropout(rate))
        layers.append(Dense(*sizes[-2:]))
        return cls(tuple(layers), loss)

    @cached_property
    def n_weights(self) -> int:
        """Number of penalised parameters: the first ones of theta."""
        return sum(layer.n_weights for layer in self.layers)

    @cached_property
    def n_params(self) -> int:
        """Length of theta."""
        return self.n_weights + sum(layer.n_free for layer in self.layers)

    @cached_property
    def row_wise(self) -> bool:
        """Whether a row's outputs do not depend on the other rows of its block."""
        return not any(isinstance(layer, BatchNorm) for layer in self.layers)

    @cached_property
    def random(self) -> bool:
        """Whether a training pass draws random numbers."""
        return any(isinstance(layer, Dropout) for layer in self.layers)

    @cached_property
    def training_only(self) -> tuple[str, ...]:
        """Kinds of layers that exist in training alone."""
        kinds = {"dropout": self.random, "batch_norm": not self.row_wise}
        return tuple(kind for kind, present in kinds.items() if present)

    @cached_property
    def _stretches(self):
        stretches = []
        weight, free = 0, self.n_weights
        for layer in self.layers:
            stretches.append(
                (slice(weight, weight + layer.n_weights), slice(free, free + layer.n_free))
            )
            weight += layer.n_weights
            free += layer.n_free
        return stretches

    def views(self, theta):
        """Each layer's parameters, as views into theta.

        Parameters
        ----------
        theta : ndarray of shape (n_params,)

        Returns
        -------
        params : list of tuples of ndarray
            (W, b) for a dense layer, () for a layer without parameters.
        """
        return [
            layer.views(theta[weights], theta[free])
            for layer, (weights, free) in zip(self.layers, self._stretches, strict=True)
        ]

    def blank(self):
        """theta of zeros, float64; the scales of batch normalisations are one."""
        theta = np.zeros(self.n_params)
        for layer, params in zip(self.layers, self.views(theta), strict=True):
            if isinstance(layer, BatchNorm):
                gamma, _ = params
                gamma[:] = 1.0
        return theta

    def dense_views(self, theta):
        """(W, b) of the dense layers alone."""
        return [
            params
            for layer, params in zip(self.layers, self.views(theta), strict=True)
            if isinstance(layer, Dense)
        ]

    def pack(self, coefs, intercepts):
        """theta, float64, from the matrices W and the biases b of the dense layers."""
        theta = self.blank()
        for (W, b), coef, intercept in zip(self.dense_views(theta), coefs, intercepts, strict=True):
            W[:], b[:] = coef, intercept
        return theta

    def folded(self, theta, moments):
        """The plain network that predicts as this one does with fixed moments.

        Dropout falls away. Batch normalisation is a linear map once its moments
        are fixed, and becomes part of the dense layer before it.

        Parameters
        ----------
        theta : ndarray of shape (n_params,)
        moments : sequence of Moments
            One for each batch normalisation.

        Returns
        -------
        network : Network
            Of dense layers and activation functions alone.
        theta : ndarray of shape (network.n_params,)
        """
        layers: list[Layer] = []
        dense: list = []
        waiting = iter(moments)
        for layer, params in zip(self.layers, self.views(theta), strict=True):
            if isinstance(layer, BatchNorm):
                gamma, beta = params
                mean, var, _ = next(waiting)
                scale = gamma / np.sqrt(var + theta.dtype.type(BATCH_NORM_EPSILON))
                W, b = dense[-1]
                dense[-1] = (W * scale, (b - mean) * scale + beta)
                continue
            if isinstance(layer, Dense):
                dense.append(params)
            if not isinstance(layer, Dropout):
                layers.append(layer)
        network = Network(tuple(layers), self.loss)
        return network, network.pack(*zip(*dense, strict=True)).astype(theta.dtype)

    def moments(self, caches):
        """Moments of each batch normalisation, from the caches of a forward pass."""
        return [
            cache[-1]
            for layer, cache in zip(self.layers, caches, strict=True)
            if isinstance(layer, BatchNorm)
        ]

    def forward(self, params, X, rows=None):
        """Logits of the rows of X, and what ``backward`` needs.

        Parameters
        ----------
        params : list of tuples
            As ``views`` returns them.
        X : {ndarray, csr_matrix} of shape (n_rows, n_in)
        rows : Rows, default=None
            Needed by layers that exist in training alone.

        Returns
        -------
        z : ndarray of shape (n_rows, n_out)
        caches : list
            One entry a layer.
        """
        caches = []
        for layer, layer_params in zip(self.layers, params, strict=True):
            X, cache = layer.forward(layer_params, X, rows)
            caches.append(cache)
        return X, caches

    def backward(self, params, grads, caches, delta):
        """Write the gradient of the loss into grads, from output to input.

        Parameters
        ----------
        params, grads : list of tuples
            Views of theta and of the gradient vector.
        caches : list
            As ``forward`` returned it.
        delta : ndarray of shape (n_rows, n_out)
            The loss's derivative with respect to the logits; overwritten.
        """
        for index in reversed(range(len(self.layers))):
            layer = self.layers[index]
            layer.write_param_grad(grads[index], caches[index], delta)
            if index > 0:
                delta = layer.input_grad(params[index], caches[index], delta)

    def write_hessian_product(self, params, tparams, tgrads, X, Y, sample_weight):
        """Write the loss's Hessian times a direction into tgrads.

        The R-operator of Pearlmutter (1994): forward and backward once, each
        with its derivative along the direction beside it.

        Parameters
        ----------
        params, tparams, tgrads : list of tuples
            Views of theta, of the direction, and of the product.
        X : {ndarray, csr_matrix} of shape (n_rows, n_in)
        Y : ndarray of shape (n_rows, n_out)
        sample_weight : ndarray of shape (n_rows,) or (n_rows, n_out)
        """
        layers = cast(tuple[Dense | Elementwise, ...], self.layers)
        caches, tcaches = [], []
        z, tz = X, None
        for layer, layer_params, layer_tparams in zip(layers, params, tparams, strict=True):
            z, cache = layer.forward(layer_params, z, None)
            tz, tcache = layer.forward_tangent(layer_params, layer_tparams, cache, tz)
            caches.append(cache)
            tcaches.append(tcache)
        _, dy = self.loss.value_and_delta(z, Y, sample_weight)
        tdy = self.loss.delta_tangent(z, tz, sample_weight)
        for index in reversed(range(len(layers))):
            layer, cache, tcache = layers[index], caches[index], tcaches[index]
            layer.write_param_grad_tangent(tgrads[index], cache, tcache, dy, tdy)
            if index > 0:
                dy, tdy = layer.input_grad_tangent(
                    params[index], tparams[index], cache, tcache, dy, tdy
                )


@lru_cache(maxsize=64)
def plain_network(sizes, activations, outputs):
    """The network that a fitted classifier predicts with, built once for many calls.

    Parameters
    ----------
    sizes : tuple of int
    activations : tuple of str
    outputs : {"logistic", "softmax"}

    Returns
    -------
    network : Network
    """
    return Network.feedforward(sizes, activations, LOSSES[outputs])
