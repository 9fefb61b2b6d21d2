"""The network: layers and a loss, as pure functions of one packed vector theta.

``theta`` holds *all weight matrices first, then everything unpenalised*, each
in the order of the layers. The penalty is therefore about
``theta[:n_weights]`` and nothing else.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import cast

import numpy as np

from .._cached import cached_property
from .activations import ACTIVATIONS, Activation
from .layers import (
    BatchNorm,
    Dense,
    DifferentiableLayer,
    Dropout,
    Elementwise,
    Layer,
    MeasuringLayer,
)
from .losses import TrainingLoss


@dataclass(frozen=True)
class Network:
    """Layers from input to logits, and the loss on the logits.

    Parameters
    ----------
    layers : tuple of Layer
    loss : TrainingLoss
    """

    layers: tuple[Layer, ...]
    loss: TrainingLoss

    @classmethod
    def feedforward(
        cls,
        sizes: Sequence[int],
        activations: Sequence[str],
        loss: TrainingLoss,
        *,
        batch_norm: bool = False,
        dropout: Sequence[float] = (),
    ):
        """The network of ``len(sizes) - 1`` dense layers.

        Parameters
        ----------
        sizes : sequence of int
            Units per layer, from the inputs to the outputs.
        activations : sequence of str
            Names of the activation functions of the hidden layers,
            ``len(sizes) - 2`` of them.
        loss : TrainingLoss
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
    def dense_layers(self) -> tuple[Dense, ...]:
        """The layers with weights, from the first hidden one to the outputs."""
        return tuple(layer for layer in self.layers if isinstance(layer, Dense))

    @cached_property
    def hidden_activations(self) -> tuple[Activation, ...]:
        """The activation function of each hidden layer."""
        return tuple(layer.activation for layer in self.layers if isinstance(layer, Elementwise))

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
        return all(layer.row_wise for layer in self.layers)

    @cached_property
    def random(self) -> bool:
        """Whether a training pass draws random numbers."""
        return any(layer.random for layer in self.layers)

    @cached_property
    def training_only(self) -> tuple[str, ...]:
        """Keywords of the layers that exist in training alone, sorted, each once."""
        keywords = {layer.training_only for layer in self.layers}
        return tuple(sorted(keyword for keyword in keywords if keyword is not None))

    @cached_property
    def plain(self) -> "Network":
        """The network that predicts: without the layers that exist in training alone."""
        layers = tuple(layer for layer in self.layers if layer.training_only is None)
        return self if layers == self.layers else Network(layers, self.loss)

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

    @cached_property
    def _dense_stretches(self):
        return [
            ((layer.n_out, layer.n_in), *stretches)
            for layer, stretches in zip(self.layers, self._stretches, strict=True)
            if isinstance(layer, Dense)
        ]

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
        """theta before initialisation: zeros, float64; scales of batch normalisations are one."""
        theta = np.zeros(self.n_params)
        for layer, params in zip(self.layers, self.views(theta), strict=True):
            layer.write_blank(params)
        return theta

    def dense_views(self, theta):
        """(W, b) of the layers with weights: the dense ones."""
        return [(W.T, b) for W, b in self.dense_rows(theta)]

    def dense_rows(self, vectors):
        """(W', b) of the dense layers, one row per unit, as views into one theta or many.

        Parameters
        ----------
        vectors : ndarray of shape (..., n_params)

        Returns
        -------
        params : list of tuples of ndarray
            Of shapes (..., n_out, n_in) and (..., n_out).
        """
        leading = vectors.shape[:-1]
        return [
            (vectors[..., weights].reshape(*leading, *shape), vectors[..., free])
            for shape, weights, free in self._dense_stretches
        ]

    def pack(self, coefs, intercepts):
        """theta, float64, from the matrices W and the biases b of the dense layers."""
        theta = self.blank()
        for (W, b), coef, intercept in zip(self.dense_views(theta), coefs, intercepts, strict=True):
            W[:], b[:] = coef, intercept
        return theta

    def folded(self, theta, moments):
        """The plain network that predicts as this one does with fixed moments.

        Each layer says how it folds: dropout falls away, batch normalisation
        becomes part of the dense layer before it.

        Parameters
        ----------
        theta : ndarray of shape (n_params,)
        moments : sequence of BatchMoments
            One for each layer that measures moments.

        Returns
        -------
        network : Network
            Of layers that exist in prediction.
        theta : ndarray of shape (network.n_params,)
        """
        plain: list = []
        waiting = iter(moments)
        for layer, params in zip(self.layers, self.views(theta), strict=True):
            layer.fold(params, next(waiting) if layer.has_moments else None, plain)
        network = Network(tuple(layer for layer, _ in plain), self.loss)
        folded = np.empty(network.n_params, theta.dtype)
        for views, (_, params) in zip(network.views(folded), plain, strict=True):
            for view, values in zip(views, params, strict=True):
                view[:] = values
        return network, folded

    def moments(self, caches):
        """What each layer that measures moments did so in a forward pass, from its caches."""
        return [
            cast(MeasuringLayer, layer).moments(cache)
            for layer, cache in zip(self.layers, caches, strict=True)
            if layer.has_moments
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
            One entry per layer.
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

    def write_hessian_product(self, params, tparams, tgrads, X, Y, loss_weight):
        """Write the loss's Hessian times a direction into tgrads.

        The R-operator of Pearlmutter (1994): forward and backward once, each
        with its derivative along the direction.

        Parameters
        ----------
        params, tparams, tgrads : list of tuples
            Views of theta, of the direction, and of the product.
        X : {ndarray, csr_matrix} of shape (n_rows, n_in)
        Y : ndarray of shape (n_rows, n_out)
        loss_weight : ndarray of shape (n_rows,) or (n_rows, n_out)
        """
        # Layers that exist in training alone are refused where solvers need this.
        layers = cast(tuple[DifferentiableLayer, ...], self.layers)
        caches, tcaches = [], []
        z, tz = X, None
        for layer, layer_params, layer_tparams in zip(layers, params, tparams, strict=True):
            z, cache = layer.forward(layer_params, z, None)
            tz, tcache = layer.forward_tangent(layer_params, layer_tparams, cache, tz)
            caches.append(cache)
            tcaches.append(tcache)
        _, dy = self.loss.value_and_delta(z, Y, loss_weight)
        tdy = self.loss.delta_tangent(z, tz, Y, loss_weight)
        for index in reversed(range(len(layers))):
            layer, cache, tcache = layers[index], caches[index], tcaches[index]
            layer.write_param_grad_tangent(tgrads[index], cache, tcache, dy, tdy)
            if index > 0:
                dy, tdy = layer.input_grad_tangent(
                    params[index], tparams[index], cache, tcache, dy, tdy
                )


@lru_cache(maxsize=64)
def plain_network(
    sizes: tuple[int, ...], activations: tuple[str, ...], loss: TrainingLoss
) -> Network:
    """The network that a fitted estimator predicts with, built once for many calls.

    Parameters
    ----------
    sizes : tuple of int
    activations : tuple of str
    loss : TrainingLoss

    Returns
    -------
    network : Network
    """
    return Network.feedforward(sizes, activations, loss)
