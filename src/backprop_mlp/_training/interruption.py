"""Runs that go side by side, and how Ctrl-C or a failure ends them all."""

import threading
import warnings
from contextlib import contextmanager

from joblib import Parallel, delayed


class Interruption:
    """Ends runs that go side by side, when Ctrl-C comes or one of them fails.

    In another process it is another one: pickled it is as new.
    """

    def __init__(self):
        self._set = threading.Event()
        self._begun: list[tuple[threading.Thread, threading.Event]] = []

    def __reduce__(self):
        return Interruption, ()

    def set(self):
        """Let every run end soon."""
        self._set.set()

    def is_set(self):
        """Whether the runs are to end."""
        return self._set.is_set()

    @contextmanager
    def of_run(self):
        """Context of one run: if it fails, the others are to end."""
        finished = threading.Event()
        # First of all: whoever sets the interruption now waits for this run, or it sees it.
        self._begun.append((threading.current_thread(), finished))
        try:
            yield
        except BaseException:
            self.set()
            raise
        finally:
            finished.set()

    @contextmanager
    def of_all(self):
        """Context around all runs: if it fails, they have ended when it is left."""
        try:
            yield
        except BaseException:
            # Only the main thread hears Ctrl-C: in a run of its own, or while it waits for others.
            self.set()
            for thread, finished in self._begun:
                if thread is not threading.current_thread():
                    finished.wait()
            raise


def run_side_by_side(run, n_runs, n_jobs, interruption):
    """Outcomes of ``run(number)`` for each number; after Ctrl-C of those that began.

    If a run fails, the others have ended when its error is raised.

    Parameters
    ----------
    run : callable(int) -> Outcome
        Ends soon after the interruption is set, with what it has.
    n_runs : int
    n_jobs : int or None
    interruption : Interruption

    Returns
    -------
    outcomes : list of Outcome
        In the order of the numbers.

    Warns
    -----
    UserWarning
        If Ctrl-C came between two runs.
    """
    outcomes = {}

    def run_unless_interrupted(number):
        with interruption.of_run():
            if not interruption.is_set():
                outcomes[number] = run(number)

    try:
        with interruption.of_all():
            Parallel(n_jobs=n_jobs, require="sharedmem")(
                delayed(run_unless_interrupted)(number) for number in range(n_runs)
            )
    except KeyboardInterrupt:
        if not outcomes:
            raise
        if not any(outcome.interrupted for outcome in outcomes.values()):
            # None of them knows of it.
            warnings.warn(
                f"Training was interrupted after {len(outcomes)} of {n_runs} starts; the best "
                "parameters so far are kept.",
                stacklevel=2,
            )
    return [outcomes[number] for number in sorted(outcomes)]
