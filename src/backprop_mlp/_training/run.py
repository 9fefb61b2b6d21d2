"""One run of training, from a start to its outcome, and the best of several."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from .._network.network import Network
from .._objective.objective import Objective
from .._objective.overflow import IGNORE_OVERFLOW
from .._solvers.full_batch import minimize_scipy
from .._solvers.iteration import Result
from .._solvers.mini_batch import MiniBatches, minimize_mini_batch
from .._solvers.row_space import RowSpace
from .baseline import costs_more
from .callbacks import CallbackTask
from .interruption import Interruption, run_side_by_side
from .monitor import Monitor, SoFar
from .search_fit import search_fit
from .start import Start, refer_to
from .stopping import LOWER_ALPHA_OR_TOL, LOWER_RATE
from .validation import Measured


@dataclass(frozen=True)
class Outcome(SoFar):
    """What a run leaves behind.

    ``theta`` are the parameters that are kept, and ``cost`` is J there; with mini-batches the
    mean of their costs in the last epoch, unless earlier parameters are kept.

    Parameters
    ----------
    n_iter : int
        Number of iterations of this run after which the parameters are kept.
    score : float or None
        Validation score there, with early stopping.
    interrupted : bool
    memory : dict
        What the next run needs next to the parameters: "solver", "state" (of a
        mini-batch solver, or None), "rate_factor", "beyond" (the last iterate, where
        the kept parameters do not hold it, or None) and "progress" (what progress is
        compared with, or None).
    """

    n_iter: int
    score: float | None
    interrupted: bool
    memory: dict

    @property
    def rank(self):
        """Sorts the better of two runs before the other, and one without a score last."""
        return (True, self.cost) if self.score is None else (False, -self.score)


@dataclass(frozen=True)
class Plan:
    """How a problem is trained, whatever the start.

    Parameters
    ----------
    objective : Objective
    solver : str
    row_space : RowSpace or None
        Where a full-batch solver is to move; None for all of theta's space.
    mini_batches : MiniBatches or None
        None for a full-batch solver.
    validate : callable(network, theta) -> Measured, or None
        Measures a plain network on the validation rows, if there are any.
    make_estimator : callable(SoFar) -> estimator
        The estimator as if `fit` had ended after an iteration, for callbacks.
    constant_cost : float
        J of the best constant prediction, inf if it is not known: what costs more has
        not converged.
    max_iter : int
        Largest number of iterations of a run.
    verbose : bool
        Whether to print a line per iteration.
    """

    objective: Objective
    solver: str
    row_space: RowSpace | None
    mini_batches: MiniBatches | None
    validate: Callable | None
    make_estimator: Callable
    constant_cost: float
    max_iter: int
    verbose: bool


def train(plan: Plan, starts, n_jobs, task: CallbackTask):
    """Train from every start.

    Parameters
    ----------
    plan : Plan
    starts : list of callable() -> Start
        Called when a run begins: the parameters of all starts at once would take memory.
    n_jobs : int or None
        Number of runs side by side.
    task : CallbackTask
        Whose subtasks are the starts, or the iterations of a single one.

    Returns
    -------
    outcomes : list of Outcome
        One per start; after Ctrl-C of those that began.
    """
    interruption = Interruption()
    search = search_fit()  # here: the threads of starts would not find it
    names = [] if search is None else [search.name]

    def run_number(number):
        run_task, label = task, [*names, "iteration"]
        if len(starts) > 1:
            run_task = task.begin_subtask("start", task_id=number, max_subtasks=plan.max_iter)
            label = [*names, f"start {number + 1}", "iteration"]
        start = starts[number]()
        monitor = Monitor(
            start,
            plan.objective,
            validate=plan.validate,
            make_estimator=plan.make_estimator,
            task=run_task,
            label=", ".join(label).capitalize() if plan.verbose else None,
            interruption=interruption,
        )
        outcome = run(plan, start, monitor)
        if len(starts) > 1:
            run_task.end()
        return outcome

    return run_side_by_side(run_number, len(starts), n_jobs, interruption)


def run(plan: Plan, start: Start, monitor: Monitor) -> Outcome:
    """Train once, from a start to its outcome."""
    end = _descend(plan, start, monitor)
    kept = _keep(plan, monitor, end)
    stopping = monitor.stopping
    _deny_convergence_above_a_constant(plan, stopping, kept, monitor.n_iter)
    return Outcome(
        network=kept.network,
        theta=kept.theta,
        cost=kept.cost,
        n_iter=kept.n_iter,
        score=kept.score,
        best_score=monitor.highest_score,
        history=monitor.history,
        n_fun=end.n_fun,
        n_passes=end.n_passes,
        stopping=stopping,
        interrupted=monitor.was_interrupted,
        memory={
            "solver": plan.solver,
            "state": end.state,
            "rate_factor": stopping.rate_factor,
            "beyond": _beyond(plan, monitor, end, kept),
            "progress": _progress(plan, monitor, end, kept),
        },
    )


def _descend(plan, start, monitor) -> Result:
    """Run the solver."""
    objective, mini_batches = plan.objective, plan.mini_batches
    if mini_batches is None:
        return minimize_scipy(
            objective,
            start.theta,
            solver=plan.solver,
            monitor=monitor,
            row_space=plan.row_space,
        )
    return minimize_mini_batch(objective, start.theta, start.state, mini_batches, monitor)


class _Kept(NamedTuple):
    """The plain network that is kept, and what is known of it; without early stopping no score."""

    network: Network
    theta: np.ndarray
    cost: float
    n_iter: int
    measured: Measured | None
    score: float | None


_WITHOUT_LOST_WORKERS = suppress(ConnectionError)
"""For measurements that training can end without: Ctrl-C may have ended the workers, too."""


def _keep(plan, monitor, end):
    """The best parameters by early stopping's score, else the last ones."""
    network, theta = monitor.plain(end.theta, end.moments)
    best = monitor.best
    if best is None or best.theta is None:
        return _Kept(network, theta, end.cost, monitor.n_iter, monitor.measured, None)
    cost = end.cost
    if plan.mini_batches is None:
        cost = best.cost
    elif best.number < monitor.n_iter:
        # The mean over an epoch is no cost of these parameters.
        with np.errstate(**IGNORE_OVERFLOW), _WITHOUT_LOST_WORKERS:
            cost = plan.objective.of(network).value(best.theta)
    return _Kept(network, best.theta, cost, best.number, best.measured, best.measured.score)


