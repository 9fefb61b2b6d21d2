"""Learning rates of the mini-batch solvers, as functions of the step.

A schedule is any callable ``step -> rate``. A step is an update, of which an epoch has
ceil(n_samples / batch_size); step 0 is the first.
Those of this module are immutable objects with their initial rate in front;
they raise a ValueError that names an argument which is not a number they can
work with.
"""

import math
from dataclasses import dataclass

import numpy as np

from ._numbers import as_float

__all__ = ["Constant", "Cosine", "Exponential", "InvScaling", "InverseTime", "Step"]


def _check(name, value, *, positive=False):
    """Refuse an argument that is not a finite number >= 0, or > 0."""
    if not 0.0 <= as_float(value) < math.inf or (positive and not value):
        bound = "> 0" if positive else ">= 0"
        raise ValueError(f"{name} must be a finite number {bound}; got {value!r}.")


def _python_number(value):
    """A number of NumPy's as Python's; anything else as it is."""
    return value.item() if isinstance(value, np.generic) else value


class _Schedule:
    """What the schedules have in common: they compute with Python's numbers.

    NumPy's small integers wrap, and its integers refuse negative powers.
    """

    def __post_init__(self):
        for name, value in list(vars(self).items()):
            object.__setattr__(self, name, _python_number(value))
        self._check_arguments()

    def __call__(self, step: float) -> float:
        """The rate at a step."""
        return self._rate(_python_number(step))

    def _check_arguments(self):
        """Raise a ValueError if an argument is not a number that the schedule can work with."""
        raise NotImplementedError

    def _rate(self, step):
        """The rate at a step, a number of Python's."""
        raise NotImplementedError


@dataclass(frozen=True)
class Constant(_Schedule):
    """Constant rate: initial.

    Parameters
    ----------
    initial : float
        The rate.

    Examples
    --------
    >>> from backprop_mlp.schedules import Constant
    >>> Constant(0.1)(1000)
    0.1
    """

    initial: float

    def _check_arguments(self):
        _check("initial", self.initial)

    def _rate(self, step):
        return self.initial


