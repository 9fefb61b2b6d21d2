"""When training ends, for every solver: the gradient, the progress, the limits."""

import itertools
import warnings

import numpy as np
import pytest
from keywords import FULL_BATCH, MINI_BATCH, SOLVERS, read_by
from reports import report
from sklearn.datasets import load_iris
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import scale

from backprop_mlp import BackpropMLPClassifier, BackpropMLPRegressor, IgnoredKeywordWarning
from backprop_mlp._training.stopping import Stopping

X, y = load_iris(return_X_y=True)
X = scale(X)


def classifier(solver, **params):
    defaults = {"activation": "tanh", "random_state": 0, "batch_size": 50}
    return BackpropMLPClassifier((5,), solver=solver, **read_by(solver, defaults | params))


def quietly(estimator, *data, **given):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return estimator.fit(*data, **given)


# The rule of too little progress


def too_little(values, tol, span):
    """Whether each of the last ones is better by less than tol than all before it."""
    last = range(len(values) - span, len(values))
    return len(values) > span and all(min(values[:i]) - values[i] < tol for i in last)


@pytest.mark.parametrize("by_score", [False, True])
@pytest.mark.parametrize("span", [1, 2, 3])
@pytest.mark.parametrize("tol", [0.0, 1.0, 2.5])
def test_training_ends_at_the_first_lack_of_progress(tol, span, by_score):
    """For all sequences of six small costs; scores are costs upside down."""
    for values in itertools.product(range(4), repeat=6):
        stopping = Stopping(tol, span, max_iter=100, by_score=by_score)
        ends = []
        for number, value in enumerate(map(float, values), start=1):
            cost, score = (0.0, -value) if by_score else (value, None)
            ends.append(stopping.after(report(number, cost, None, number), score))
            if ends[-1]:
                break
        expected = [too_little(values[: number + 1], tol, span) for number in range(len(values))]
        assert ends == expected[: len(ends)]
        assert any(expected) == ends[-1] == stopping.converged


@pytest.mark.parametrize(
    ("solver", "span"),
    # With a longer span the gradient is flat before.
    [(solver, 1) for solver in SOLVERS] + [(solver, 3) for solver in MINI_BATCH],
)
def test_every_solver_obeys_it(solver, span):
    tol = 0.01
    fitted = classifier(solver, tol=tol, n_iter_no_change=span, max_iter=1000)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fitted.set_params(**read_by(solver, {"learning_rate_init": 0.01})).fit(X, y)
    curve = fitted.loss_curve_
    if solver in FULL_BATCH:
        # They know the cost that they start from; mini-batches see each cost before its step.
        start = quietly(classifier("sgd", learning_rate=lambda step: 0.0, max_iter=1), X, y)
        curve = [start.cost(X, y), *curve]
    assert fitted.converged_
    assert too_little(curve, tol, span)
    for end in range(len(curve)):
        assert not too_little(curve[:end], tol, span)


@pytest.mark.parametrize("solver", SOLVERS)
def test_an_infinite_span_is_never_over(solver):
    estimator = classifier(solver, tol=0.0, n_iter_no_change=np.inf, max_iter=12)
    params = {"learning_rate": "adaptive", "learning_rate_init": 1e-9, "early_stopping": True}
    for change in ({}, params):
        estimator.set_params(**read_by(solver, change))
        assert quietly(estimator, X, y).n_iter_ == 12


# Limits


@pytest.mark.parametrize("max_iter", [1, 7])
@pytest.mark.parametrize("solver", SOLVERS)
def test_max_iter_is_the_number_of_iterations(solver, max_iter):
    estimator = classifier(solver, max_iter=max_iter, tol=0.0)
    with pytest.warns(ConvergenceWarning, match=f"max_iter={max_iter} iterations? (is|are) done"):
        estimator.fit(X, y)
    assert estimator.n_iter_ == max_iter
    assert not estimator.converged_


@pytest.mark.parametrize("solver", FULL_BATCH)
def test_max_fun_ends_full_batch_training_with_its_iteration(solver):
    estimator = classifier(solver, max_fun=9, tol=0.0)
    with pytest.warns(ConvergenceWarning, match="max_fun=9 evaluations"):
        estimator.fit(X, y)
    assert estimator.n_fun_ >= 9
    before = quietly(classifier(solver, max_iter=estimator.n_iter_ - 1, tol=0.0), X, y)
    assert before.n_fun_ < 9


