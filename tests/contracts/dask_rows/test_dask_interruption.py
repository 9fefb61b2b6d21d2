"""Ctrl-C while a cluster computes: a real signal, in a process of its own."""

import os
import subprocess
import sys
import textwrap

import pytest

pytest.importorskip("distributed")

SCRIPT = textwrap.dedent(
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

    after = Monitor.__call__


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
