"""The space of few, wide rows: the same J, the same minima, theta where it is asked for."""

import numpy as np
import pytest
from objectives import rows_objective
from scipy.sparse import csr_matrix
from sklearn.base import clone

from backprop_mlp import BackpropMLPClassifier, BackpropMLPClassifierCV, BackpropMLPRegressor
from backprop_mlp._network.losses import SoftmaxLoss
from backprop_mlp._network.network import Network
from backprop_mlp._objective.objective import Objective
from backprop_mlp._objective.penalty import L2Penalty
from backprop_mlp._solvers import full_batch, row_space
from backprop_mlp._solvers.row_space import PassageThroughRowSpace, RowSpace

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

N_FEATURES = 40
FULL_BATCH = ["cg", "lbfgs", "newton-cg"]


@pytest.fixture
def always(monkeypatch):
    """Small networks and short descents, too, move in the space of their rows."""
    monkeypatch.setattr(row_space, "FEWEST_WEIGHTS", 0)
    monkeypatch.setattr(row_space, "ITERATIONS_PER_ROW_AND_UNIT", 0)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture(name="X")
def wide_rows(rng):
    return rng.normal(size=(8, N_FEATURES)) * rng.uniform(0.1, 5.0, size=N_FEATURES) + 3.0


@pytest.fixture
def y():
    return np.arange(8) % 3


@pytest.fixture
def objective(X, y):
    network = Network.feedforward((N_FEATURES, 5, 3), ("tanh",), SoftmaxLoss())
    return rows_objective(network, X, np.eye(3)[y], np.array([1.0, 2, 0, 1, 3, 1, 1, 1]))


@pytest.fixture
def theta(objective, rng):
    return rng.normal(size=objective.network.n_params) / 5.0


def moved(passage, rng):
    """Parameters inside, some steps away from the start."""
    return passage.start + rng.normal(size=len(passage.start)) / 10.0


def count_inputs(monkeypatch):
    """The numbers of inputs of the networks that descents are made of."""
    seen = []
    plan = full_batch.plan_descent

    def watch(objective, method):
        seen.append(objective.network.layers[0].n_in)
        return plan(objective, method)

    monkeypatch.setattr(full_batch, "plan_descent", watch)
    return seen


# The way in and out


def test_the_start_inside_is_the_start_outside(always, objective, theta):
    passage = PassageThroughRowSpace(RowSpace.of(objective, 200), objective, theta)
    grad = np.zeros_like(passage.start)
    assert passage.place(passage.start, grad).theta is theta
    again = passage.place(passage.start.copy(), grad).theta
    np.testing.assert_allclose(again, theta, atol=1e-13)


def test_j_inside_is_j_outside(always, objective, theta, rng):
    passage = PassageThroughRowSpace(RowSpace.of(objective, 200), objective, theta)
    inside = moved(passage, rng)
    value, grad = passage.objective.value_and_grad(inside)
    place = passage.place(inside, grad)
    expected, outside = objective.value_and_grad(place.theta)
    assert value == pytest.approx(expected, rel=1e-12)
    assert place.grad_max == pytest.approx(np.abs(outside).max(), rel=1e-10)
    assert not place.is_flat(np.nextafter(place.grad_max, 0.0))
    assert place.is_flat(np.nextafter(place.grad_max, np.inf))


def test_no_gradient_leaves_the_space(always, objective, theta, rng):
    passage = PassageThroughRowSpace(RowSpace.of(objective, 200), objective, theta)
    inside = moved(passage, rng)
    _, grad = passage.objective.value_and_grad(inside)
    _, outside = objective.value_and_grad(passage.theta_outside(inside))
    np.testing.assert_allclose(passage.grad_outside(grad), outside, atol=1e-13)


def test_what_the_start_has_beyond_the_rows_goes_on_to_be_penalised(always, objective, theta):
    passage = PassageThroughRowSpace(RowSpace.of(objective, 200), objective, theta)
    assert passage.objective.penalty(passage.start) == pytest.approx(objective.penalty(theta))
    inside = passage.start.copy()
    (W, _), *_ = passage.space.network.dense_rows(inside)
    W[:, -1] = 0.0
    shorter = passage.theta_outside(inside)
    assert objective.penalty(shorter) < 0.95 * objective.penalty(theta)
    data_terms = [objective.value(at) - objective.penalty(at) for at in (shorter, theta)]
    assert data_terms[0] == pytest.approx(data_terms[1], rel=1e-12)