@pytest.mark.parametrize("solver", MINI_BATCH)
def test_max_fun_is_none_of_mini_batches_business(solver):
    estimator = classifier(solver, max_iter=5, tol=0.0).set_params(max_fun=2)
    with pytest.warns(IgnoredKeywordWarning, match="max_fun"):
        fitted = quietly(estimator, X, y)
    assert fitted.n_iter_ == 5
    assert fitted.n_fun_ == 15


# The gradient


@pytest.mark.parametrize("tol", [0.03, 0.001])
@pytest.mark.parametrize("solver", FULL_BATCH)
def test_a_flat_gradient_is_convergence(solver, tol):
    fitted = classifier(solver, tol=tol, n_iter_no_change=1000, max_iter=1000).fit(X, y)
    largest = [np.abs(gradient).max() for gradient in fitted.cost_gradient(X, y)[1]]
    assert fitted.converged_
    assert max(largest) < tol
    before = classifier(solver, tol=tol, n_iter_no_change=1000, max_iter=fitted.n_iter_ - 1)
    largest = [np.abs(gradient).max() for gradient in quietly(before, X, y).cost_gradient(X, y)[1]]
    assert max(largest) >= tol


@pytest.mark.parametrize("solver", FULL_BATCH)
def test_a_flat_start_is_the_end(solver):
    fitted = classifier(solver, tol=1e3, early_stopping=True, scoring="loss").fit(X, y)
    assert fitted.n_iter_ == 0
    assert fitted.n_fun_ == 1
    assert fitted.loss_curve_ == []
    assert fitted.validation_scores_ is fitted.validation_loss_curve_ is None
    assert fitted.converged_
    assert fitted.best_loss_ is None


@pytest.mark.parametrize("solver", FULL_BATCH)
def test_a_scores_tol_is_in_its_units_and_leaves_gradients_and_costs_alone(solver):
    """Of prices, say: 100 is little of their error, and much of any gradient."""
    prices = 1e5 + 7e4 * X[:, 0]
    params = {"early_stopping": True, "scoring": "neg_mean_absolute_error", "tol": 100.0}
    fitted = BackpropMLPRegressor(5, solver=solver, random_state=0, **params).fit(X, prices)
    assert fitted.n_iter_ > 10
    assert fitted.converged_
    assert fitted.score(X, prices) > 0.9


@pytest.mark.parametrize("solver", MINI_BATCH)
def test_a_scores_tol_is_no_excuse_for_a_cost_above_a_constant_predictions(solver):
    prices = 1e5 + 7e4 * X[:, 0]
    params = {"early_stopping": True, "scoring": "neg_mean_absolute_error", "tol": 100.0}
    model = BackpropMLPRegressor(
        5, solver=solver, learning_rate_init=1e-7, random_state=0, **params
    )
    model = quietly(model, X, np.roll(prices, 75))
    assert model.n_iter_ < model.max_iter
    assert not model.converged_


@pytest.mark.parametrize("solver", ["lbfgs", "adam"])
def test_a_tol_that_is_large_for_labels_is_taken_at_its_word(solver):
    noise = np.random.default_rng(0).integers(0, 2, len(X))
    model = classifier(solver, tol=1.0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert model.fit(X, noise).converged_
    assert model.loss_ > np.log(2.0)


@pytest.mark.parametrize("solver", MINI_BATCH)
def test_no_step_of_a_mini_batch_sees_the_whole_gradient(solver):
    """It is progress alone that counts."""
    params = {"tol": 1e3, "n_iter_no_change": 4, "batch_size": 150}
    assert classifier(solver, **params).fit(X, y).n_iter_ == 5


# What is said


@pytest.mark.parametrize("solver", SOLVERS)
def test_the_warning_says_where_training_stands_and_what_to_do(solver):
    estimator = classifier(solver, max_iter=2, tol=0.0)
    with pytest.warns(ConvergenceWarning) as record:
        estimator.fit(X, y)
    message = str(record[0].message)
    assert len(record) == 1
    assert f"cost {estimator.loss_:.6g} after 2 iterations" in message
    assert all(word in message for word in ("tol", "alpha", "warm_start"))
    assert message.endswith("First, raise max_iter.")
