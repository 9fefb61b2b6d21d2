"""Hundreds of fits and predictions in one process leave nothing behind."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

psutil = pytest.importorskip("psutil", reason="psutil tells the memory of a process")

PROGRAM = '''
import gc, json, sys, threading, tracemalloc, warnings

import numpy as np
import psutil
from threadpoolctl import threadpool_info

from backprop_mlp import BackpropMLPClassifier

warnings.simplefilter("ignore")
process = psutil.Process()
rng = np.random.default_rng(0)
SOLVERS = ("cg", "lbfgs", "newton-cg", "adam", "rmsprop", "sgd")
FEW = rng.normal(size=(150, 4))
MANY = rng.normal(size=(2600, 120))
SMALL = BackpropMLPClassifier(5, "tanh", max_iter=3, random_state=0)
# Its blocks are worth a thread.
LARGE = BackpropMLPClassifier(40, max_iter=2, batch_size=2600, random_state=0)
VARIANTS = [
    {}, {"n_init": 2, "n_jobs": 2}, {"early_stopping": True}, {"warm_start": True},
]


class Wrong(Exception):
    pass


def fail(rng, fan_in, fan_out):
    raise Wrong


def work(number):
    """One fit and its predictions, each time another configuration."""
    solver = SOLVERS[number % 6]
    estimator, X = (LARGE, MANY) if number % 10 == 0 else (SMALL, FEW)
    y = (X[:, :3] > 0.5).sum(axis=1)
    classifier = BackpropMLPClassifier(**estimator.get_params())
    classifier.set_params(solver=solver, **VARIANTS[number % len(VARIANTS)])
    for _ in range(2 if classifier.warm_start else 1):
        classifier.fit(X, y)
    classifier.predict_proba(X), classifier.predict(X), classifier.cost_gradient(X, y)
    if classifier.solver in SOLVERS[3:] and not classifier.early_stopping:
        classifier.partial_fit(X, y)
    try:
        classifier.set_params(initializer=fail, warm_start=False).fit(X, y)
    except Wrong:
        pass


def state():
    gc.collect()
    return {
        "resident": process.memory_info().rss,
        "allocated": tracemalloc.get_traced_memory()[0],
        "objects": len(gc.get_objects()),
        "threads": threading.active_count(),
        "native_threads": process.num_threads(),
        "files": process.num_fds() if hasattr(process, "num_fds") else 0,
        "limits": sorted((pool["filepath"], pool["num_threads"]) for pool in threadpool_info()),
    }


if sys.argv[1] == "traced":
    tracemalloc.start()
states = []
for _ in range(2):
    for number in range(200):
        work(number)
    states.append(state())
print(json.dumps(states))
'''


@pytest.fixture(scope="module", params=["as usual", "traced"])
def states(request):
    """What a process holds after 200 fits and more, and after as many again."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, request.param],
        env=os.environ | {"OMP_NUM_THREADS": "2", "PYTHONPATH": os.pathsep.join(sys.path)},
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["threads", "native_threads", "files", "limits"])
def test_fits_leave_no_threads_no_files_and_no_limits(states, name):
    assert states[1][name] == states[0][name]


@pytest.mark.slow
def test_fits_leave_no_memory(states):
    grown = {
        name: states[1][name] - states[0][name] for name in ("resident", "allocated", "objects")
    }
    # Less than one object in two fits, and than a few numbers in each.
    assert grown["objects"] < 100
    assert grown["allocated"] < 20_000
    # What is left to the allocator; twenty of the fits have rows of 2.5 MB.
    assert grown["resident"] < 8_000_000
