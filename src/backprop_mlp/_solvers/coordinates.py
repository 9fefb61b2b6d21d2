"""theta = T(phi): the coordinates in which the full-batch solvers work.

A dense layer that sees inputs x around a centre c computes

    x W + b = (x - c) W + beta      with  b = beta - c W

and the pair (W, beta) = phi is far better conditioned than (W, b) = theta: a
step in W no longer shifts every unit's mean input. T is linear, leaves the
weights (hence the penalty) alone and changes neither the cost nor its minima.
The centres are the weighted means of the inputs for the first layer and f(0) of
the activation before it for every other; X itself is never touched.

LeCun, Bottou, Orr & Mueller, "Efficient BackProp" (1998), section 4.3, centre
the inputs for the same reason.
"""

import numpy as np

from .._network.layers import Dense, Elementwise
from .._network.network import Network


class Centring:
    """T, its inverse and its adjoint, for one network.

    Parameters
    ----------
    network : Network
    input_means : ndarray of shape (n_features,)
        Centre of the first layer's inputs.
    """

    def __init__(self, network: Network, input_means):
        self.network = network
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

    def _shifts(self, vector):
        """(centre, weights, biases) of each layer whose centre is not zero everywhere."""
        dense = self.network.dense_views(vector)
        return [(centre, *dense[number]) for number, centre in self.centres]

    def to_theta(self, phi):
        """T(phi), a new vector."""
        theta = phi.copy()
        for centre, W, b in self._shifts(theta):
            b -= centre @ W
        return theta

    def to_phi(self, theta):
        """The phi with T(phi) = theta, a new vector."""
        phi = theta.copy()
        for centre, W, b in self._shifts(phi):
            b += centre @ W
        return phi

    def pull_back(self, grad):
        """The adjoint of T: the gradient with respect to phi, a new vector."""
        grad = grad.copy()
        for centre, W_grad, b_grad in self._shifts(grad):
            W_grad.T[...] -= np.outer(b_grad, centre)
        return grad
