"""Numbers that users hand over, as Python's own."""

import math
import sys
from numbers import Real
from typing import Any

MAX_COUNT = sys.maxsize // 8
"""Of numbers, eight bytes each: NumPy names no keyword where an array would hold more."""


def as_float(value: Any) -> float:
    """A real number as a float; nan, which no bound lets through, for what is none.

    That is also an integer or a fraction that is too large for a float.
    """
    try:
        return float(value) if isinstance(value, Real) else math.nan
    except OverflowError:
        return math.nan