@dataclass(frozen=True)
class InvScaling(_Schedule):
    """Power of the rows seen: initial / (1 + t)^power.

    t counts the rows seen before the epoch: as in `MLPClassifier`, the rate stays
    the same throughout an epoch.

    Parameters
    ----------
    initial : float
        Rate of the first epoch.
    power : float, default=0.5
        Exponent, >= 0.
    samples_per_epoch : float, default=1
        Rows per epoch.
    steps_per_epoch : int, default=1
        Updates per epoch.

    Examples
    --------
    >>> from backprop_mlp.schedules import InvScaling
    >>> rate = InvScaling(0.1, samples_per_epoch=99, steps_per_epoch=10)
    >>> [round(rate(step), 3) for step in (0, 9, 10)]
    [0.1, 0.1, 0.01]
    """

    initial: float
    power: float = 0.5
    samples_per_epoch: float = 1
    steps_per_epoch: int = 1

    def _check_arguments(self):
        _check("initial", self.initial)
        _check("power", self.power)
        _check("samples_per_epoch", self.samples_per_epoch)
        _check("steps_per_epoch", self.steps_per_epoch, positive=True)

    def _rate(self, step):
        samples = self.samples_per_epoch * (step // self.steps_per_epoch)
        # With the minus a huge power comes to 0; without it, to an OverflowError.
        return self.initial * (1 + samples) ** -self.power


@dataclass(frozen=True)
class Step(_Schedule):
    """Staircase: initial * factor^k, with k = step // every.

    Parameters
    ----------
    initial : float
        Rate at the start.
    every : int
        Updates from one drop to the next; an epoch has ceil(n_samples / batch_size).
    factor : float, default=0.5
        What each drop multiplies the rate by.

    Examples
    --------
    >>> from backprop_mlp.schedules import Step
    >>> [Step(0.4, every=10)(step) for step in (0, 9, 10, 20)]
    [0.4, 0.4, 0.2, 0.1]
    """

    initial: float
    every: int
    factor: float = 0.5

    def _check_arguments(self):
        _check("initial", self.initial)
        _check("every", self.every, positive=True)
        _check("factor", self.factor)

    def _rate(self, step):
        return self.initial * self.factor ** (step // self.every)


@dataclass(frozen=True)
class Exponential(_Schedule):
    """Exponential decay: initial * factor^(step / every).

    Parameters
    ----------
    initial : float
        Rate at the start.
    every : float
        Updates over which the rate falls by the factor; an epoch has
        ceil(n_samples / batch_size).
    factor : float, default=0.95
        What it is multiplied by over these updates.

    Examples
    --------
    >>> from backprop_mlp.schedules import Exponential
    >>> Exponential(1.0, every=10)(10)
    0.95
    """

    initial: float
    every: float
    factor: float = 0.95

    def _check_arguments(self):
        _check("initial", self.initial)
        _check("every", self.every, positive=True)
        _check("factor", self.factor)

    def _rate(self, step):
        return self.initial * self.factor ** (step / self.every)


@dataclass(frozen=True)
class InverseTime(_Schedule):
    """Inverse of the time: initial / (1 + decay * step / every).

    Parameters
    ----------
    initial : float
        Rate at the start.
    every : float
        Updates that count as one unit of time; an epoch has
        ceil(n_samples / batch_size).
    decay : float, default=1.0
        What each unit of time adds to the divisor.

    Examples
    --------
    >>> from backprop_mlp.schedules import InverseTime
    >>> [round(InverseTime(0.6, every=10)(step), 2) for step in (0, 10, 20)]
    [0.6, 0.3, 0.2]
    """

    initial: float
    every: float
    decay: float = 1.0

    def _check_arguments(self):
        _check("initial", self.initial)
        _check("every", self.every, positive=True)
        _check("decay", self.decay)

    def _rate(self, step):
        return self.initial / (1.0 + self.decay * step / self.every)


@dataclass(frozen=True)
class Cosine(_Schedule):
    """Half a cosine from initial to final, after a linear warm-up.

    rate = final + (initial - final) * (1 + cos(pi * progress)) / 2

    with progress from 0 at the end of the warm-up to 1 at the horizon, where
    the rate stays (Loshchilov & Hutter, 2017, eq. 5, without restarts).

    Parameters
    ----------
    initial : float
        Highest rate.
    horizon : int
        Number of updates after which the final rate is reached: epochs *
        ceil(n_samples / batch_size) for the end of a fit.
    warm_up : int, default=0
        Updates of the linear rise from initial / (warm_up + 1), below horizon.
    final : float, default=0.0
        Rate from the horizon on.

    Examples
    --------
    >>> from backprop_mlp.schedules import Cosine
    >>> [round(Cosine(1.0, horizon=12, warm_up=2)(step), 2) for step in (0, 1, 2, 7, 12, 99)]
    [0.33, 0.67, 1.0, 0.5, 0.0, 0.0]
    """

    initial: float
    horizon: int
    warm_up: int = 0
    final: float = 0.0

    def _check_arguments(self):
        _check("initial", self.initial)
        _check("horizon", self.horizon, positive=True)
        _check("warm_up", self.warm_up)
        _check("final", self.final)
        if self.warm_up >= self.horizon:
            raise ValueError(
                f"warm_up must be below horizon={self.horizon!r}; got {self.warm_up!r}."
            )

    def _rate(self, step):
        if step < self.warm_up:
            return self.initial * (step + 1) / (self.warm_up + 1)
        progress = min(1.0, (step - self.warm_up) / (self.horizon - self.warm_up))
        return self.final + (self.initial - self.final) * (1.0 + math.cos(math.pi * progress)) / 2


NAMES = ("constant", "invscaling", "adaptive", "step", "exponential", "inverse_time", "cosine")
"""Schedules that can be chosen by name. "adaptive" is constant until the cost
stops falling: `_training/stopping.py` then divides it."""


def schedule_named(name, initial, *, power, steps_per_epoch, horizon):
    """The schedule of a name, with the lecture's constants in units of epochs.

    Parameters
    ----------
    name : str
        One of ``NAMES``: "step" halves the rate every 10 epochs, "exponential"
        multiplies it by 0.95 per epoch, "inverse_time" divides it by 1 + epochs,
        "cosine" falls to 0 at the horizon after a warm-up of a twentieth.
    initial : float
    power : float
        Of "invscaling".
    steps_per_epoch, horizon : int

    Returns
    -------
    schedule : callable(time) -> rate
    time : {"epochs", "rows"}
        What it is a function of: epochs in units of the current epoch's steps, or
        the rows seen.
    """
    match name:
        case "invscaling":
            return InvScaling(initial, power), "rows"
        case "step":
            return Step(initial, every=10 * steps_per_epoch), "epochs"
        case "exponential":
            return Exponential(initial, every=steps_per_epoch), "epochs"
        case "inverse_time":
            return InverseTime(initial, every=steps_per_epoch), "epochs"
        case "cosine":
            return Cosine(initial, horizon=horizon, warm_up=horizon // 20), "epochs"
        case _:
            return Constant(initial), "epochs"
