"""The memory of a worker while blocks are computed."""

import ctypes
import os
import sys
from functools import cache

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_LARGEST_THRESHOLD = 32 * 2**20 - 1


@cache
def keep_freed_memory():
    """Have a worker process keep what a block's arrays give back, for those of the next.

    Dask starts workers with MALLOC_TRIM_THRESHOLD_=65536. That keeps glibc from raising
    its thresholds when it sees large arrays freed; it then returns the memory of every
    array and fetches it page by page, which was half of the time. These are the
    thresholds that glibc would come to by itself (M_MMAP_THRESHOLD in mallopt(3)): each
    thread keeps at most 64 MiB.
    """
    if sys.platform != "linux" or "MALLOC_TRIM_THRESHOLD_" not in os.environ:
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, _LARGEST_THRESHOLD)
        mallopt(_M_TRIM_THRESHOLD, 2 * _LARGEST_THRESHOLD)
