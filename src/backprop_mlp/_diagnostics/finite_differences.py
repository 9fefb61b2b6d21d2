"""Differences of the loss, and how far rounding and the finite step can lead them astray."""

from functools import partial
from math import comb

import numpy as np

from .._network.layers import Elementwise

TOLERANCE = 1e-7
"""Largest relative difference that passes."""

DEFAULT_STEP = 6e-6
"""The cube root of float64's precision: it balances truncation against rounding."""

STEP_RATIO = 4.0
"""A step over the next smaller one with which it is compared."""

N_PROBES = 8
"""Points from which a block's rounding errors are estimated."""

PROBE_ORDER = 3
"""Order of the differences between them, in which nothing smooth is left."""

PROBE_STEP = 1e-10
"""Distance of these points, relative to the parameters (or to 1): half a million
units in the last place, so that everything is rounded afresh."""

ROUNDING_DRAWS = 4
"""Random roundings of the outputs from which the effect on the gradient is estimated."""

EPSILON = float(np.finfo(np.float64).eps)


def central_differences(loss, theta, coordinates, step):
    """Difference quotients of the loss, and which of them cross a kink."""
    differences = np.empty(len(coordinates))
    at_kink = np.empty(len(coordinates), dtype=bool)
    for index, plus, minus, distance in _moved(theta, coordinates, step):
        change, at_kink[index] = loss_change(loss, plus, minus)
        differences[index] = change / distance
    return differences, at_kink


def penalty_differences(objective, theta, coordinates, step):
    """Difference quotients of the penalty, and the errors that rounding it may cause in them."""
    differences, rounding = np.empty((2, len(coordinates)))
    for index, plus, minus, distance in _moved(theta, coordinates, step):
        above, below = objective.penalty(plus), objective.penalty(minus)
        differences[index] = (above - below) / distance
        rounding[index] = EPSILON * max(above, below) / distance
    # Biases are not penalised: moving them changes no last place of the penalty.
    return differences, np.where(coordinates < objective.network.n_weights, rounding, 0.0)


def _moved(theta, coordinates, step):
    """(number, theta a step up one coordinate, theta a step down, distance) of each."""
    plus, minus = theta.copy(), theta.copy()
    for index, coordinate in enumerate(coordinates):
        plus[coordinate] += step
        minus[coordinate] -= step
        # The distance after rounding.
        yield index, plus, minus, plus[coordinate] - minus[coordinate]
        plus[coordinate] = minus[coordinate] = theta[coordinate]


def loss_change(loss, plus, minus):
    """The loss at plus less that at minus, and whether a unit crosses a kink between them."""
    function = partial(_block_change, loss.network, plus, minus)
    total, crosses = 0.0, False
    for block_change, block_crosses in loss.map(function, loss.blocks):
        total += block_change
        crosses |= block_crosses
    return total / loss.total_weight, crosses


def _block_change(network, plus, minus, block):
    """Change of a block's loss, and whether a unit with a kink switches sides."""
    z_plus, caches_plus = network.forward(network.views(plus), block.X, block.rows)
    z_minus, caches_minus = network.forward(network.views(minus), block.X, block.rows)
    change = network.loss.value(z_plus, block.Y, block.loss_weight) - network.loss.value(
        z_minus, block.Y, block.loss_weight
    )
    crosses = any(
        not np.array_equal(a_plus > 0.0, a_minus > 0.0)
        for layer, a_plus, a_minus in zip(network.layers, caches_plus, caches_minus, strict=True)
        if isinstance(layer, Elementwise) and layer.activation.kinked
    )
    return change, crosses


# Their errors


def estimate_truncation(loss, theta, coordinates, differences, at_kink, step, noise):
    """How far the differences lie from those of smaller steps, of shape (n_coordinates,).

    Steps are made smaller until it makes no difference that rounding would not
    make, or that would matter. Comparing two steps alone does not do: where both
    are so large that a unit saturates, they can agree and be wrong.

    Kinks that are only seen at smaller steps are added to ``at_kink``.
    """
    finest = differences.copy()
    left = np.zeros(len(coordinates))
    refined = False
    active = np.flatnonzero(~at_kink)
    while len(active):
        step /= STEP_RATIO
        chosen = coordinates[active]
        if (theta[chosen] + step == theta[chosen] - step).any():
            break
        finer, crosses = central_differences(loss, theta, chosen, step)
        rounding = noise / step
        moved = np.abs(finer - finest[active])
        finest[active] = finer
        at_kink[active] |= crosses
        matters = 0.1 * TOLERANCE * np.sqrt(np.mean(finer * finer))
        left[active] = rounding if refined else 0.0
        active = active[(moved > max(rounding, matters)) & ~crosses]
        refined = True
    # The finest ones need not be exact either.
    return 2.0 * np.abs(differences - finest) + left


def estimate_noise(loss, theta, coordinates, rng):
    """Standard deviations of the rounding errors of the loss and of its gradient.

    From differences of high order between points that lie so close together that
    nothing but rounding keeps them from being zero (Hamming, 1971; More & Wild, 2011).

    Returns
    -------
    noise : float
        Of the loss.
    grad_noise : float
        Of a component of its gradient along the coordinates.
    """
    if not len(coordinates):
        return 0.0, 0.0
    size = PROBE_STEP * np.maximum(np.abs(theta[coordinates]), 1.0)
    size *= rng.choice([-1.0, 1.0], len(size)) * rng.uniform(0.5, 1.0, len(size))
    values, grads = [], []
    for index in range(N_PROBES):
        moved = theta.copy()
        moved[coordinates] += index * size
        value, grad = loss.value_and_grad(moved)
        values.append(value)
        grads.append(grad[coordinates])
    # The coefficients' squares add up to this.
    scale = np.sqrt(comb(2 * PROBE_ORDER, PROBE_ORDER))

    def deviation(series):
        return float(np.sqrt(np.mean(np.diff(series, PROBE_ORDER, axis=0) ** 2)) / scale)

    return deviation(np.array(values)), deviation(np.array(grads))


def estimate_output_rounding(loss, theta):
    """What rounding logits and outputs to float64 does to the loss and to its gradient.

    A loss may be made of numbers as large as the logits, however small it is
    itself. An output near 1 is rounded to 1e-16, however small its distance from 1
    is, from which backpropagation starts. Close by the errors are always the same:
    `estimate_noise` can't see them.

    Returns
    -------
    value_rounding : float
        Of the loss.
    grad_rounding : ndarray of shape (n_params,)
        Of its gradient, roughly: the deviation over some random roundings.
    """
    value_rounding = 0.0
    draws = np.zeros((ROUNDING_DRAWS, theta.size))
    function = partial(_block_output_rounding, loss.network, theta)
    for block_value, block_draws in loss.map(function, loss.blocks):
        value_rounding += block_value
        draws += block_draws
    scale = EPSILON / loss.total_weight
    return scale * value_rounding, scale * np.sqrt(np.mean(draws * draws, axis=0))


def _block_output_rounding(network, theta, block):
    """Sum of a block's logits' sizes, and its gradients for some random delta of size 1."""
    rng = np.random.default_rng(block.seed)
    params = network.views(theta)
    z, caches = network.forward(params, block.X, block.rows)
    weights = block.loss_weight.reshape(len(z), -1)
    draws = np.empty((ROUNDING_DRAWS, theta.size))
    for draw in draws:
        delta = np.asfortranarray(rng.normal(size=z.shape) * weights)
        network.backward(params, network.views(draw), caches, delta)
    return float(np.sum(weights * np.abs(z))), draws