def test_any_isotropic_penalty_is_the_same_inside(always, X, y, theta):
    class Fourth(L2Penalty):
        """A quarter of the squared length, squared."""

        def value(self, weights):
            return self.strength / 4.0 * float(weights @ weights) ** 2

        def add_grad(self, grad, weights):
            grad += self.strength * float(weights @ weights) * weights

    network = Network.feedforward((N_FEATURES, 5, 3), ("tanh",), SoftmaxLoss())
    blocks = rows_objective(network, X, np.eye(3)[y], np.ones(8)).blocks
    objective = Objective(network, blocks, 0.7, penalty=Fourth)
    passage = PassageThroughRowSpace(RowSpace.of(objective, 200), objective, theta)
    assert passage.objective.value(passage.start) == pytest.approx(objective.value(theta))


# Which rows span it


def dimensions(X, sample_weight=None):
    network = Network.feedforward((X.shape[1], 5, 1), ("tanh",), SoftmaxLoss())
    weights = np.ones(X.shape[0]) if sample_weight is None else sample_weight
    space = RowSpace.of(rows_objective(network, X, np.zeros((X.shape[0], 1)), weights), 200)
    return space.network.layers[0].n_in - 1


@pytest.mark.parametrize("format", [np.asarray, csr_matrix], ids=["dense", "sparse"])
def test_it_has_a_dimension_per_independent_centred_row(always, X, format):
    assert dimensions(format(X)) == 7
    assert dimensions(format(np.vstack([X[:4], X[:4]]))) == 3
    assert dimensions(format(np.vstack([X[:2], X[:2].mean(axis=0)]))) == 1
    assert dimensions(format(X + 1e4)) == 7
    assert dimensions(format(np.ones((5, N_FEATURES)))) == 0


def test_rows_without_weight_do_not_span_it(always, X):
    X[3] = 1e300
    assert dimensions(X, np.array([1.0, 1, 1, 0, 1, 1, 1, 0])) == 5


def test_a_row_far_from_all_others_takes_no_direction_from_them(always, X, rng):
    assert dimensions(X + 1e14 * np.outer(np.arange(8) == 2, rng.normal(size=N_FEATURES))) == 7


@pytest.mark.parametrize("large", [1e18, -1e200])
def test_a_constant_column_is_left_alone_however_large_it_is(always, X, large, objective, theta):
    X[:, 5] = large
    passage = PassageThroughRowSpace(RowSpace.of(objective, 200), objective, theta)
    assert passage.objective.network.layers[0].n_in == 7
    (W, _), *_ = objective.network.dense_rows(passage.theta_outside(passage.start.copy()))
    (start, _), *_ = objective.network.dense_rows(theta)
    np.testing.assert_allclose(W[:, 5], start[:, 5], rtol=1e-12)


@pytest.mark.parametrize("column", [1e9 * np.arange(8), 1e9 + np.arange(8), [1e308, -1e308] * 4])
def test_columns_beside_which_rounding_loses_the_others_have_none(always, X, objective, column):
    X[:, 5] = column
    assert RowSpace.of(objective, 200) is None


@pytest.mark.parametrize(("offset", "suits"), [(5.0, True), (1e3, False)])
def test_offsets_that_float32_rounds_are_left_alone(always, y, rng, offset, suits):
    X = (rng.uniform(-1.0, 1.0, size=(8, N_FEATURES)) + offset).astype(np.float32)
    network = Network.feedforward((N_FEATURES, 5, 3), ("tanh",), SoftmaxLoss())
    objective = rows_objective(network, X, np.eye(3)[y], np.ones(8))
    assert (RowSpace.of(objective, 200) is not None) == suits
    model = BackpropMLPClassifier((6,), max_iter=30, random_state=0).fit(X, y)
    assert model.loss_ == pytest.approx(model.cost(X, y), rel=1e-7)


@pytest.mark.parametrize(
    ("shape", "n_units", "max_iter", "pays"),
    [
        ((100, 1000), 100, 10, True),
        ((100, 1000), 100, 9, False),  # few iterations
        ((100, 999), 100, 200, False),  # fewer than 100,000 weights
        ((300, 1199), 100, 200, False),  # fewer than four columns per row
        ((300, 1200), 100, 200, True),
        ((401, 8000), 20, 200, False),  # few units
        ((1001, 4004), 200, 200, False),  # more than a thousand rows
    ],
)
def test_whether_it_pays_depends_on_the_shape(shape, n_units, max_iter, pays):
    X = csr_matrix(shape)
    network = Network.feedforward((shape[1], n_units, 1), ("tanh",), SoftmaxLoss())
    objective = rows_objective(network, X, np.zeros((shape[0], 1)), np.ones(shape[0]), shape[0])
    assert (RowSpace.of(objective, max_iter) is not None) == pays


# Fits


