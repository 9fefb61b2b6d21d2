"""Seeds for fits, for their starts and for draws of rows."""

from contextlib import contextmanager

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
    return rng.randint(MAX_SEED, size=int(n_seeds)).tolist()  # True is a number, too


@contextmanager
def drawn_again_after_failure(random_state):
    """Context whose failure leaves a generator as it was: the next try draws the same numbers.

    Parameters
    ----------
    random_state : int, RandomState instance or None
        The keyword of an estimator. Only an instance has anything to give back.
    """
    state = None
    if isinstance(random_state, np.random.RandomState):
        state = random_state.get_state(legacy=False)
    try:
        yield
    except BaseException:
        if state is not None:
            random_state.set_state(state)
        raise
