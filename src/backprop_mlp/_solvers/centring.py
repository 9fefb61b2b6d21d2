"""Coordinates in which the inputs of every layer are centred, and the first layer's scaled.

A dense layer that sees inputs x around a centre c, spread by s, computes

    x W + b = ((x - c) / s) V + beta      with  W = V / s  and  b = beta - c W

and the pair (V, beta) = phi is far better conditioned than (W, b) = theta: a step in V no
longer shifts every unit's mean input, and no column outweighs the others by its unit alone.
The cost and its minima are those of theta; X itself is never touched.

The centres are the weighted means of the inputs for the first layer and f(0) of the
activation before it for every other. The scales are the first layer's: max(1, weighted
standard deviation), so that small pixels stay as they are; of a constant column max(1, size).

LeCun, Bottou, Orr & Mueller, "Efficient BackProp" (1998), section 4.3, centre and scale
the inputs for the same reason.
"""

import math

import numpy as np

from .._network.layers import Dense, Elementwise
from .._network.network import Network
from .._objective.objective import Objective


class Centring:
    """Coordinates of a network whose inputs are centred and scaled.

    Parameters
    ----------
    network : Network
    input_means : ndarray of shape (n_features,)
        Centre of the first layer's inputs.
    input_scales : ndarray of shape (n_features,), default=None
        What the first layer's inputs are divided by, above zero; None means 1.
    """

    learned = False

    def __init__(self, network: Network, input_means, input_scales=None):
        self.network = network
        self.input_means = input_means
        self.input_scales = input_scales
        self.centres: list[tuple[int, np.ndarray]] = []
        """Number of each dense layer whose centre is not zero everywhere, and the centre."""
        centre, number = input_means, 0
        for layer in network.layers:
            if isinstance(layer, Dense):
                if np.any(centre):
                    self.centres.append((number, np.broadcast_to(centre, layer.n_in)))
                number += 1
            elif isinstance(layer, Elementwise):
                centre = layer.activation.centre

    @classmethod
    def of(cls, objective: Objective):
        """The coordinates that suit the rows of an objective."""
        means, scales = objective.input_scale
        return cls(objective.network, means, scales if np.any(scales != 1.0) else None)

    def to_theta(self, phi):
        """T phi, a new vector: also maps a start for centred, scaled inputs to one for X."""
        theta = phi.copy()
        layers = self.network.dense_rows(theta)
        if self.input_scales is not None:
            W, _ = layers[0]
            W /= self.input_scales
        for number, centre in self.centres:
            W, b = layers[number]
            b -= W @ centre
        return theta

    def to_phi(self, theta):
        """The phi with T phi = theta, a new vector."""
        phi = theta.copy()
        layers = self.network.dense_rows(phi)
        for number, centre in self.centres:
            W, b = layers[number]
            b += W @ centre
        if self.input_scales is not None:
            V, _ = layers[0]
            V *= self.input_scales
        return phi

    def pull_back(self, grad):
        """T' grad, a new vector."""
        grad = grad.copy()
        layers = self.network.dense_rows(grad)
        for number, centre in self.centres:
            W_grad, b_grad = layers[number]
            W_grad -= np.multiply.outer(b_grad, centre)
        if self.input_scales is not None:
            V_grad, _ = layers[0]
            V_grad /= self.input_scales
        return grad

    def refresh(self, point):
        """Nothing to do: the inputs stay what they are."""

    def due(self, n_iter):
        """Never."""
        return math.inf
