"""Peak memory of fits, each in a process of its own.

Above the data: the peak resident size during ``fit`` minus the resident size before
it, when the data lie in memory and a small fit has loaded all libraries. For a
memory-mapped file what counts is the process's *anonymous* memory, for the mapped
pages are the system's cache and go when they are needed. Both are read from
/proc/self: this group needs Linux.
"""

import argparse
import json
import shutil
import subprocess
import sys
import threading
import time
import warnings
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from _measure import Row, duration
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from backprop_mlp import BackpropMLPClassifier

MIB = 2**20
GIB = 2**30
ROWS_AT_ONCE = 50_000
N_CLASSES = 10
IN_MEMORY = (1_000_000, 50, 100)
"""Rows, features and hidden units of the fit in memory."""
MAPPED = (256, 25)
"""Features and hidden units of the fit on a memory map."""
N_ITER = 3
STATUS = Path("/proc/self/status")
ESTIMATORS = {"ours": BackpropMLPClassifier, "MLPClassifier": MLPClassifier}


def measure(options):
    """Yield the rows of the table."""
    if not STATUS.exists():
        print("skipped: it needs Linux")
        return
    n_rows = options.rows(IN_MEMORY[0])
    for solver in ("lbfgs", "cg", "adam"):
        n_repeats = options.repeats or 3
        for estimator in ("ours", "MLPClassifier"):
            if estimator == "MLPClassifier" and solver == "cg":
                continue
            found = [_child(estimator, solver, n_rows) for _ in range(n_repeats)]
            above = [one["above"] / MIB for one in found]
            seconds = np.median([one["seconds"] for one in found])
            yield Row(
                "memory",
                f"{estimator}, {solver}, {n_rows} x 50 -> 100 -> 10, float32",
                f"above the data of {found[0]['data'] / MIB:.0f} MiB",
                figure=float(np.median(above)),
                low=min(above),
                high=max(above),
                unit="MiB",
                target=150.0 if estimator == "ours" else None,
                at_least=False,
                detail=f"fit of {N_ITER} iterations in {duration(seconds)}",
            )
    yield from _mapped(options.map_gib)


def _child(*arguments):
    """What a child process prints about its fit."""
    command = [sys.executable, __file__, *map(str, arguments)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout)


def _mapped(gib):
    size = int(gib * GIB)
    n_features, hidden = MAPPED
    with TemporaryDirectory() as folder:
        if shutil.disk_usage(folder).free < 1.2 * size:
            print(f"skipped: no room for {gib:g} GiB in {folder}")
            return
        path = Path(folder) / "X.npy"
        n_rows = write_rows(path, size // (4 * n_features), n_features)
        for solver in ("lbfgs", "adam"):
            found = _child("ours", solver, n_rows, path)
            yield Row(
                "memory",
                f"ours, {solver}, memory map of {size / GIB:.3g} GiB, "
                f"{n_features} -> {hidden} -> {N_CLASSES}",
                "anonymous memory, highest",
                figure=found["anonymous"] / MIB,
                low=found["anonymous"] / MIB,
                high=found["anonymous"] / MIB,
                unit="MiB",
                target=1024.0,
                at_least=False,
                detail=f"{found['anonymous_before'] / MIB:.0f} MiB before the fit, labels "
                f"included; fit of {N_ITER} iterations in {duration(found['seconds'])}, "
                f"{found['samples']} samples",
            )


def write_rows(path, n_rows, n_features):
    """Write random float32 rows to an .npy file, a stretch at a time; how many there are."""
    X = np.lib.format.open_memmap(path, "w+", np.float32, (n_rows, n_features))
    fill(X)
    X.flush()
    return n_rows


def fill(X):
    """Overwrite X with normally distributed numbers, a stretch at a time."""
    rng = np.random.default_rng(0)
    for start in range(0, len(X), ROWS_AT_ONCE):
        rows = X[start : start + ROWS_AT_ONCE]
        rows[:] = rng.standard_normal(rows.shape, dtype=np.float32)


def status(field):
    """A size of this process in bytes: VmRSS, VmHWM, RssAnon, ..."""
    for line in STATUS.read_text().splitlines():
        if line.startswith(f"{field}:"):
            return 1024 * int(line.split()[1])
    raise ValueError(f"no {field} in {STATUS}")


class AnonymousPeak:
    """Context that watches this process's anonymous memory from a thread."""

    def __init__(self, interval=0.005):
        self.interval = interval
        self.peak = 0
        self.samples = 0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def _watch(self):
        while True:
            self.peak = max(self.peak, status("RssAnon"))
            self.samples += 1
            if self._done.wait(self.interval):
                return

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *error):
        self._done.set()
        self._thread.join()


def child():
    """Fit once, and print what it took as JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("estimator", choices=ESTIMATORS)
    parser.add_argument("solver")
    parser.add_argument("n_rows", type=int)
    parser.add_argument("path", type=Path, nargs="?")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore", ConvergenceWarning)
    _, n_features, hidden = IN_MEMORY
    if arguments.path is not None:
        n_features, hidden = MAPPED
    params = {"solver": arguments.solver, "max_iter": N_ITER, "random_state": 0}
    if arguments.estimator == "ours":
        params["output_activation"] = "softmax"
    estimator = ESTIMATORS[arguments.estimator](hidden, **params)
    y = np.random.default_rng(1).integers(N_CLASSES, size=arguments.n_rows)
    if arguments.path is None:
        X = np.empty((arguments.n_rows, n_features), np.float32)
        fill(X)
    else:
        X = np.load(arguments.path, mmap_mode="r")
    warm = np.random.default_rng(2).standard_normal((200, n_features), dtype=np.float32)
    estimator.fit(warm, np.arange(200) % N_CLASSES)

    Path("/proc/self/clear_refs").write_text("5")  # the peak starts from here
    before, anonymous_before = status("VmRSS"), status("RssAnon")
    began = time.perf_counter()
    with AnonymousPeak() as anonymous:
        estimator.fit(X, y)
    seconds = time.perf_counter() - began
    json.dump(
        {
            "above": status("VmHWM") - before,
            "anonymous": anonymous.peak,
            "anonymous_before": anonymous_before,
            "samples": anonymous.samples,
            "data": X.nbytes + y.nbytes,
            "seconds": seconds,
        },
        sys.stdout,
    )


if __name__ == "__main__":
    child()
