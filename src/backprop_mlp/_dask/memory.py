"""The memory of a worker while blocks are computed."""

import ctypes
import os
import sys
import threading

from .._cached import cached_property

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_USUAL_MMAP_THRESHOLD = 128 * 2**10
_ABOVE_BLOCKS = 4 * 2**20
"""Bytes: more than an array of a block has, less than most partitions."""


class _FreedMemory:
    """Has a worker process keep what a block's arrays give back, for those of the next.

    Dask starts workers with MALLOC_TRIM_THRESHOLD_=65536. That keeps glibc from raising
    its thresholds when it sees large arrays freed (mallopt(3)): it returns the memory of
    every array and fetches it page by page, which was half of the time. Partitions are
    too large to be kept: Dask could not free memory by writing them to disk. Afterwards
    all is as before. Threads of a process share the thresholds: the last one restores them.
    """

    def __init__(self):
        self._lock = threading.Lock()
        self._users = 0

    @cached_property
    def _libc(self):
        """The C library, if it is glibc and Dask has set its threshold."""
        if sys.platform != "linux" or "MALLOC_TRIM_THRESHOLD_" not in os.environ:
            return None
        libc = ctypes.CDLL(None)
        return libc if hasattr(libc, "mallopt") and hasattr(libc, "malloc_trim") else None

    def __enter__(self):
        with self._lock:
            if self._libc is not None and self._users == 0:
                self._libc.mallopt(_M_MMAP_THRESHOLD, _ABOVE_BLOCKS)
                self._libc.mallopt(_M_TRIM_THRESHOLD, 4 * _ABOVE_BLOCKS)
            self._users += 1

    def __exit__(self, *error):
        with self._lock:
            self._users -= 1
            if self._libc is not None and self._users == 0:
                environment = os.environ
                before = environment.get("MALLOC_MMAP_THRESHOLD_", _USUAL_MMAP_THRESHOLD)
                self._libc.mallopt(_M_MMAP_THRESHOLD, int(before))
                self._libc.mallopt(_M_TRIM_THRESHOLD, int(environment["MALLOC_TRIM_THRESHOLD_"]))
                self._libc.malloc_trim(0)


keep_freed_memory = _FreedMemory()
"""Context in which a worker computes blocks."""
