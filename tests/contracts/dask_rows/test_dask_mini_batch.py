"""Mini-batch solvers that go from partition to partition: the plain solver, wherever rows lie."""

import numpy as np
import pytest
from sklearn.datasets import make_multilabel_classification

pytest.importorskip("distributed")

from dask_data import DIGITS, LABELS, WEIGHTS, chunked, network

from backprop_mlp.dask import DaskBackpropMLPClassifier

pytestmark = pytest.mark.filterwarnings(
    "ignore::sklearn.exceptions.ConvergenceWarning", "ignore:Sending large graph"
)

RECORD = ("loss_curve_", "n_iter_", "n_fun_", "t_", "converged_", "loss_", "validation_scores_")
SCHEDULES = ("constant", "invscaling", "adaptive", "step", "exponential", "cosine")


def whole(*arrays):
    return [chunked(array) for array in arrays]


def assert_same_training(found, expected):
    """Bit by bit."""
    for name in RECORD:
        assert getattr(found, name) == getattr(expected, name)
    for W, expected_W in zip(found.thetas_, expected.thetas_, strict=True):
        np.testing.assert_array_equal(W, expected_W)


def on(client, **params):
    return DaskBackpropMLPClassifier(
        network(**{"solver": "adam", "batch_size": 50, "max_iter": 4} | params), client=client
    )


# One partition is the plain classifier


@pytest.mark.parametrize(
    "params",
    [
        {"solver": "adam"},
        {"solver": "rmsprop", "max_grad_norm": 0.1},
        {"solver": "sgd", "learning_rate_init": 0.1, "batch_size": 64},
        {"dropout": 0.3},
        {"batch_norm": True, "activation": "relu"},
        {"shuffle": False},
        {"class_weight": "balanced", "alpha": 10.0},
        {"n_init": 2},
        pytest.param({"learning_rate": lambda step: 0.01 / (1 + step)}, id="callable"),
        *({"learning_rate": name} for name in SCHEDULES),
    ],
    ids=str,
)
def test_one_partition_trains_as_in_memory(client, params):
    found = on(client, **params).fit(*whole(DIGITS, LABELS, WEIGHTS))
    plain = on(client, **params).estimator.fit(DIGITS, LABELS, WEIGHTS)
    assert_same_training(found, plain)


def test_one_partition_of_float32_trains_as_in_memory(client):
    X = DIGITS.astype(np.float32)
    found = on(client).fit(*whole(X, LABELS))
    assert found.coefs_[0].dtype == np.float32
    assert_same_training(found, on(client).estimator.fit(X, LABELS))


def test_one_partition_of_labels_trains_as_in_memory(client):
    X, Y = make_multilabel_classification(200, 8, n_classes=3, random_state=0)
    params = {"class_weight": [{0: 1.0, 1: 3.0}] * 3}
    assert_same_training(
        on(client, **params).fit(*whole(X, Y)), on(client, **params).estimator.fit(X, Y)
    )


@pytest.mark.parametrize("params", [{}, {"batch_norm": True}])
def test_early_stopping_is_that_of_the_plain_solver(client, params):
    params = {"early_stopping": True, "max_iter": 80, "n_iter_no_change": 3, **params}
    train, rest = slice(0, 450), slice(450, None)
    found = on(client, **params).fit(
        *whole(DIGITS[train], LABELS[train]),
        X_val=chunked(DIGITS[rest], 50),
        y_val=chunked(LABELS[rest], 50),
    )
    plain = on(client, **params).estimator
    plain.fit(DIGITS[train], LABELS[train], X_val=DIGITS[rest], y_val=LABELS[rest])
    assert_same_training(found, plain)
    assert found.n_iter_ < 80


# Several partitions

CUTS = [(100, 250), (300,), (7, 593), (120,) * 4]


@pytest.mark.parametrize("cut", CUTS, ids=str)
def test_the_costs_of_an_epoch_without_steps_average_to_j(client, cut):
    rows = [chunked(array, *cut) for array in (DIGITS, LABELS, WEIGHTS)]
    found = on(client, max_iter=1, learning_rate_init=1e-300).fit(*rows)
    assert found.loss_ == pytest.approx(found.cost(*rows), rel=1e-12)


