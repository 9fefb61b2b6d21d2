"""How two sides are timed against each other, and the rows that come of it.

A figure is the median, over repeats, of the ratio of two times that were taken one
right after the other in the same process. Every sample is preceded by calls that
are not timed. The BLAS limit is part of a side; after a sample in which BLAS or a
peer had threads of its own we wait, for such threads spin on for a while and would
slow down whatever is measured next.
"""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
from threadpoolctl import ThreadpoolController

SETTLE = 0.2
"""Seconds to wait after a sample with several threads."""

SAMPLE = 0.06
"""Seconds that a sample takes at least, unless its calls are counted."""


@dataclass(frozen=True)
class Side:
    """One of the things that are timed against each other.

    Parameters
    ----------
    name : str
    opened : callable() -> context manager
        Gives the callable that is timed; opening and closing it is not.
    n_threads : int
        The BLAS limit in force when it is opened.
    """

    name: str
    opened: Callable
    n_threads: int

    @classmethod
    def of(cls, name, call, n_threads):
        """The side of a callable that needs no context."""
        return cls(name, lambda: nullcontext(call), n_threads)


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Parameters
    ----------
    group, what, against : str
        The group of benchmarks, what was measured and what it was compared with.
    figure, low, high : float
        Median over the repeats, and the quartiles.
    unit : str
        What the figure counts: "times faster", "MiB", ...
    target : float or None
        What it should reach, if there is anything to reach.
    at_least : bool
        Whether the target is a lower bound; an upper bound if not.
    detail : str
        The times or costs behind it.
    """

    group: str
    what: str
    against: str
    figure: float
    low: float
    high: float
    unit: str = "times faster"
    target: float | None = None
    at_least: bool = True
    detail: str = ""

    @property
    def met(self):
        """Whether the target is reached; None without one."""
        if self.target is None:
            return None
        reached = self.figure >= self.target if self.at_least else self.figure <= self.target
        return bool(reached)


@dataclass(frozen=True)
class Curve:
    """How one quantity grows with another, for the drawing.

    Parameters
    ----------
    title, x_label, y_label : str
    x : list of float
    lines : dict
        Label -> list of float, as long as x.
    """

    title: str
    x_label: str
    y_label: str
    x: list
    lines: dict = field(default_factory=dict)


@cache
def blas():
    """The process's BLAS libraries, as threadpoolctl finds them."""
    return ThreadpoolController().select(user_api="blas")


def default_threads():
    """Threads that BLAS uses out of the box."""
    return max((library.num_threads for library in blas().lib_controllers), default=1)


def interleaved(sides: Sequence[Side], repeats, calls=None) -> dict[str, np.ndarray]:
    """Seconds a call of every side, in ``repeats`` rounds through all of them.

    Parameters
    ----------
    sides : sequence of Side
    repeats : int
    calls : int, default=None
        Timed calls a sample. None chooses as many as fill ``SAMPLE`` seconds,
        and precedes every sample by a fifth of them, untimed. If given, there is
        one untimed call in all.

    Returns
    -------
    seconds : dict
        Name of the side -> ndarray of shape (repeats,), the median of each sample.
    """
    counts = {side.name: calls or _calls_a_sample(side) for side in sides}
    if calls:
        for side in sides:
            _sample(side, 0, 1)
    seconds: dict[str, list] = {side.name: [] for side in sides}
    for _ in range(repeats):
        for side in sides:
            count = counts[side.name]
            n_untimed = 0 if calls else math.ceil(count / 5)
            seconds[side.name].append(np.median(_sample(side, n_untimed, count)))
    return {name: np.array(values) for name, values in seconds.items()}


def _calls_a_sample(side):
    first, second = _sample(side, 0, 2)
    return math.ceil(SAMPLE / min(first, second))


def _sample(side, n_untimed, n_timed):
    """Seconds of each timed call."""
    seconds = []
    with blas().limit(limits=side.n_threads), side.opened() as call:
        for _ in range(n_untimed):
            call()
        for _ in range(n_timed):
            began = time.perf_counter()
            call()
            seconds.append(time.perf_counter() - began)
    if side.n_threads > 1:
        time.sleep(SETTLE)
    return seconds


def quickest(seconds: Mapping[str, np.ndarray], names) -> str:
    """The side, of some, with the smallest median."""
    return min(names, key=lambda name: np.median(seconds[name]))


def quartiles(values) -> dict[str, float]:
    """Median and quartiles, as a `Row` names them."""
    low, figure, high = np.percentile(values, [25, 50, 75])
    return {"figure": float(figure), "low": float(low), "high": float(high)}


def times(seconds) -> str:
    """Medians of all sides, in words."""
    parts = (f"{name} {duration(np.median(values))}" for name, values in seconds.items())
    return ", ".join(parts)


def duration(seconds: Any) -> str:
    """A time with a unit that suits it."""
    for factor, unit in ((1.0, "s"), (1e3, "ms")):
        if seconds * factor >= 1.0:
            return f"{seconds * factor:.3g} {unit}"
    return f"{seconds * 1e6:.3g} us"
