"""Which partitions are computed together: those that lie on one worker, for each of its threads."""

from typing import NamedTuple

SHARE_OF_MEMORY = 0.1
"""Of a worker's memory, shared by its threads, for the partitions of a task: it needs all of
them in memory, while others may be on disk."""

MAX_IMBALANCE = 1.1
"""How much more than its even share of the rows a thread takes before one is moved elsewhere."""


class Worker(NamedTuple):
    """A worker.

    Parameters
    ----------
    address : str
    n_threads : int
    memory : float
        Its limit in bytes; inf if it has none.
    """

    address: str
    n_threads: int
    memory: float


def workers_of(client):
    """The cluster's workers, in the order of their addresses; waits until there is one."""
    # What `Client.scheduler_info` returns is replaced in the background from time to time, by a
    # summary that lists no workers.
    while not (workers := _described(client)):
        client.wait_for_workers(1)
    return [
        Worker(address, about["nthreads"], about["memory_limit"] or float("inf"))
        for address, about in sorted(workers.items())
    ]


def has_workers(client):
    """Whether the cluster has a worker at this moment."""
    return bool(_described(client))


def _described(client):
    return client.sync(client.scheduler.identity, n_workers=-1)["workers"]


def group_partitions(sizes, addresses, workers):
    """Groups of partitions, one for each thread of each worker where memory allows.

    Parameters
    ----------
    sizes : list of int
        Bytes of each partition.
    addresses : list of str or None
        The worker on which it lies.
    workers : list of Worker

    Returns
    -------
    groups : list of (str, list of int)
        A worker's address, and the numbers of the partitions of a group. Each
        partition is in one group.
    """
    threads = [worker for worker in workers for _ in range(worker.n_threads)]
    loads = [0.0] * len(threads)
    of_worker: dict = {}
    for thread, worker in enumerate(threads):
        of_worker.setdefault(worker.address, []).append(thread)
    enough = MAX_IMBALANCE * sum(sizes) / len(threads)
    shares: list[list[int]] = [[] for _ in threads]
    for number, (size, address) in enumerate(zip(sizes, addresses, strict=True)):
        here = of_worker.get(address, range(len(threads)))
        thread = min(here, key=loads.__getitem__)
        if loads[thread] + size > enough:
            thread = min((thread, *range(len(threads))), key=loads.__getitem__)
        loads[thread] += size
        shares[thread].append(number)
    return [
        (worker.address, group)
        for worker, numbers in zip(threads, shares, strict=True)
        for group in _cut(numbers, sizes, SHARE_OF_MEMORY * worker.memory / worker.n_threads)
    ]


def _cut(numbers, sizes, limit):
    """Partitions in groups of at most ``limit`` bytes, unless a single one has more."""
    groups: list[list[int]] = []
    filled = 0.0
    for number in numbers:
        if not groups or filled + sizes[number] > limit:
            groups.append([])
            filled = 0.0
        groups[-1].append(number)
        filled += sizes[number]
    return groups
