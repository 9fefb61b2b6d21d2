"""Numbers that overflow: ignored while they are computed, refused where they come out."""

from typing import Any

import numpy as np
from scipy.sparse import issparse

IGNORE_OVERFLOW: Any = {"over": "ignore", "invalid": "ignore", "under": "ignore"}
"""For ``np.errstate``. Hidden units may overflow where the next layer bounds them, and a line
search looks at steps that it does not take; what counts is checked. Numbers that vanish are zero,
also for a user of ``np.seterr(all="raise")``."""


NOT_FINITE = (
    "{name} holds nan or infinity, which scikit-learn's assume_finite=True lets through. Impute or "
    "leave out such values."
)
"""Message for inputs that no network can compute with."""


def is_finite(X):
    """Whether all inputs, dense or sparse, are finite numbers."""
    return bool(np.isfinite(X.data if issparse(X) else X).all())


def refuse_overflow(name, values, X=None):
    """Raise an error if there are infinities or nan among the values.

    Parameters
    ----------
    name : str
        What the values are.
    values : {float, ndarray}
    X : {ndarray, csr_matrix} or None, default=None
        The inputs that the values were computed from. If those are not finite, nothing
        has overflowed.

    Raises
    ------
    FloatingPointError
        If a value is not finite.
    ValueError
        If an input is not.
    """
    if not np.isfinite(values).all():
        if X is not None and not is_finite(X):
            raise ValueError(NOT_FINITE.format(name="X"))
        raise FloatingPointError(
            f"The {name} for these rows of X can't be computed: the numbers overflow. Scale the "
            "features as those that the network was trained on."
        )
