"""Random starting weights of the dense layers.

An initialiser is any callable ``(rng, fan_in, fan_out) -> W``, where ``rng`` is a
`numpy.random.Generator`. W has the shape (fan_in, fan_out), or
(1 + fan_in, fan_out), and then its first row holds the biases.

Where W holds no biases, `_training/start.py` sees to them. Those of hidden layers start at
zero, those of the outputs at the logits of a network that tells no rows apart. For classes
these are the log-odds of (S + 1/2) / (m + 1), with m the total weight of the rows, class weights
included, and S that of the rows of the class; for softmax the logarithms of (S + 1/2) / (m + K/2),
with K classes; for numbers, in the units of training, their mean, or its logarithm where
predictions are exp of the outputs.

"auto" also multiplies Glorot's weights of a hidden layer without batch normalisation by
1 / f'(0), so that signals keep their size: by 4 for logistic units.

Where a single input varies (with a mini-batch solver: where there is a single column), the
units of the first layer start to bend at random places, not all at one: uniform within
sqrt(3) standard deviations of its mean. So do relu units with any initialiser; logistic and
tanh units with "auto" alone, which then draws the weights of that input from normal
distributions with deviation 4 and 2, for units that bend within about half a unit, or half a
standard deviation of an input that is standardised: with Glorot's they would be straight
wherever there are rows, as they still are where an input varies by much less.
A full-batch solver takes W for inputs that are centred and divided by
max(1, their standard deviation): the first layer starts at
W1 / scale, b1 - mean W1 / scale, so that it does not matter how far from zero the
features are. A layer that is given its biases starts exactly there.
"""

from contextlib import suppress
from dataclasses import dataclass
from itertools import zip_longest
from reprlib import repr as shortened

import numpy as np

from ._numbers import as_float

__all__ = ["GlorotNormal", "GlorotUniform", "HeNormal", "Uniform", "Xavier"]


@dataclass(frozen=True)
class Uniform:
    """Weights and biases uniform in [-width, width] (exercise 4, section 2.2).

    Parameters
    ----------
    width : float, default=0.12
        Largest absolute value, > 0.

    Examples
    --------
    >>> import numpy as np
    >>> from backprop_mlp.initializers import Uniform
    >>> W = Uniform(width=0.5)(np.random.default_rng(0), 3, 2)
    >>> W.shape, bool(abs(W).max() < 0.5)
    ((4, 2), True)
    """

    width: float = 0.12

    def __post_init__(self):
        if not 0.0 < as_float(self.width) < np.inf:
            raise ValueError(f"width must be a finite number > 0; got {self.width!r}.")

    def __call__(self, rng: np.random.Generator, fan_in: int, fan_out: int):
        width = float(self.width)  # NumPy's small integers wrap
        return rng.uniform(-width, width, (1 + fan_in, fan_out))


@dataclass(frozen=True)
class GlorotUniform:
    """Weights uniform in +-sqrt(6 / (fan_in + fan_out)) (Glorot & Bengio, 2010, eq. 16).

    Examples
    --------
    >>> import numpy as np
    >>> from backprop_mlp.initializers import GlorotUniform
    >>> W = GlorotUniform()(np.random.default_rng(0), 3, 3)
    >>> W.shape, bool(abs(W).max() < 1.0)
    ((3, 3), True)
    """

    def __call__(self, rng: np.random.Generator, fan_in: int, fan_out: int):
        width = np.sqrt(6.0 / (fan_in + fan_out))
        return rng.uniform(-width, width, (fan_in, fan_out))


@dataclass(frozen=True)
class GlorotNormal:
    """Weights normal with variance 2 / (fan_in + fan_out) (Glorot & Bengio, 2010, eq. 12).

    Examples
    --------
    >>> import numpy as np
    >>> from backprop_mlp.initializers import GlorotNormal
    >>> W = GlorotNormal()(np.random.default_rng(0), 200, 200)
    >>> round(float(W.std()), 2)
    0.07
    """

    def __call__(self, rng: np.random.Generator, fan_in: int, fan_out: int):
        return rng.normal(0.0, np.sqrt(2.0 / (fan_in + fan_out)), (fan_in, fan_out))


