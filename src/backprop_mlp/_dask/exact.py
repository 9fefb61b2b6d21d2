"""Sums that do not depend on the order of their terms."""

import numpy as np

from .._objective.overflow import IGNORE_OVERFLOW


class ExactSum:
    """A sum without rounding errors: its value is rounded once, when it is asked for.

    So the sum over partitions is the same wherever they lie and in whatever groups
    they were added. The sum is kept as arrays, the levels, whose exact sum it is: the
    error of an addition is a number of the same precision (Knuth, "The art of
    computer programming", vol. 2, section 4.2.2, theorem B), which the next level
    takes. There are as many levels as needed, mostly three.
    """

    def __init__(self):
        self._entries = None
        self._levels = []

    def add(self, term):
        """Add a float, an array, or a tuple of these.

        Parameters
        ----------
        term : {float, ndarray, tuple of these}
            All terms have the same shape.
        """
        if isinstance(term, tuple):
            if self._entries is None:
                self._entries = [ExactSum() for _ in term]
            for entry, value in zip(self._entries, term, strict=True):
                entry.add(value)
            return
        rest = np.array(term, dtype=np.float64)
        for number, level in enumerate(self._levels):
            self._levels[number], rest = _two_sum(level, rest)
            if not rest.any():
                return
        self._levels.append(rest)

    def add_sum(self, other):
        """Add another sum."""
        if other._entries is not None:
            if self._entries is None:
                self._entries = [ExactSum() for _ in other._entries]
            for entry, value in zip(self._entries, other._entries, strict=True):
                entry.add_sum(value)
            return
        for level in other._levels:
            self.add(level)

    def value(self):
        """The sum, in the form of its terms: each number is the nearest float64."""
        if self._entries is not None:
            return tuple(entry.value() for entry in self._entries)
        levels = _apart(self._levels)
        total = levels[0]
        if len(levels) > 2:
            # Half a unit in the last place is rounded to even, unless something lies beyond it.
            with np.errstate(**IGNORE_OVERFLOW):
                doubled = 2.0 * levels[1]
                next_one = total + doubled
                beyond = (levels[1] * np.sign(levels[2]) > 0.0) & (next_one - total == doubled)
            total = np.where(beyond, next_one, total)
        return total if np.ndim(total) else float(total)


def add_exactly(sums):
    """The sum of several sums."""
    total = ExactSum()
    for part in sums:
        total.add_sum(part)
    return total


def _two_sum(a, b):
    """The rounded sum and its error, which is exact; 0 where the sum is not finite."""
    with np.errstate(**IGNORE_OVERFLOW):
        total = a + b
        added = total - a
        rest = (a - (total - added)) + (b - added)
        finite = np.isfinite(total)
        return total, rest if finite.all() else np.where(finite, rest, 0.0)


def _apart(levels):
    """Levels of the same sum, each at most half a unit in the last place of the one before."""
    levels = list(levels)
    changed = True
    while changed:
        changed = False
        for number in range(len(levels) - 1, 0, -1):
            total, rest = _two_sum(levels[number - 1], levels[number])
            changed |= not np.array_equal(total, levels[number - 1], equal_nan=True)
            levels[number - 1], levels[number] = total, rest
    return levels
