"""Runs that belong together: how they end when Ctrl-C comes or one of them fails.

A run is a start of a fit or a fold of a search. Which group a run belongs to stands in a context
variable: a fit inside a fold finds the fold's group by itself, whatever lies between them. A new
thread or process begins with an empty context; each run sets its own.

The way of Ctrl-C: the solver catches it, goes back to its last whole iteration and
calls `Monitor.interrupt`, which sets the group; the monitors of its other runs see
that after their next iteration. `run_side_by_side` returns the outcomes so far, or
raises KeyboardInterrupt inside a search. The best outcome is adopted. If that was
interrupted, `_estimator/fit_warnings.py` warns; if only starts that did not begin are missing,
`run_side_by_side` does.
"""

import threading
import warnings
from contextvars import ContextVar, copy_context
from functools import partial

from joblib import Parallel, delayed

from .._stop_iteration import carry, deliver
from .search_fit import forget_search
from .settings import Settings

_GROUP: ContextVar["Interruption | None"] = ContextVar("group of runs", default=None)


class Interruption:
    """A group of runs that end together, when Ctrl-C comes or one of them fails.

    A group that is made inside a run is part of that run: it ends with the run's
    group, but not the other way round. What ends the inner group alone, an error or
    Ctrl-C, leaves it as an exception, and so reaches the outer one. Each group waits
    for its own runs only: two runs that fail side by side do not wait for each other.

    In another process a group is another one: a pickled copy is a new group.
    """

    def __init__(self):
        self._outer = _GROUP.get()
        self._set = threading.Event()
        self._begun: list[tuple[threading.Thread, threading.Event]] = []

    def __reduce__(self):
        return Interruption, ()

    @property
    def nested(self):
        """Whether the group is part of a run of another group."""
        return self._outer is not None

    def set(self):
        """Let every run of the group end soon."""
        self._set.set()

    def is_set(self):
        """Whether the runs are to end."""
        return self._set.is_set() or (self._outer is not None and self._outer.is_set())

    def run_all(self, function, arguments, **parallel):
        """Results of ``function(argument)`` for each argument, some of them side by side.

        When this raises an error, no run is left in this process.

        Parameters
        ----------
        function : callable(argument) -> result
            Ends soon after the group is set; then its result does not matter.
        arguments : sequence
            A single one is run right here.
        **parallel
            Keywords of `joblib.Parallel`.

        Returns
        -------
        results : list
            In the order of the arguments.

        Raises
        ------
        KeyboardInterrupt
            If the group was set.
        """
        try:
            if len(arguments) == 1:
                ended = [self._run(function, arguments[0])]
            else:
                run = partial(Settings.of_caller().call, self._run, function)
                # joblib hands errors on in a generator.
                ended = deliver(
                    Parallel(**parallel), (delayed(carry)(run, argument) for argument in arguments)
                )
            if self.is_set() or None in ended:
                raise KeyboardInterrupt  # noqa: TRY301
        except BaseException:
            # Only the main thread hears Ctrl-C: in a run of its own, or while it waits for others.
            self.set()
            for thread, finished in self._begun:
                if thread is not threading.current_thread():
                    finished.wait()
            raise
        return [result for (result,) in ended]

    def _run(self, function, argument):
        """The result, as a tuple of one; None if the run was interrupted.

        Not an exception: that would leave its thread or process in the middle of joblib.
        """
        finished = threading.Event()
        # First of all: whoever sets the group now waits for this run, or it sees it.
        self._begun.append((threading.current_thread(), finished))
        try:
            if self.is_set():
                return None
            # In a context of its own: Ctrl-C can't leave anything set behind it.
            return (copy_context().run(self._run_inside, function, argument),)
        except KeyboardInterrupt:
            self.set()
            return None
        except BaseException:
            self.set()
            raise
        finally:
            finished.set()

    def _run_inside(self, function, argument):
        _GROUP.set(self)
        forget_search()
        return function(argument)


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

    Raises
    ------
    KeyboardInterrupt
        After Ctrl-C, if no run has an outcome, or if they are part of another run, which
        has no use for half-trained parameters.

    Warns
    -----
    UserWarning
        If Ctrl-C came between two runs.
    """
    outcomes = {}

    def keep(number):
        outcomes[number] = run(number)

    try:
        interruption.run_all(keep, range(n_runs), n_jobs=n_jobs, require="sharedmem")
    except KeyboardInterrupt:
        if interruption.nested or not outcomes:
            raise
        if not any(outcome.interrupted for outcome in outcomes.values()):
            # None of them reports it.
            warnings.warn(
                f"Training was interrupted after {len(outcomes)} of {n_runs} starts; the best "
                "parameters so far are kept.",
                stacklevel=2,
            )
    return [outcomes[number] for number in sorted(outcomes)]


def is_ending():
    """Whether the present run is to end: Ctrl-C has come, or another run of its group failed."""
    group = _GROUP.get()
    return group is not None and group.is_set()
