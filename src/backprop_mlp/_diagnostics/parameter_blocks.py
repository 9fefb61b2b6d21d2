"""The parameters of a network, block by block, and random ones to check its gradient at."""

from typing import NamedTuple

import numpy as np
from scipy.sparse import issparse
from scipy.special import ndtri

from .._network.layers import BatchNorm, Dense, Elementwise
from .finite_differences import DEFAULT_STEP, loss_change

STARTS = 10
"""Starts that are drawn at most until every block has a gradient."""

ENOUGH_SLOPE = 1e-3
"""Slope of the loss in every block, relative to the loss, that a start must have."""


class ParameterBlock(NamedTuple):
    """A fitted attribute's entries: their name, their places in theta, whether J ignores them."""

    name: str
    places: np.ndarray
    without_effect: bool

    @property
    def size(self):
        return self.places.size

    def draw(self, count, rng):
        """Names and places of some entries, in the order of theta."""
        drawn = np.arange(self.size)
        if count < self.size:
            drawn = rng.choice(self.size, count, replace=False)
        places = self.places.ravel()[drawn]
        order = np.argsort(places)
        entries = zip(*np.unravel_index(drawn[order], self.places.shape), strict=True)
        return [f"{self.name}[{', '.join(map(str, entry))}]" for entry in entries], places[order]


def parameter_blocks(network):
    """The parameter blocks, in the order of theta."""
    blocks, n_dense = [], 0
    views = network.views(np.arange(network.n_params))
    for index, (layer, params) in enumerate(zip(network.layers, views, strict=True)):
        kinds = f"gamma of layer {index}", f"beta of layer {index}"
        cancelled = False
        if isinstance(layer, Dense):
            kinds = f"coefs_[{n_dense}]", f"intercepts_[{n_dense}]"
            following = network.layers[index + 1 : index + 2]
            cancelled = any(isinstance(layer, BatchNorm) for layer in following)
            n_dense += 1
        for kind, places in zip(kinds, params, strict=False):
            blocks.append(ParameterBlock(kind, places, cancelled and places.ndim == 1))
    return sorted(blocks, key=lambda block: block.places.min())


def share_out(sizes, total):
    """How many coordinates each block gets of the total: equally many, at least one."""
    shares, left = [0] * len(sizes), total
    for rank, index in enumerate(np.argsort(sizes, kind="stable")):
        shares[index] = min(sizes[index], max(1, left // (len(sizes) - rank)))
        left -= shares[index]
    return shares


def draw_start(loss, X, rng):
    """Random parameters at which every block has a gradient, of shape (n_params,).

    A unit of relu that is off in all rows has none: several starts may be drawn.
    """
    blocks = [block for block in parameter_blocks(loss.network) if not block.without_effect]
    best, largest = None, -np.inf
    for _ in range(STARTS):
        theta = _random_parameters(loss.network, X, rng)
        smallest = min(_slope(loss, theta, block, rng) for block in blocks)
        if best is None or smallest > largest:
            best, largest = theta, smallest
        if largest > ENOUGH_SLOPE:
            break
    return best


def _random_parameters(network, X, rng):
    """Biases and shifts N(0, 1), scales uniform in [0.5, 1.5], weights N(0, 1 / (s n_in)).

    Here s is the mean squared slope of the activation function before them, so
    that the gradient of the first layers is about as large as that of the last
    ones. The inputs' weights are divided by the inputs' root mean squares.
    """
    theta = network.blank()
    mean_square_slope = 1.0
    for index, (layer, params) in enumerate(zip(network.layers, network.views(theta), strict=True)):
        if isinstance(layer, Dense):
            W, b = params
            W[:] = rng.normal(0.0, 1.0 / np.sqrt(mean_square_slope * layer.n_in), W.shape)
            if index == 0:
                W /= _root_mean_squares(X)[:, np.newaxis]
            b[:] = rng.normal(size=b.shape)
        elif isinstance(layer, BatchNorm):
            gamma, beta = params
            gamma[:] = rng.uniform(0.5, 1.5, gamma.shape)
            beta[:] = rng.normal(size=beta.shape)
        elif isinstance(layer, Elementwise):
            mean_square_slope = _mean_square_slope(layer.activation)
    return theta


def _root_mean_squares(X):
    """Of each column; 1 where it is zero."""
    largest = np.asarray(abs(X).max(axis=0).todense() if issparse(X) else np.abs(X).max(axis=0))
    largest = np.where(largest.ravel() > 0.0, largest.ravel(), 1.0)
    scaled = X.multiply(1.0 / largest) if issparse(X) else X / largest
    squares = scaled.multiply(scaled) if issparse(X) else scaled * scaled
    root = largest * np.sqrt(np.asarray(squares.mean(axis=0)).ravel())
    return np.where(root > 0.0, root, 1.0)


def _mean_square_slope(activation):
    """The mean of f'(z)^2 over normal z of variance 1."""
    a = ndtri((np.arange(1000) + 0.5) / 1000.0)[:, np.newaxis]
    slope = np.ones_like(a)
    activation.apply(a)
    activation.times_slope(a, slope)
    return float(np.mean(slope * slope))


def _slope(loss, theta, block, rng):
    """The loss's slope along a random direction in a block, relative to the loss."""
    direction = np.zeros_like(theta)
    direction[block.places] = rng.normal(size=block.places.shape) / np.sqrt(block.size)
    plus, minus = theta + DEFAULT_STEP * direction, theta - DEFAULT_STEP * direction
    change, _ = loss_change(loss, plus, minus)
    slope = abs(change) / (2.0 * DEFAULT_STEP)
    return slope / (loss.value(theta) + np.finfo(np.float64).tiny)
