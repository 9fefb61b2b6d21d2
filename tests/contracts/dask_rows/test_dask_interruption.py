"""Ctrl-C while a cluster computes: a real signal, in a process of its own."""

import os
import subprocess
import sys
import textwrap

import pytest

pytest.importorskip("distributed")

PREAMBLE = textwrap.dedent(
    """
    import os
    import signal
    import threading
    import warnings

    import dask.array as da
    import numpy as np
    from distributed import Client
    from backprop_mlp import BackpropMLPClassifier
    from backprop_mlp._training.monitor import Monitor
    from backprop_mlp.dask import DaskBackpropMLPClassifier

    # Programs in the background are born deaf to it, and so are their workers.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    after = Monitor.__call__
    """
)

SCRIPT = PREAMBLE + textwrap.dedent(
    """
    def interrupt_soon(self, iteration):
        stop = after(self, iteration)
        if iteration.number == 3:
            Monitor.__call__ = after
            # The next evaluation takes much longer than this.
            threading.Timer(0.02, os.kill, (os.getpid(), signal.SIGINT)).start()
        return stop


    Monitor.__call__ = interrupt_soon
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40_000, 50))
    y = (X[:, 0] > 0).astype(int) + (X[:, 1] > 0)
    network = BackpropMLPClassifier(
        60, solver=SOLVER, max_iter=10_000, n_iter_no_change=np.inf, tol=0.0, random_state=0
    )
    with Client(processes=False, n_workers=2, threads_per_worker=1, dashboard_address=None):
        rows = da.from_array(X, chunks=(10_000, -1)), da.from_array(y, chunks=10_000)
        classifier = DaskBackpropMLPClassifier(network)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            classifier.fit(*rows)
        (message,) = {str(w.message) for w in caught if "interrupted" in str(w.message)}
        print(message)
        # The cluster has not lost anything.
        n_iter = classifier.n_iter_
        assert len(classifier.loss_curve_) == n_iter and 3 <= n_iter < 100, n_iter
        again = DaskBackpropMLPClassifier(network.set_params(max_iter=n_iter)).fit(*rows)
        assert all(map(np.array_equal, again.coefs_, classifier.coefs_))
        assert again.loss_curve_ == classifier.loss_curve_
        print("done")
    """
)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends Ctrl-C in other ways")
@pytest.mark.parametrize("solver", ["cg", "lbfgs", "newton-cg", "adam"])
def test_ctrl_c_ends_training_with_the_iterations_so_far(solver):
    process = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", SCRIPT.replace("SOLVER", repr(solver))],
        capture_output=True,
        text=True,
        timeout=300,
        env=os.environ,
    )
    assert process.returncode == 0, process.stderr
    message, done = process.stdout.splitlines()
    assert message.startswith("Training was interrupted after ")
    assert done == "done"
    assert "Error" not in process.stderr
    assert "AllExit" not in process.stderr


TERMINAL = PREAMBLE + textwrap.dedent(
    """
    def interrupt(self, iteration):
        stop = after(self, iteration)
        if iteration.number == 3:
            # In a terminal Ctrl-C reaches the workers, too.
            os.killpg(0, signal.SIGINT)
        return stop


    if __name__ == "__main__":
        rng = np.random.default_rng(0)
        X = rng.normal(size=(4_000, 5))
        y = (X[:, 0] > 0).astype(int)
        rows = da.from_array(X, chunks=(1_000, -1)), da.from_array(y, chunks=1_000)
        Client(n_workers=1, threads_per_worker=1, dashboard_address=None)
        network = BackpropMLPClassifier(9, max_iter=10_000, tol=0.0, random_state=0, **KEYWORDS)
        classifier = DaskBackpropMLPClassifier(network)
        given = {"X_val": rows[0], "y_val": rows[1]} if network.early_stopping else {}
        Monitor.__call__ = interrupt
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            classifier.fit(*rows, **given)
        (message,) = {str(w.message) for w in caught if "interrupted" in str(w.message)}
        print(message)
        Monitor.__call__ = after
        # Training goes on from there.
        local = classifier.to_local().set_params(warm_start=True, max_iter=2)
        local.fit(X, y, **({"X_val": X, "y_val": y} if network.early_stopping else {}))
        print(np.isfinite(classifier.loss_), local.score(X, y) > 0.5, flush=True)
        os._exit(0)
    """
)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends Ctrl-C in other ways")
@pytest.mark.parametrize(
    "keywords",
    [
        {"solver": "cg"},
        {"solver": "adam"},
        {"solver": "adam", "early_stopping": True, "scoring": "loss"},
        # The score falls: the parameters that are kept are not the last.
        {"solver": "sgd", "early_stopping": True, "learning_rate_init": 30.0},
    ],
    ids=str,
)
def test_ctrl_c_in_a_terminal_keeps_the_iterations_though_the_workers_are_gone(keywords, tmp_path):
    path = tmp_path / "script.py"
    path.write_text(TERMINAL.replace("KEYWORDS", repr(keywords)), "utf-8")
    process = subprocess.run(
        [sys.executable, "-W", "ignore", str(path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        timeout=120,
        env=os.environ,
        start_new_session=True,
        check=False,
    )
    message, kept = process.stdout.splitlines()
    assert message.startswith("Training was interrupted after ")
    assert kept == "True True"
