"""The rules that end training, on costs and gradients that are given."""

import math

import numpy as np
import pytest
from reports import report

from backprop_mlp._training.stopping import Stopping


def stopped(costs, *, grad_max=1.0, evaluations=2, **limits):
    """The stopping after a descent from the first cost to the last, and the costs it saw."""
    limits = {"tol": 0.1, "n_iter_no_change": 3, "max_iter": 100, "max_fun": 1000, **limits}
    stopping = Stopping(**limits)
    assert not stopping.start(costs[0], 1.0)
    seen = []
    for number, cost in enumerate(costs[1:], start=1):
        iteration = report(number, cost, grad_max, evaluations * number)
        seen.append(iteration.cost)
        if stopping.after(iteration):
            break
        assert stopping.message == ""
    return stopping, seen


def test_it_goes_on_as_long_as_the_cost_falls():
    stopping, seen = stopped([10.0, 9.0, 8.0, 7.0, 6.0])
    assert stopping.message == ""
    assert not stopping.converged
    assert seen == [9.0, 8.0, 7.0, 6.0]


def test_a_start_with_a_flat_gradient_is_the_end():
    stopping = Stopping(tol=0.1, n_iter_no_change=3, max_iter=100, max_fun=1000)
    assert stopping.start(5.0, 0.09)
    assert stopping.converged


@pytest.mark.parametrize(("grad_max", "stops"), [(0.09, True), (0.1, False)])
def test_the_gradient_must_be_below_tol(grad_max, stops):
    assert stopped([10.0, 9.0, 8.0], grad_max=grad_max)[0].converged == stops


@pytest.mark.parametrize(
    ("costs", "last"),
    [
        ([5.0, 4.99, 4.98, 4.97, 4.96], 3),
        ([5.0, 4.0, 3.99, 3.98, 3.97, 3.96], 4),
        ([5.0, 4.99, 4.98, 4.5, 4.49, 4.48, 4.47, 4.46], 6),
        ([5.0, 4.95, 4.89, 4.81, 4.7], 3),
        ([5.0, 6.0, 5.5, 4.95, 4.0], 3),
    ],
)
def test_one_of_the_last_three_iterations_must_gain_tol(costs, last):
    stopping, seen = stopped(costs)
    assert seen == costs[1 : 1 + last]
    assert stopping.message == "none of the last 3 iterations lowered the cost by tol=0.1"
    assert stopping.converged


def test_tol_is_counted_in_the_unit_of_the_loss():
    costs = [5e-3, 4.99e-3, 4.98e-3, 4.97e-3, 4.96e-3]
    stopping, seen = stopped(costs, grad_max=1e-3, unit=1e-3)
    assert seen == costs[1:4]
    assert "by tol=0.1 times the loss's unit, 0.001" in stopping.message
    stopping, seen = stopped(costs, grad_max=0.99e-4, unit=1e-3)
    assert seen == costs[1:2]
    assert stopping.message.endswith("below tol=0.1 times the loss's unit, 0.001")


@pytest.mark.parametrize(("score_unit", "last"), [(1.0, 3), (1e-3, 5)])
def test_scores_have_a_unit_of_their_own(score_unit, last):
    stopping = Stopping(
        0.1, 3, max_iter=5, by_score=True, unit=1e-3, score_unit=score_unit, lowest=0.0
    )
    for number in range(1, 6):
        if stopping.after(report(number, 1.0, 1.0, number), score=0.001 * number):
            break
    assert number == last


def test_two_of_them_may_gain_less():
    assert stopped([5.0, 4.96, 4.92, 4.8, 4.79, 4.78, 4.6])[0].message == ""


def test_max_iter_is_no_convergence():
    stopping, seen = stopped([5.0, 4.0, 3.0, 2.0, 1.0], max_iter=3)
    assert seen == [4.0, 3.0, 2.0]
    assert stopping.message == "max_iter=3 iterations are done"
    assert not stopping.converged


@pytest.mark.parametrize(("max_fun", "n_iter"), [(5, 3), (6, 3), (7, 4)])
def test_max_fun_ends_the_iteration_in_which_it_is_reached(max_fun, n_iter):
    stopping, seen = stopped([5.0, 4.0, 3.0, 2.0, 1.0, 0.0], max_fun=max_fun)
    assert len(seen) == n_iter
    assert stopping.message == f"max_fun={max_fun} evaluations of the cost are done"
    assert not stopping.converged


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ({"max_iter": 1}, "max_iter=1 iteration is done"),
        ({"max_fun": 1}, "max_fun=1 evaluation of the cost is done"),
        ({"n_iter_no_change": 1}, "the last iteration did not lower the cost by tol=0.1"),
        (
            {"n_iter_no_change": 1, "by_score": True},
            "the last iteration did not raise the best score by tol=0.1",
        ),
    ],
)
def test_one_is_no_plural(rules, message):
    costs = [5.0, 5.0] if "n_iter_no_change" in rules else [5.0, 4.0]
    stopping = Stopping(**{"tol": 0.1, "n_iter_no_change": 3, "max_iter": 100} | rules)
    stopping.start(costs[0], 1.0)
    for number in (1, 2):
        if stopping.after(report(number, costs[1], 1.0, number), score=0.5):
            break
    assert stopping.message == message


def test_convergence_counts_more_than_a_limit_reached_at_once():
    assert stopped([5.0, 4.0, 3.0], grad_max=0.01, max_iter=1, max_fun=1)[0].converged


def test_a_tol_of_zero_stops_at_limits_alone():
    stopping, _ = stopped([1.0] * 9, tol=0.0, grad_max=0.0, max_iter=7)
    assert stopping.message == "max_iter=7 iterations are done"


def test_scores_that_no_longer_rise_are_named():
    stopping = Stopping(tol=0.1, n_iter_no_change=2, max_iter=100, by_score=True)
    stopping.start(5.0, 1.0)
    scores = [0.5, 0.55, 0.58]
    ends = [stopping.after(report(i, 4.0 - i, None, i), scores[i]) for i in range(3)]
    assert ends == [False, False, True]
    assert stopping.message == "none of the last 2 iterations raised the best score by tol=0.1"


@pytest.mark.parametrize(("rate", "stops"), [(1e-6, True), (1.1e-6, False)])
def test_a_rate_above_a_millionth_is_lowered_once_more(rate, stops):
    stopping = Stopping(tol=0.1, n_iter_no_change=1, max_iter=100, max_fun=1000, adaptive_rate=rate)
    stopping.start(5.0, 1.0)
    assert stopping.after(report(1, 5.0, None, 1)) == stops
    assert stopping.rate_factor == (1.0 if stops else 0.2)


@pytest.mark.parametrize("score", [0.5, -math.inf])
def test_each_lower_rate_has_as_many_iterations_to_gain_in(score):
    """Also where no score is a number above minus infinity, as the log-loss may be."""
    stopping = Stopping(
        tol=0.1, n_iter_no_change=3, max_iter=100, by_score=True, adaptive_rate=1.0, lowest=-score
    )
    factors = []
    for number in range(1, 10):
        stopping.after(report(number, 5.0, None, number), score)
        factors.append(stopping.rate_factor)
    lowered = [number for number in range(1, 9) if factors[number] < factors[number - 1]]
    assert np.diff(lowered).min() >= 3
