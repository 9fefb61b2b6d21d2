"""Training on Dask collections, on this machine's cores, beside the same rows in memory."""

from importlib.util import find_spec

from _data import random_rows
from _measure import Row, Side, default_threads, interleaved, quartiles, times
from sklearn.base import clone

from backprop_mlp import BackpropMLPClassifier

N_ROWS, N_FEATURES, N_CLASSES = 400_000, 54, 7
PARTITIONS_PER_WORKER = (1, 40)


def measure(options):
    """Yield the rows of the table; none without Dask."""
    if find_spec("distributed") is None:
        print("skipped: Dask is not installed")
        return
    from distributed import Client

    X, y = random_rows(options.rows(N_ROWS), N_FEATURES, N_CLASSES, "float32")
    n_workers = default_threads()
    with Client(n_workers=n_workers, threads_per_worker=1, dashboard_address=None):
        for solver in ("lbfgs", "cg"):
            yield from _fits(solver, X, y, n_workers, options.repeats or 5)


def _fits(solver, X, y, n_workers, repeats):
    """Ten iterations, with few partitions and with many."""
    import dask.array as da
    from distributed import wait

    network = BackpropMLPClassifier(100, solver=solver, max_iter=10, random_state=0)
    calls = {"in memory": lambda: clone(network).fit(X, y)}
    for each in PARTITIONS_PER_WORKER:
        n_rows = -(-len(X) // (each * n_workers))
        parts = da.from_array(X, chunks=(n_rows, -1)), da.from_array(y, chunks=n_rows)
        parts = tuple(part.persist() for part in parts)
        wait(parts)
        calls[f"{parts[0].numblocks[0]} partitions"] = _fit_of(network, parts)
    sides = [Side.of(name, call, n_workers) for name, call in calls.items()]
    seconds = interleaved(sides, repeats, calls=1)
    memory = seconds.pop("in memory")
    for name, taken in seconds.items():
        yield Row(
            "dask",
            f"10 iterations of {solver}, {len(X)} x {N_FEATURES}, {name}",
            "the same rows in memory",
            **quartiles(taken / memory),
            unit="times the time",
            detail=times({"in memory": memory, name: taken}),
        )


def _fit_of(network, parts):
    """A fit on the partitions of X and y."""
    from backprop_mlp.dask import DaskBackpropMLPClassifier

    return lambda: DaskBackpropMLPClassifier(network).fit(*parts)
