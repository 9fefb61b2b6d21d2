"""Seeds for fits, for their starts and for draws of rows."""

import numpy as np

MAX_SEED = np.iinfo(np.int32).max


def draw_seeds(rng, n_seeds):
    """Some seeds, or None for each without a source.

    Parameters
    ----------
    rng : numpy.random.RandomState or None
    n_seeds : int

    Returns
    -------
    seeds : list of int or None
    """
    if rng is None:
        return [None] * n_seeds
    return rng.randint(MAX_SEED, size=n_seeds).tolist()
