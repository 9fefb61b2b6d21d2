"""Numbers that overflow: ignored while they are computed, refused where they come out."""

from typing import Any

import numpy as np

IGNORE_OVERFLOW: Any = {"over": "ignore", "invalid": "ignore"}
"""For ``np.errstate``. Hidden units may overflow where the next layer bounds them, and a line
search looks at steps that it does not take; what counts is checked."""


def refuse_overflow(name, values):
    """Raise an error if there are infinities or nan among the values.

    Parameters
    ----------
    name : str
        What the values are.
    values : {float, ndarray}

    Raises
    ------
    FloatingPointError
        If a value is not finite.
    """
    if not np.isfinite(values).all():
        raise FloatingPointError(
            f"The {name} for these rows of X can't be computed: the numbers overflow. Scale the "
            "features as those that the network was trained on."
        )