@pytest.mark.parametrize("solver", FULL_BATCH)
@pytest.mark.parametrize("hidden", [(), (6,), (6, 4)])
def test_a_fit_in_it_finds_the_minimum_that_a_fit_outside_finds(solver, hidden, X, y, monkeypatch):
    model = BackpropMLPClassifier(
        hidden, "tanh", solver=solver, alpha=1.0, tol=1e-9, max_iter=5000, random_state=0
    )
    outside = clone(model).fit(X, y)
    monkeypatch.setattr(row_space, "FEWEST_WEIGHTS", 0)
    seen = count_inputs(monkeypatch)
    inside = clone(model).fit(X, y)
    assert seen == [8]
    assert inside.loss_ == pytest.approx(inside.cost(X, y), rel=1e-12)
    _, gradients = inside.cost_gradient(X, y)
    assert max(np.abs(gradient).max() for gradient in gradients) < 1e-5
    if hidden == ():  # there is a single minimum
        np.testing.assert_allclose(inside.coefs_[0], outside.coefs_[0], atol=1e-5)


@pytest.mark.parametrize("solver", FULL_BATCH)
@pytest.mark.parametrize("loss", ["squared_error", "poisson"])
def test_regressors_move_in_it_too(always, solver, loss, X, y, monkeypatch):
    seen = count_inputs(monkeypatch)
    model = BackpropMLPRegressor(
        (6,), "tanh", loss=loss, solver=solver, tol=1e-10, max_iter=5000, random_state=0
    ).fit(X, y)
    assert seen == [8]
    assert model.loss_ == pytest.approx(model.cost(X, y), rel=1e-10)
    _, gradients = model.cost_gradient(X, y)
    assert max(np.abs(gradient).max() for gradient in gradients) < 1e-4


@pytest.mark.parametrize("solver", FULL_BATCH)
def test_weights_are_repeated_rows(always, solver, X, y):
    counts = np.array([1, 2, 1, 0, 3, 0, 1, 1])
    model = BackpropMLPClassifier((6,), "tanh", solver=solver, max_iter=20, random_state=0)
    weighted = clone(model).fit(X, y, sample_weight=counts)
    repeated = clone(model).fit(np.repeat(X, counts, axis=0), np.repeat(y, counts))
    np.testing.assert_allclose(weighted.coefs_[0], repeated.coefs_[0], atol=1e-8)


@pytest.mark.parametrize("solver", FULL_BATCH)
def test_sparse_rows_are_dense_rows(always, solver, X, y):
    X[X < 3.0] = 0.0
    model = BackpropMLPClassifier((6,), "tanh", solver=solver, max_iter=20, random_state=0)
    dense, sparse = clone(model).fit(X, y), clone(model).fit(csr_matrix(X), y)
    np.testing.assert_allclose(sparse.coefs_[0], dense.coefs_[0], atol=1e-8)


def test_a_warm_start_goes_on_from_all_weights(always, X, y):
    model = BackpropMLPClassifier((6,), max_iter=3, tol=0.0, warm_start=True, random_state=0)
    model.fit(X, y)
    before = model.loss_
    model.set_params(max_iter=1).fit(X, y)
    assert model.loss_curve_[3] < before
    # Where nothing is left to do, not a bit is lost on the way in and out.
    coefs = model.coefs_[0].copy()
    np.testing.assert_array_equal(model.set_params(tol=1e9).fit(X, y).coefs_[0], coefs)


def test_every_iteration_has_its_theta(always, X, y):
    model = BackpropMLPClassifier((6,), max_iter=6, tol=0.0, random_state=0, early_stopping=True)
    model.set_params(n_iter_no_change=10).fit(X, y, X_val=X, y_val=y)
    assert model.validation_scores_[model.n_iter_ - 1] == model.score(X, y)
    for number in range(1, 4):
        shorter = clone(model).set_params(early_stopping=False, max_iter=number).fit(X, y)
        assert shorter.score(X, y) == model.validation_scores_[number - 1]


def test_a_path_of_alphas_makes_it_once_per_fold(always, X, y, monkeypatch):
    made = []
    init = RowSpace.__init__
    monkeypatch.setattr(
        RowSpace, "__init__", lambda self, objective: (made.append(1), init(self, objective))[1]
    )
    X, y = np.vstack([X, X + 0.1]), np.tile(np.arange(8) % 2, 2)
    search = BackpropMLPClassifierCV(
        BackpropMLPClassifier((6,), max_iter=5), alphas=[0.1, 1.0, 10.0], cv=2, refit="folds"
    )
    monkeypatch.setattr(row_space, "COLUMNS_PER_ROW", 1)
    search.fit(X, y)
    assert len(made) == 2