def _deny_convergence_above_a_constant(plan, stopping, kept, n_iter):
    """Take back that training has converged where a constant prediction costs less."""
    if stopping.converged and costs_more(kept.cost, plan.constant_cost, stopping.cost_tol):
        # Without its penalty, which may still be falling, be it from a single class's start.
        loss = kept.cost - plan.objective.of(kept.network).penalty(kept.theta)
        diverges = plan.mini_batches is not None and _diverges(plan, kept.network, loss)
        # Of earlier parameters it is not that of the last iteration, which is reported as well.
        is_last = kept.n_iter == n_iter
        which = "the cost" if is_last else f"the cost of the kept parameters, {kept.cost:.6g},"
        why = ", because of the penalty alone" if loss <= plan.constant_cost else ""
        stopping.stop(
            f"{stopping.message}, but {which} is above {plan.constant_cost:.6g}, that of a "
            f"constant prediction{why}",
            remedy=LOWER_RATE if diverges else LOWER_ALPHA_OR_TOL,
        )


def _diverges(plan, network, loss):
    """Whether training has come to far more than where it began.

    That may be far above the best constant: for quantiles it is the mean.
    """
    start = network.blank()
    *_, (_, biases) = network.dense_views(start)
    biases[:] = plan.objective.constant_logits
    with np.errstate(**IGNORE_OVERFLOW):
        cost = plan.objective.of(network).value(start)
    return loss > 2.0 * cost > 0.0


def _beyond(plan, monitor, end, kept):
    """A mini-batch solver's last parameters, where those that are kept do not tell them."""
    is_last = kept.n_iter == monitor.n_iter
    if end.state is None or (kept.network is plan.objective.network and is_last):
        return None
    return {
        "theta": end.theta,
        "moments": end.state["moments"],
        "fitted": kept.theta.astype(plan.objective.dtype),
        "is_kept": is_last,
    }


def _progress(plan, monitor, end, kept):
    """What a warm start compares its own progress with; None where nothing goes on."""
    stopping = monitor.stopping
    if not stopping.counts_progress or (end.state is None and kept.measured is None):
        return None
    with _WITHOUT_LOST_WORKERS:
        return {
            "by_score": stopping.by_score,
            "lowest": stopping.lowest,
            "n_stalled": stopping.n_stalled,
            "best_score": monitor.best_score,
            "reference": refer_to(plan.objective, kept.network, kept.theta, kept.measured),
        }
    return None
