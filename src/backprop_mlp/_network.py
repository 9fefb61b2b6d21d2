"""The network: layers and a loss, as pure functions of one packed vector theta.

``theta`` holds *all weight matrices first, then everything unpenalised*, each
in the order of the layers. The penalty is therefore about
``theta[:n_weights]`` and nothing else.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from ._activations import ACTIVATIONS
from ._layers import Dense, Elementwise, Layer
from ._losses import Loss


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
    def feedforward(cls, sizes: Sequence[int], activations: Sequence[str], loss: Loss):
        """The network of ``len(sizes) - 1`` dense layers.

        Parameters
        ----------
        sizes : sequence of int
            Units a layer, from the inputs to the outputs.
        activations : sequence of str
            Names of the activation functions of the hidden layers,
            ``len(sizes) - 2`` of them.
        loss : SigmoidLoss or SoftmaxLoss
        """
        layers: list[Layer] = []
        for (n_in, n_out), name in zip(pairwise(sizes), [*activations, None], strict=True):
            layers.append(Dense(n_in, n_out))
            if name is not None:
                layers.append(Elementwise(ACTIVATIONS[name]))
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

    def dense_views(self, theta):
        """(W, b) of the dense layers alone."""
        return [params for params in self.views(theta) if params]

    def pack(self, coefs, intercepts):
        """theta, float64, from the matrices W and the biases b of the dense layers."""
        theta = np.empty(self.n_params)
        for (W, b), coef, intercept in zip(self.dense_views(theta), coefs, intercepts, strict=True):
            W[:], b[:] = coef, intercept
        return theta

    def forward(self, params, X):
        """Logits of the rows of X, and what ``backward`` needs.

        Parameters
        ----------
        params : list of tuples
            As ``views`` returns them.
        X : {ndarray, csr_matrix} of shape (n_rows, n_in)

        Returns
        -------
        z : ndarray of shape (n_rows, n_out)
        caches : list
            One entry a layer.
        """
        caches = []
        for layer, layer_params in zip(self.layers, params, strict=True):
            X, cache = layer.forward(layer_params, X)
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
