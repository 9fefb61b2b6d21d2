"""Wrong backpropagations, to be planted for a gradient check to find.

What is patched, and under which name, stands here alone.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from backprop_mlp._network.layers import Dense, Elementwise
from backprop_mlp._network.losses import SigmoidLoss, SoftmaxLoss
from backprop_mlp._network.network import Network
from backprop_mlp._objective.objective import Objective

BACKWARD = Network, "backward"
DENSE_GRAD = Dense, "write_param_grad"
DENSE_INPUT_GRAD = Dense, "input_grad"
ACTIVATION_INPUT_GRAD = Elementwise, "input_grad"
OBJECTIVE_GRAD = Objective, "value_and_grad"
LOSS_GRADS = (SigmoidLoss, "value_and_delta"), (SoftmaxLoss, "value_and_delta")


def penalty_grad(objective, theta):
    """The penalty's gradient, as it should be."""
    grad = np.zeros_like(theta)
    n_weights = objective.network.n_weights
    grad[:n_weights] = objective.alpha / objective.total_weight * theta[:n_weights]
    return grad


def after_backward(spoil):
    """Network.backward, and then ``spoil(list of the dense layers' gradients)``."""

    def patch(original):
        def backward(self, params, grads, caches, delta):
            original(self, params, grads, caches, delta)
            pairs = zip(self.layers, grads, strict=True)
            spoil([grad for layer, grad in pairs if isinstance(layer, Dense)])

        return backward

    return [(BACKWARD, patch)]


def after_gradient(spoil):
    """Objective.value_and_grad, and then ``spoil(objective, theta, grad)``."""

    def patch(original):
        def value_and_grad(self, theta):
            value, grad = original(self, theta)
            spoil(self, theta, grad)
            return value, grad

        return value_and_grad

    return [(OBJECTIVE_GRAD, patch)]


def after_delta(spoil):
    """The losses' value_and_delta, and then ``delta = spoil(delta, z, sample_weight, loss)``."""

    def patch(original):
        def value_and_delta(self, z, Y, sample_weight):
            value, delta = original(self, z, Y, sample_weight)
            return value, spoil(delta, z, sample_weight.reshape(len(z), -1), self)

        return value_and_delta

    return [(target, patch) for target in LOSS_GRADS]


def flip_first(grads):
    for part in grads[0]:
        part *= -1.0


def flip_last(grads):
    for part in grads[-1]:
        part *= -1.0


