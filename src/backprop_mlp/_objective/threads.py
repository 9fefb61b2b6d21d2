"""How blocks of rows are spread over threads, and which BLAS pools are held to one.

NumPy and SciPy each bring a BLAS with a thread pool of its own. Small matrix
products gain little from it, and two pools that spin side by side cost many
times what the products take. So while blocks are computed every BLAS pool is
held to one thread, and the threads are ours, with some blocks each.
"""

import math
import threading
from collections import Counter, deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache, partial

import numpy as np
from threadpoolctl import OpenBLASController, ThreadpoolController

from .._cached import cached_property

FLOPS_WORTH_A_THREAD = 10_000_000
"""Floating-point operations of a block below which handing it to a thread costs
more than it brings."""

FLOPS_OF_A_TASK = 300_000_000
"""Floating-point operations that a thread is handed at once, if there are enough:
waking it takes as long as some millions of them."""

RESULTS_OF_A_TASK = 1_000_000
"""Bytes of the results that a thread hands over at once, unless a single one is larger."""

WORTH_BLAS_THREADS = 9_000
"""Multiplications of a matrix product below which BLAS takes one thread anyway: OpenBLAS
shares a product with a vector out from 9,216 on, one with a matrix from 262,144 on."""


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
        # Looking for them takes about a millisecond: once per process.
        return ThreadpoolController().select(user_api="blas").lib_controllers

    def __enter__(self):
        """Hold BLAS to one thread; the number of threads that it had before."""
        with self._lock:
            if self._users == 0:
                limits = [(library, library.num_threads) for library in self._libraries]
                self._n_threads = max((limit for _, limit in limits), default=1)
                self._limited = [(library, limit) for library, limit in limits if limit > 1]
                try:
                    self.hold()
                except BaseException:  # Ctrl-C may come at any place
                    _set_limits(self._limited)
                    raise
            self._users += 1
            return self._n_threads

    def __exit__(self, *error):
        with self._lock:
            self._users -= 1
            if self._users == 0:
                try:
                    _set_limits(self._limited)
                except BaseException:
                    _set_limits(self._limited)
                    raise

    def hold(self):
        """Hold BLAS to one thread in this thread: over OpenMP each has a limit of its own."""
        _set_limits([(library, 1) for library, _ in self._limited])


# From threadpoolctl 3.8 on the first thread that sets OpenBLAS's limit is the only one
# that can until this is called: what others set does nothing, in silence.
_let_any_thread_set_limits = getattr(
    OpenBLASController, "clear_controlling_thread", lambda force: None
)


def _set_limits(limits):
    """Set the limits of BLAS libraries from pairs of both, whichever thread set them last."""
    _let_any_thread_set_limits(force=True)
    for library, limit in limits:
        library.set_num_threads(limit)
    _let_any_thread_set_limits(force=True)


one_blas_thread = _BlasGuard()
"""Context in which BLAS has one thread."""


class _Sharers:
    """The threads of users that spread blocks over threads at the moment, nested ones once."""

    def __init__(self):
        self._lock = threading.Lock()
        self._contexts: Counter = Counter()
        """User's thread -> how many contexts it is in."""

    @contextmanager
    def joined(self):
        """Context in which the calling thread is one of them."""
        user = threading.get_ident()
        with self._lock:
            self._contexts[user] += 1
        try:
            yield
        finally:
            with self._lock:
                self._contexts[user] -= 1
                if not self._contexts[user]:
                    del self._contexts[user]

    def share(self, n_threads):
        """How many of the threads each of them may keep busy, at least one."""
        return max(1, n_threads // max(1, len(self._contexts)))


_sharers = _Sharers()


@cache
def _keep_freed_memory():
    """Have the process keep what a block's arrays give back, for those of the next.

    glibc returns freed memory to the system, and then fetches it page by page,
    until it has once seen a block as large as this one freed (M_MMAP_THRESHOLD in
    mallopt(3)). In a fresh process that was a tenth to a third of the time.
    """
    np.empty(31 * 2**20, dtype=np.uint8)


@contextmanager
def block_map(flops, result_bytes=0):
    """Context in which blocks may be computed; gives the ``map`` that does it.

    As many threads are used as the BLAS limits in force allow, so
    ``OMP_NUM_THREADS``, ``threadpool_limits`` and the limits that joblib sets in
    its workers are respected. Fits that run side by side, such as a search's folds,
    share them, and the last one has them all. The results do not depend on how many
    there are.

    Parameters
    ----------
    flops : float
        Floating-point operations of one block.
    result_bytes : int, default=0
        Memory of one block's result, if it is large: each thread then has at most
        two results that are not taken yet.

    Yields
    ------
    map : callable(function, blocks) -> iterator
        Gives the results in the order of the blocks. These are a sequence; the
        threads take the blocks from it themselves, so that one which cuts them
        out of a data set when they are asked for does so while others compute.
    """
    _keep_freed_memory()
    with one_blas_thread as n_threads:
        if n_threads == 1 or flops < FLOPS_WORTH_A_THREAD:
            yield map
        else:
            # A thread is started when there is a task for it, and none waits.
            pool = ThreadPoolExecutor(n_threads, initializer=one_blas_thread.hold)
            with pool, _sharers.joined():
                yield partial(_ordered_map, pool, n_threads, flops, result_bytes)


def _ordered_map(pool, n_threads, flops, result_bytes, function, blocks):
    """Like ``pool.map``, with no more than a few tasks' results in memory."""
    n_threads = _sharers.share(n_threads)
    if n_threads == 1:
        yield from map(function, blocks)
        return
    tasks_by_size = max(flops / FLOPS_OF_A_TASK, result_bytes / RESULTS_OF_A_TASK) * len(blocks)
    n_rounds = math.ceil(tasks_by_size / n_threads)
    n_tasks = min(n_rounds * n_threads, len(blocks))
    if n_tasks == 1:
        yield function(blocks[0])
        return

    errors = np.geterr()

    def compute(task):
        # NumPy keeps its error handling by thread: what the caller leaves for later, we do.
        with np.errstate(**errors):
            return [function(blocks[index]) for index in task.tolist()]

    waiting: deque = deque()
    try:
        for task in np.array_split(np.arange(len(blocks)), n_tasks):
            waiting.append(pool.submit(compute, task))
            if len(waiting) == 2 * n_threads:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()
