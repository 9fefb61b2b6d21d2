"""The same `random_state` gives the same bits, wherever and beside whatever a fit runs."""

import hashlib
import os
import pickle
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from joblib import Parallel, delayed, parallel_config
from keywords import SOLVERS, read_by
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.preprocessing import scale
from threadpoolctl import threadpool_limits

import backprop_mlp._objective.threads
from backprop_mlp import BackpropMLPClassifier

N_THREADS = 20

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def few_rows():
    X, y = load_iris(return_X_y=True)
    return scale(X), y


def many_rows():
    """Rows and columns enough that their blocks are worth a thread."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(2600, 120))
    return X, (X[:, :3] > 0.5).sum(axis=1)


ROWS = {"few": few_rows, "many": many_rows}


def network(solver, rows, **params):
    """A network whose rows come in several blocks if there are many."""
    hidden, batch_size = {"few": (5, 40), "many": (40, 2600)}[rows]
    defaults = {"activation": "tanh", "batch_size": batch_size, "max_iter": 3, "tol": 0.0}
    if solver in SOLVERS[3:]:
        # Batch normalisation knows no blocks.
        defaults |= {"dropout": 0.2, "max_iter": 5, "batch_norm": rows == "few"}
    params = defaults | {"random_state": 0} | params
    return BackpropMLPClassifier(hidden, solver=solver, **read_by(solver, params))


def bits(classifier, X):
    """A hash of all that training and prediction give."""
    arrays = [*classifier.coefs_, *classifier.intercepts_, np.array(classifier.loss_curve_)]
    arrays += [classifier.predict_proba(X), classifier.decision_function(X)]
    return hashlib.sha256(pickle.dumps([array.tobytes() for array in arrays])).hexdigest()


def fitted_bits(solver, rows, **params):
    X, y = ROWS[rows]()
    return bits(network(solver, rows, **params).fit(X, y), X)


@pytest.fixture(scope="module")
def expected():
    """(solver, rows) -> bits of a fit in this thread, with one thread for BLAS and blocks."""
    with threadpool_limits(1):
        return {(solver, rows): fitted_bits(solver, rows) for solver in SOLVERS for rows in ROWS}


each = pytest.mark.parametrize(
    ("solver", "rows"), [(solver, rows) for solver in SOLVERS for rows in ROWS]
)


@each
def test_another_seed_gives_other_bits(solver, rows, expected):
    assert fitted_bits(solver, rows, random_state=1) != expected[solver, rows]


@each
def test_a_second_fit_gives_the_same_bits(solver, rows, expected):
    X, y = ROWS[rows]()
    classifier = network(solver, rows).fit(X, y)
    assert bits(classifier, X) == expected[solver, rows]
    assert bits(classifier.fit(X, y), X) == expected[solver, rows]


# Threads


@pytest.mark.parametrize("n_threads", [1, 2, 3, 8])
@each
def test_the_number_of_threads_changes_no_bit(solver, rows, n_threads, expected):
    with threadpool_limits(n_threads):
        assert fitted_bits(solver, rows) == expected[solver, rows]


@pytest.mark.parametrize("worth", [0.0, np.inf], ids=["all blocks", "no block"])
@each
def test_whether_blocks_run_on_threads_changes_no_bit(solver, rows, worth, expected, monkeypatch):
    monkeypatch.setattr(backprop_mlp._objective.threads, "FLOPS_WORTH_A_THREAD", worth)
    with threadpool_limits(2):
        assert fitted_bits(solver, rows) == expected[solver, rows]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("solver", SOLVERS)
def test_of_whichever_precision(solver, dtype):
    X, y = many_rows()
    X = X.astype(dtype)
    found = set()
    for n_threads in (1, 2, 3):
        with threadpool_limits(n_threads):
            found.add(bits(network(solver, "many").fit(X, y), X))
    assert len(found) == 1


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("solver", SOLVERS)
def test_of_wide_sparse_rows(solver, dtype):
    entries = np.random.default_rng(0).integers(5000, size=20_000 * 10)
    edges = np.arange(0, len(entries) + 1, 10)
    X = sparse.csr_matrix((np.ones(len(entries), dtype), entries, edges), (20_000, 5000))
    y = np.arange(20_000) % 3
    found = set()
    for n_threads in (1, 2, 3):
        with threadpool_limits(n_threads):
            fitted = network(solver, "many", batch_size=20_000, max_iter=2).fit(X, y)
            found.add(bits(fitted, X[:100]))
    assert len(found) == 1


@pytest.mark.parametrize("n_jobs", [2, 3, -1])
@pytest.mark.parametrize("solver", SOLVERS)
def test_the_number_of_jobs_changes_no_bit(solver, n_jobs):
    one = fitted_bits(solver, "few", n_init=4, n_jobs=1)
    assert fitted_bits(solver, "few", n_init=4, n_jobs=n_jobs) == one


@pytest.mark.parametrize("backend", ["threading", "loky", "multiprocessing"])
@pytest.mark.parametrize("solver", SOLVERS)
def test_jobs_may_come_from_a_context(solver, backend):
    one = fitted_bits(solver, "few", n_init=4, n_jobs=1)
    with parallel_config(backend, n_jobs=2):
        assert fitted_bits(solver, "few", n_init=4) == one


def test_twenty_threads_that_fit_clones_at_once_do_not_disturb_each_other(expected):
    given = {rows: make() for rows, make in ROWS.items()}
    originals = {(solver, rows): network(solver, rows) for solver, rows in expected}
    keys = sorted(expected) * 5
    together = threading.Barrier(N_THREADS)

    def fit(number):
        together.wait()
        solver, rows = keys[number]
        X, y = given[rows]
        return bits(clone(originals[solver, rows]).fit(X, y), X)

    with threadpool_limits(2), ThreadPoolExecutor(N_THREADS) as pool:
        found = list(pool.map(fit, range(len(keys))))
    assert found == [expected[key] for key in keys]


def test_twenty_threads_may_predict_with_one_classifier():
    X, y = many_rows()
    classifier = network("cg", "many").fit(X, y)
    probabilities = classifier.predict_proba(X)
    with threadpool_limits(2), ThreadPoolExecutor(N_THREADS) as pool:
        for found in pool.map(classifier.predict_proba, [X] * 40):
            np.testing.assert_array_equal(found, probabilities)


# Processes


@pytest.mark.parametrize("backend", ["loky", "threading", "multiprocessing"])
def test_the_workers_of_joblib_find_the_same_bits(backend, expected):
    with parallel_config(backend, n_jobs=2):
        found = Parallel()(delayed(fitted_bits)(*key) for key in expected)
    assert found == list(expected.values())


PROGRAM = """
import warnings
warnings.simplefilter("ignore")
from test_determinism import ROWS, SOLVERS, fitted_bits
for solver in SOLVERS:
    for rows in ROWS:
        print(solver, rows, fitted_bits(solver, rows))
"""


@pytest.mark.parametrize("n_threads", [1, 2, 3])
def test_fresh_processes_find_the_same_bits(n_threads, expected):
    environment = os.environ | {
        "OMP_NUM_THREADS": str(n_threads),
        "PYTHONHASHSEED": "random",
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env=environment,
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    lines = [f"{solver} {rows} {value}" for (solver, rows), value in expected.items()]
    assert done.stdout.splitlines() == lines
