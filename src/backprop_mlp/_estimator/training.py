"""Trains an estimator on a problem: from its keywords to the outcomes of its runs."""

from dataclasses import replace
from functools import partial

import numpy as np

from .._solvers.row_space import RowSpace
from .._training.run import Plan, train
from .._training.start import Start, solver_state
from .adoption import fitted_copy, trained_copy
from .assembly import build_mini_batches, build_stopping, open_objective
from .seeds import draw_seeds


def train_estimator(estimator, problem, earlier, rng, task, n_starts=1, **rules):
    """Train from random starts, or on from where an earlier fit ended.

    Parameters
    ----------
    estimator : BackpropMLP
        Its keywords are read.
    problem : Problem
    earlier : Earlier or None
        None for random starts.
    rng : numpy.random.RandomState
        Source of one seed per start.
    task : CallbackTask
    n_starts : int, default=1
    **rules : dict
        Stopping rules that differ from the keywords'.

    Returns
    -------
    outcomes : list of Outcome
    """
    seeds = draw_seeds(rng, n_starts)
    solver, state = estimator.solver, None
    if earlier is not None:
        state = solver_state(earlier.memory, solver, problem.network)
    mini_batches = build_mini_batches(estimator, problem.blocks, state)
    rule = None if mini_batches is None else mini_batches.rule
    stopping = replace(build_stopping(estimator, problem.baseline.cost_unit), **rules)
    with open_objective(problem, estimator.alpha) as objective:
        validate = None
        if problem.validation is not None:
            scored = partial(fitted_copy, estimator, problem)
            validate = partial(problem.validation.measure, objective.map, scored)
        row_space = None
        if mini_batches is None:
            row_space = RowSpace.of(objective, min(stopping.max_iter, stopping.max_fun))
        plan = Plan(
            objective=objective,
            solver=solver,
            row_space=row_space,
            mini_batches=mini_batches,
            validate=validate,
            make_estimator=partial(trained_copy, estimator, problem, earlier),
            constant_cost=problem.baseline.cost,
            max_iter=stopping.max_iter,
            verbose=bool(estimator.verbose),
        )
        rngs = map(np.random.default_rng, seeds)
        if earlier is None:
            fresh = partial(Start.fresh, objective, rule, estimator.initializer)
            starts = [partial(fresh, replace(stopping), rng) for rng in rngs]
        else:
            after = partial(Start.after, earlier, objective, solver, rule, validate)
            starts = [partial(after, stopping, rng) for rng in rngs]
        return train(plan, starts, estimator.n_jobs, task)