@pytest.mark.parametrize("cut", [(100, 250), (300,), (120,) * 4], ids=str)
@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_without_shuffling_batches_follow_each_other(client, cut, solver):
    """Partitions of whole batches are cut as the rows in memory are."""
    params = {"shuffle": False, "solver": solver, "batch_size": 10}
    rows = [chunked(array, *cut) for array in (DIGITS, LABELS, WEIGHTS)]
    found = on(client, **params).fit(*rows)
    plain = on(client, **params).estimator.fit(DIGITS, LABELS, WEIGHTS)
    np.testing.assert_allclose(found.loss_curve_, plain.loss_curve_, rtol=1e-12)
    for W, expected in zip(found.coefs_, plain.coefs_, strict=True):
        np.testing.assert_allclose(W, expected, rtol=0, atol=1e-12)


def test_alpha_means_the_same_however_the_rows_are_cut(client):
    """Long training of a convex problem comes to the minimum of the one J."""
    params = {
        "hidden_layer_sizes": (),
        "alpha": 30.0,
        "max_iter": 60,
        "learning_rate": "cosine",
        "learning_rate_init": 0.1,
        "n_iter_no_change": np.inf,
    }
    rows = [chunked(array, 100, 250) for array in (DIGITS, LABELS)]
    found = on(client, **params).fit(*rows)
    exact = network(solver="lbfgs", hidden_layer_sizes=(), alpha=30.0, max_iter=500, tol=1e-6)
    exact.fit(DIGITS, LABELS)
    assert found.cost(*rows) == pytest.approx(exact.loss_, rel=1e-3)


@pytest.mark.parametrize("params", [{}, {"dropout": 0.2}, {"batch_norm": True}])
def test_epochs_in_many_calls_are_those_of_one(client, params):
    rows = [chunked(array, 100, 250) for array in (DIGITS, LABELS)]
    at_once = on(client, max_iter=4, **params).fit(*rows)
    in_calls = on(client, max_iter=1, warm_start=True, **params)
    for _ in range(4):
        in_calls.fit(*rows)
    assert in_calls.loss_curve_ == at_once.loss_curve_
    assert (in_calls.n_fun_, in_calls.t_) == (at_once.n_fun_, at_once.t_)
    assert all(map(np.array_equal, in_calls.coefs_, at_once.coefs_))


def test_steps_and_rows_are_counted(client):
    rows = [chunked(array, 110, 250) for array in (DIGITS, LABELS)]
    found = on(client, max_iter=3, batch_size=50).fit(*rows)
    # Batches are cut inside partitions: 110, 250 and 240 rows.
    assert found.n_fun_ == 3 * (3 + 5 + 5)
    assert (found.n_iter_, found.t_) == (3, 3 * 600)


def test_schedules_count_the_batches_of_all_partitions(client):
    steps = []

    def note(step):
        steps.append(step)
        return 0.01

    rows = [chunked(array, 110, 250) for array in (DIGITS, LABELS)]
    on(client, max_iter=2, batch_size=50, learning_rate=note).fit(*rows)
    assert steps == list(range(2 * 13))


def test_epochs_visit_partitions_in_orders_of_their_own(client):
    rows = [chunked(array, *[100] * 5) for array in (DIGITS, LABELS)]
    shuffled = on(client, batch_size=100, max_iter=3).fit(*rows)
    ordered = on(client, batch_size=100, max_iter=3, shuffle=False).fit(*rows)
    assert shuffled.loss_curve_ != ordered.loss_curve_
    again = on(client, batch_size=100, max_iter=3).fit(*rows)
    assert shuffled.loss_curve_ == again.loss_curve_


def test_divergence_is_an_error(client):
    rows = [chunked(array, 100, 250) for array in (DIGITS, LABELS)]
    classifier = on(client, solver="sgd", learning_rate_init=1e200)
    with pytest.raises(FloatingPointError, match="Training diverges"):
        classifier.fit(*rows)
    assert not hasattr(classifier, "estimator_")


def test_a_partition_without_weight_changes_nothing_but_by_the_penalty(client):
    weights = np.where(np.arange(600) < 100, 0.0, 1.0)
    rows = [chunked(array, 100, 250) for array in (DIGITS, LABELS, weights)]
    found = on(client, alpha=0.0, solver="sgd", momentum=0.0, shuffle=False).fit(*rows)
    plain = on(client, alpha=0.0, solver="sgd", momentum=0.0, shuffle=False).estimator
    plain.fit(DIGITS, LABELS, weights)
    np.testing.assert_allclose(found.loss_curve_, plain.loss_curve_, rtol=1e-12)
