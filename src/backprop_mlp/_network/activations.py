"""Activation functions of the hidden units, and their derivatives.

Every derivative is computed from the activation ``a = f(z)`` itself, so that a
forward pass keeps one array per layer and works in place. ``relu`` and
``leaky_relu`` have the slope of their left side at zero, and curvature zero.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

LEAKY_SLOPE = 0.01
"""Slope of ``leaky_relu`` left of zero (Maas, Hannun & Ng, 2013)."""


@dataclass(frozen=True)
class Activation:
    """One activation function f, applied element by element.

    Parameters
    ----------
    name : str
        The name by which users choose it.
    apply : callable(z) -> None
        Overwrites z, of shape (n_rows, n_units), with a = f(z).
    times_slope : callable(a, d) -> None
        Overwrites d with d * f'(z).
    curvature : callable(a) -> ndarray or None
        f''(z); None stands for zero everywhere.
    centre : float
        The value around which outputs lie: f(0).
    bounds : (float, float)
        Infimum and supremum of f. Pictures take their scale from them.
    kinked : bool
        Whether f has no derivative at zero.
    bend : float
        How far from zero f has turned from one of its ways to the other: 0 at a kink, inf
        for a straight line.
    """

    name: str
    apply: Callable
    times_slope: Callable
    curvature: Callable
    centre: float = 0.0
    bounds: tuple[float, float] = (-math.inf, math.inf)
    kinked: bool = False
    bend: float = math.inf

    @property
    def gain(self):
        """1 / f'(0), by which weights are multiplied to keep a signal's size; 1 at a kink.

        Glorot & Bengio (2010, section 4.2.1) take f'(0) = 1 for granted.
        """
        if self.kinked:
            return 1.0
        slope = np.ones((1, 1))
        self.times_slope(np.full((1, 1), self.centre), slope)
        return 1.0 / slope.item()


def _leave(*arrays):
    """The identity, and multiplication by its slope: nothing to do."""


def _no_curvature(a):
    return None


def _logistic(z):
    """Overwrite z with 1 / (1 + exp(-z)), which is 0 where exp overflows, 1 where it underflows."""
    np.negative(z, out=z)
    with np.errstate(over="ignore", under="ignore"):
        np.exp(z, out=z)
        z += 1.0
        np.divide(1.0, z, out=z)


def _logistic_times_slope(a, d):
    slope = 1.0 - a
    slope *= a
    d *= slope


def _logistic_curvature(a):
    return a * (1.0 - a) * (1.0 - 2.0 * a)


def _tanh(z):
    np.tanh(z, out=z)


def _tanh_times_slope(a, d):
    slope = a * a
    np.subtract(1.0, slope, out=slope)
    d *= slope


def _tanh_curvature(a):
    return -2.0 * a * (1.0 - a * a)


def _relu(z):
    # NumPy's maximum is up to twice as fast between arrays as with a number.
    np.maximum(z, np.zeros((len(z), 1), z.dtype), out=z)


def _relu_times_slope(a, d):
    d *= a > 0.0


def _leaky_relu(z):
    np.maximum(z, LEAKY_SLOPE * z, out=z)


def _leaky_relu_times_slope(a, d):
    d *= np.where(a > 0.0, d.dtype.type(1.0), d.dtype.type(LEAKY_SLOPE))


ACTIVATIONS = {
    activation.name: activation
    for activation in (
        Activation("identity", _leave, _leave, _no_curvature),
        Activation(
            "logistic",
            _logistic,
            _logistic_times_slope,
            _logistic_curvature,
            centre=0.5,
            bounds=(0.0, 1.0),
            bend=2.0,  # it is (1 + tanh(z / 2)) / 2
        ),
        Activation("tanh", _tanh, _tanh_times_slope, _tanh_curvature, bounds=(-1.0, 1.0), bend=1.0),
        Activation(
            "relu",
            _relu,
            _relu_times_slope,
            _no_curvature,
            bounds=(0.0, math.inf),
            kinked=True,
            bend=0.0,
        ),
        Activation(
            "leaky_relu",
            _leaky_relu,
            _leaky_relu_times_slope,
            _no_curvature,
            kinked=True,
            bend=0.0,
        ),
    )
}