def double_middle(grads):
    grads[len(grads) // 2][0][:] *= 2.0


def nudge_middle(grads):
    grads[len(grads) // 2][1][:] *= 1.0 + 1e-5


def transpose(grads):
    for W, _ in grads:
        W[:] = W.T.reshape(W.shape)


def forget_first_bias(grads):
    grads[0][1][:] = 0.0


def average_biases(grads):
    for _, b in grads:
        b /= 7.0


def take_weights_of_wrong_layer(grads):
    grads[1][0][:] = np.resize(grads[0][0], grads[1][0].shape)


def take_biases_of_wrong_layer(grads):
    grads[0][1][:] = np.resize(grads[1][1], grads[0][1].shape)


def penalise_biases(objective, theta, grad):
    n_weights = objective.network.n_weights
    grad[n_weights:] += objective.alpha / objective.total_weight * theta[n_weights:]


def forget_penalty(objective, theta, grad):
    grad -= penalty_grad(objective, theta)


def double_penalty(objective, theta, grad):
    grad += penalty_grad(objective, theta)


def subtract_penalty(objective, theta, grad):
    grad -= 2.0 * penalty_grad(objective, theta)


def forget_to_divide_penalty(objective, theta, grad):
    grad += (objective.total_weight - 1.0) * penalty_grad(objective, theta)


def forget_to_divide(objective, theta, grad):
    grad *= objective.total_weight


def zero_biases_at_huge_alpha(objective, theta, grad):
    if objective.alpha > 1e5:
        grad[objective.network.n_weights :] = 0.0


def nudge_all(objective, theta, grad):
    grad *= 1.0 + 1e-5


def ignore_weights(delta, z, weights, loss):
    return np.divide(delta, weights, out=np.zeros_like(delta), where=weights > 0.0)


def apply_weights_twice(delta, z, weights, loss):
    return delta * weights


def use_squared_error(delta, z, weights, loss):
    h = loss.proba(z)
    return delta * h * (1.0 - h)


def forget_slope(original):
    return lambda self, params, cache, dy: dy


def forget_last_weights(original):
    """The last layer's delta passes to the one before it as if all weights were one."""

    def input_grad(self, params, cache, dy):
        if self.n_out != OUTPUTS:
            return original(self, params, cache, dy)
        return np.repeat(dy.sum(axis=1, keepdims=True), self.n_in, axis=1)

    return input_grad


def turn_square_weights(original):
    """W stands where its transpose should, which square matrices allow."""

    def input_grad(self, params, cache, dy):
        W, b = params
        return original(self, (W.T, b) if self.n_in == self.n_out else params, cache, dy)

    return input_grad


def mix_up_inputs(original):
    """The rows of a layer's inputs are those of other samples."""

    def write_param_grad(self, grads, cache, dy):
        original(self, grads, cache[::-1], dy)

    return write_param_grad


OUTPUTS = 3
"""Outputs of the networks in which bugs are planted; hidden layers have other sizes."""


@dataclass(frozen=True)
class PlantedBug:
    """A wrong gradient: what is patched how, where it shows.

    Parameters
    ----------
    patches : list of ((class, name), callable(original) -> replacement)
    min_depth : int, default=0
        Hidden layers that a network must have for the bug to show.
    params : dict, default={}
        Keywords that the network must have.
    weighted : bool, default=False
        Whether the rows must have weights.
    """

    patches: list
    min_depth: int = 0
    params: Any = None
    weighted: bool = False

    def plant(self, monkeypatch):
        for (owner, name), make in self.patches:
            monkeypatch.setattr(owner, name, make(getattr(owner, name)))


BUGS = {
    "sign of the first layer": PlantedBug(after_backward(flip_first)),
    "sign of the last layer": PlantedBug(after_backward(flip_last)),
    "factor two in one layer": PlantedBug(after_backward(double_middle)),
    "1e-5 too much in one layer's biases": PlantedBug(after_backward(nudge_middle)),
    "transposed gradients": PlantedBug(after_backward(transpose)),
    "first biases forgotten": PlantedBug(after_backward(forget_first_bias)),
    "biases averaged": PlantedBug(after_backward(average_biases)),
    "weights of the wrong layer": PlantedBug(after_backward(take_weights_of_wrong_layer), 1),
    "biases of the wrong layer": PlantedBug(after_backward(take_biases_of_wrong_layer), 1),
    "inputs of other rows": PlantedBug([(DENSE_GRAD, mix_up_inputs)]),
    "biases penalised": PlantedBug(after_gradient(penalise_biases), params={"alpha": 1.0}),
    "penalty forgotten": PlantedBug(after_gradient(forget_penalty), params={"alpha": 1e-3}),
    "penalty twice": PlantedBug(after_gradient(double_penalty), params={"alpha": 1.0}),
    "penalty subtracted": PlantedBug(after_gradient(subtract_penalty), params={"alpha": 1.0}),
    "penalty not divided by m": PlantedBug(
        after_gradient(forget_to_divide_penalty), params={"alpha": 1e-3}
    ),
    "not divided by m": PlantedBug(after_gradient(forget_to_divide)),
    "biases zero at a huge alpha": PlantedBug(
        after_gradient(zero_biases_at_huge_alpha), params={"alpha": 1e6}
    ),
    "1e-5 too much everywhere": PlantedBug(after_gradient(nudge_all)),
    "sample weights ignored": PlantedBug(after_delta(ignore_weights), weighted=True),
    "class weights twice": PlantedBug(
        after_delta(apply_weights_twice), params={"class_weight": {0: 1.0, 1: 3.0, 2: 0.5}}
    ),
    "delta of the squared error": PlantedBug(after_delta(use_squared_error)),
    "slope forgotten": PlantedBug([(ACTIVATION_INPUT_GRAD, forget_slope)], 1),
    "last weights forgotten": PlantedBug([(DENSE_INPUT_GRAD, forget_last_weights)], 1),
    "weights not transposed": PlantedBug([(DENSE_INPUT_GRAD, turn_square_weights)], 2),
}
"""Every bug that a check must find, by what it is."""
