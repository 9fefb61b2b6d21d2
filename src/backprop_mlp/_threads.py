"""How blocks of rows are spread over threads, and which BLAS pools are held to one.

NumPy and SciPy each bring a BLAS with a thread pool of its own. Small matrix
products gain little from it, and two pools that spin side by side cost many
times what the products take. So while blocks are computed every BLAS pool is
held to one thread, and the threads are ours: one block each.
"""

import threading
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cached_property, partial

from threadpoolctl import ThreadpoolController

WORK_WORTH_A_THREAD = 10_000_000
"""Floating-point operations of a block below which handing it to a thread costs
more than it brings."""


class _BlasGuard:
    """Holds the process's BLAS pools to one thread while at least one user needs it.

    The limits belong to the process, not to a thread. So the first user notes
    and changes them, the last one restores them, and those in between read
    what the first one noted.
    """

    def __init__(self):
        self._lock = threading.Lock()
        self._users = 0
        self._n_threads = 1
        self._limited: list = []

    @cached_property
    def _libraries(self):
        # Looking for them takes about a millisecond: once a process.
        return ThreadpoolController().select(user_api="blas").lib_controllers

    def __enter__(self):
        """Hold BLAS to one thread; the number of threads that it had before."""
        with self._lock:
            if self._users == 0:
                limits = [(library, library.num_threads) for library in self._libraries]
                self._n_threads = max((limit for _, limit in limits), default=1)
                self._limited = [(library, limit) for library, limit in limits if limit > 1]
                for library, _ in self._limited:
                    library.set_num_threads(1)
            self._users += 1
            return self._n_threads

    def __exit__(self, *error):
        with self._lock:
            self._users -= 1
            if self._users == 0:
                for library, limit in self._limited:
                    library.set_num_threads(limit)


one_blas_thread = _BlasGuard()
"""Context in which BLAS has one thread."""


@contextmanager
def block_map(n_blocks, work):
    """Context in which blocks may be computed; gives the ``map`` that does it.

    As many threads are used as the BLAS limits in force allow, so
    ``OMP_NUM_THREADS``, ``threadpool_limits`` and the limits that joblib sets in
    its workers are respected. The results do not depend on how many there are.

    Parameters
    ----------
    n_blocks : int
        How many blocks one pass has.
    work : float
        Floating-point operations of one block.

    Yields
    ------
    map : callable(function, blocks) -> iterator
        Gives the results in the order of the blocks.
    """
    with one_blas_thread as n_threads:
        n_threads = min(n_threads, n_blocks)
        if n_threads == 1 or work < WORK_WORTH_A_THREAD:
            yield map
        else:
            with ThreadPoolExecutor(n_threads) as pool:
                yield partial(_ordered_map, pool, 2 * n_threads)


def _ordered_map(pool, n_waiting, function, blocks):
    """Like ``pool.map``, with no more than n_waiting blocks and results in memory."""
    waiting: deque = deque()
    try:
        for block in blocks:
            waiting.append(pool.submit(function, block))
            if len(waiting) == n_waiting:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()
