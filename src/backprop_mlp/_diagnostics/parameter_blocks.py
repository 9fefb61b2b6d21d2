"""The parameters of a network, block by block, and random ones to check its gradient at."""

from typing import NamedTuple

import numpy as np

from .._network.layers import BatchNorm, Dense, Elementwise
from .finite_differences import DEFAULT_STEP, TOLERANCE, loss_change

MAX_STARTS = 20
"""Starts that are drawn at most until every block can be checked."""

ENOUGH_SLOPE = 1e-3
"""Slope of the loss in every block, relative to the loss, that a start should have."""

ENOUGH_TRUNCATION = TOLERANCE / 10.0
"""Relative error of a slope by the usual step that a start should not exceed."""


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
        if isinstance(layer, Dense):
            kinds = f"coefs_[{n_dense}]", f"intercepts_[{n_dense}]"
            n_dense += 1
        for kind, places in zip(kinds, params, strict=False):
            shift = kind.startswith(("intercepts_", "beta"))
            blocks.append(ParameterBlock(kind, places, shift and _is_cancelled(network, index)))
    return sorted(blocks, key=lambda block: block.places.min())


def _is_cancelled(network, index):
    """Whether a batch normalisation takes off again what a layer adds to all rows."""
    for layer in network.layers[index + 1 :]:
        if isinstance(layer, BatchNorm):
            return True
        linear = isinstance(layer, Elementwise) and layer.activation.name == "identity"
        if not (linear or isinstance(layer, Dense)):
            return False
    return False


def share_out(sizes, total):
    """How many coordinates each block gets of the total: equally many, at least one."""
    shares, left = [0] * len(sizes), total
    for rank, index in enumerate(np.argsort(sizes, kind="stable")):
        shares[index] = min(sizes[index], max(1, left // (len(sizes) - rank)))
        left -= shares[index]
    return shares


def draw_start(loss, rng):
    """Random parameters at which every block can be checked, of shape (n_params,).

    Several are drawn if need be: the units of a narrow layer of relu may all be off,
    and in a deep and narrow network the loss may bend within a step.
    """
    blocks = [block for block in parameter_blocks(loss.network) if not block.without_effect]
    best, best_score = None, -np.inf
    for _ in range(MAX_STARTS):
        theta = _random_parameters(loss, rng)
        score = min(_suitability(loss, theta, block, rng) for block in blocks)
        if best is None or score > best_score:
            best, best_score = theta, score
        if score >= 1.0:
            break
    return best


def _random_parameters(loss, rng):
    """Parameters that spread every unit's inputs to its activation function over the rows.

    Weights are normal, and scaled so that these inputs have standard deviation 1;
    biases centre them at N(0, 1). Shifts are N(0, 1) too, scales uniform in [0.5, 1.5].
    So few units are saturated or off in all rows, and the gradient of the first
    layers is about as large as that of the last ones (Mishkin & Matas, 2016).
    """
    network, block = loss.network, loss.blocks[0]
    theta = network.blank()
    x, rows = block.X, block.rows
    for layer, params in zip(network.layers, network.views(theta), strict=True):
        if isinstance(layer, Dense):
            W, b = params
            # Divided by the largest input, so that the squares below do not overflow.
            W[:] = rng.normal(size=W.shape) / (abs(x).max() or 1.0)
            z, _ = layer.forward(params, x, rows)
            spread = z.std(axis=0)
            # Rows that are all alike can't be spread.
            spread[spread < 1e-3 * np.sqrt(np.mean(z * z, axis=0))] = 1.0
            spread[spread == 0.0] = 1.0
            W /= spread
            b[:] = rng.normal(size=b.shape) - z.mean(axis=0) / spread
        elif isinstance(layer, BatchNorm):
            gamma, beta = params
            gamma[:] = rng.uniform(0.5, 1.5, gamma.shape)
            beta[:] = rng.normal(size=beta.shape)
        x, _ = layer.forward(params, x, rows)
    return theta


def _suitability(loss, theta, block, rng):
    """How well the loss can be differentiated in a block; 1 is enough.

    Judged by differences alone, along a random direction.
    """
    direction = np.zeros_like(theta)
    direction[block.places] = rng.normal(size=block.places.shape) / np.sqrt(block.size)

    def slope(step):
        change, _ = loss_change(loss, theta + step * direction, theta - step * direction)
        return change / (2.0 * step)

    fine, coarse = slope(DEFAULT_STEP), slope(8.0 * DEFAULT_STEP)
    tiny = np.finfo(np.float64).tiny
    truncation = abs(coarse - fine) / 63.0
    return min(
        abs(fine) / (ENOUGH_SLOPE * loss.value(theta) + tiny),
        ENOUGH_TRUNCATION * abs(fine) / (truncation + tiny),
    )