@dataclass(frozen=True)
class Xavier:
    """Weights normal with variance 1 / fan_in: the lecture's, for tanh.

    Examples
    --------
    >>> import numpy as np
    >>> from backprop_mlp.initializers import Xavier
    >>> W = Xavier()(np.random.default_rng(0), 100, 300)
    >>> round(float(W.std()), 2)
    0.1
    """

    def __call__(self, rng: np.random.Generator, fan_in: int, fan_out: int):
        return rng.normal(0.0, np.sqrt(1.0 / fan_in), (fan_in, fan_out))


@dataclass(frozen=True)
class HeNormal:
    """Weights normal with variance 2 / fan_in (He, Zhang, Ren & Sun, 2015, eq. 10).

    Examples
    --------
    >>> import numpy as np
    >>> from backprop_mlp.initializers import HeNormal
    >>> W = HeNormal()(np.random.default_rng(0), 200, 300)
    >>> round(float(W.std()), 2)
    0.1
    """

    def __call__(self, rng: np.random.Generator, fan_in: int, fan_out: int):
        return rng.normal(0.0, np.sqrt(2.0 / fan_in), (fan_in, fan_out))


INITIALIZERS = {
    "uniform": Uniform(),
    "glorot_uniform": GlorotUniform(),
    "glorot_normal": GlorotNormal(),
    "xavier": Xavier(),
    "he_normal": HeNormal(),
}


def initialize(network, initializer, rng, adapt=None):
    """A random start for a network.

    Parameters
    ----------
    network : Network
    initializer : str or callable
        A key of ``INITIALIZERS``, a callable, or "auto": He for layers that feed
        relu or leaky relu, Glorot for the others.
    rng : numpy.random.Generator
    adapt : callable(W, b, activation, *, is_first) -> None, default=None
        Changes the parameters of a dense layer in place, for the rows at hand and the
        activation function that it feeds, None for the outputs. It is called for the layers
        for which the initialiser gave no biases.

    Returns
    -------
    theta : ndarray of shape (n_params,), float64

    Raises
    ------
    ValueError
        If a callable returns another shape, or numbers that are not finite.
    """
    theta = network.blank()
    dense = network.dense_views(theta)
    # The outputs have no activation function: their loss reads logits.
    layers = zip_longest(dense, network.hidden_activations)
    for number, ((W, b), activation) in enumerate(layers):
        given = _choose(initializer, activation)(rng, *W.shape)
        start = _as_numbers(given)
        has_biases = start.shape == _with_biases(W.shape)
        _check_start(given, start, W.shape)
        if has_biases:
            b[:], start = start[0], start[1:]
        W[:] = start
        if adapt is not None and not has_biases:
            adapt(W, b, activation, is_first=number == 0)
    return theta


def _as_numbers(given):
    """What an initialiser returned in float64; without dimensions if it is no array of numbers."""
    # Complex numbers would lose their imaginary part with a warning alone.
    if not np.iscomplexobj(given):
        with suppress(TypeError, ValueError):
            return np.asarray(given, dtype=np.float64)
    return np.array(np.nan)


def _with_biases(shape):
    """The shape of weights of a shape with their biases in front."""
    fan_in, fan_out = shape
    return 1 + fan_in, fan_out


def _check_start(given, start, shape):
    """An error if what an initialiser returned is no start of weights of a shape."""
    fits = start.shape in (shape, _with_biases(shape))
    if not (fits and np.isfinite(start).all()):
        raise ValueError(
            f"initializer must return finite weights of shape {shape}, or {_with_biases(shape)} "
            f"with the biases first; got {_found(given, start, fits)}."
        )


def _found(given, start, fits):
    """What is wrong with what an initialiser returned, for the message."""
    if fits:
        return "numbers that are not finite"
    if np.iscomplexobj(given):
        return "complex numbers"
    return f"an array of shape {start.shape}" if start.ndim else shortened(given)


def _choose(initializer, activation):
    """The initialiser of a layer that feeds an activation function; None for the outputs."""
    if callable(initializer):
        return initializer
    if initializer == "auto":
        kinked = activation is not None and activation.kinked
        initializer = "he_normal" if kinked else "glorot_uniform"
    return INITIALIZERS[initializer]
