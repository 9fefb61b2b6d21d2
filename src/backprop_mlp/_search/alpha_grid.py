"""The grid of alphas: given, or found by walking on from an end where the best alpha lies."""

import math
from numbers import Integral

import numpy as np

FIRST_ALPHAS = (1.0, 10.0**0.5, 10.0)
"""What a grid that is found begins with; from there it goes by factors of the root of ten. On
twenty tables of 140 to 1,850 training rows the best alpha was 0.01 to 30: a path that begins
at 1 spends its iterations where the choice falls."""

LOWEST_ALPHA, HIGHEST_ALPHA = 0.01, 1000.0


def fixed_grid(alphas, found_by_loss):
    """The alphas in ascending order, or None if they are to be found.

    Parameters
    ----------
    alphas : "auto", int or array-like of float
    found_by_loss : bool
        Whether the held-out loss chooses, which falls and then rises along the alphas; other
        scores may be too coarse to end a walk by them.

    Returns
    -------
    grid : ndarray of shape (n_alphas,) or None

    Raises
    ------
    ValueError
        If they are not allowed.
    """
    if isinstance(alphas, str) and alphas == "auto":
        return None if found_by_loss else np.logspace(-1.0, 2.0, 7)
    if isinstance(alphas, Integral) and not isinstance(alphas, bool):
        return np.logspace(-2.0, 2.0, int(alphas))
    try:
        grid = np.asarray(alphas)
    except ValueError:  # rows of different lengths
        grid = np.empty(0)
    if (
        grid.ndim != 1
        or grid.size == 0
        or grid.dtype.kind not in "iuf"
        or not np.all((grid >= 0.0) & (grid < np.inf))
    ):
        raise ValueError(
            f"alphas must be 'auto', an int > 0 or finite numbers >= 0; got {alphas!r}."
        )
    return np.unique(grid.astype(np.float64))


def next_alpha(alphas, best):
    """The alpha that a grid lacks beyond the end at which the best one lies.

    Parameters
    ----------
    alphas : ndarray of shape (n_alphas,)
        Rising.
    best : int
        Number of the best one.

    Returns
    -------
    alpha : float or None
        None if the best one lies inside, or the grid has come to its limits.
    """
    if best == len(alphas) - 1 and alphas[-1] < HIGHEST_ALPHA:
        return _half_decades_from(alphas[-1], 1)
    if best == 0 and alphas[0] > LOWEST_ALPHA:
        return _half_decades_from(alphas[0], -1)
    return None


def _half_decades_from(alpha, steps):
    """10 to the power of a half, times the number of steps: whole powers are exact."""
    return 10.0 ** ((round(2.0 * math.log10(alpha)) + steps) / 2.0)
