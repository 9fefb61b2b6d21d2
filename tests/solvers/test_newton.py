"""Newton-CG: exact Hessian-vector products, and how far they lead."""

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.datasets import load_breast_cancer, load_iris, make_multilabel_classification
from sklearn.preprocessing import scale

from backprop_mlp import BackpropMLPClassifier
from backprop_mlp._estimator.assembly import open_objective
from backprop_mlp._estimator.pose import pose_check
from backprop_mlp._network.activations import ACTIVATIONS

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

KINKED = [name for name, activation in ACTIVATIONS.items() if activation.kinked]
SMOOTH = [name for name in ACTIVATIONS if name not in KINKED]

X, y = load_iris(return_X_y=True)
X = scale(X)
WEIGHTS = np.random.default_rng(5).integers(0, 4, len(X)).astype(float)
Z, L = make_multilabel_classification(60, 6, n_classes=3, random_state=0)
LONG = np.tile(X, (20, 1)), np.tile(y, 20)

CASES = {
    "iris": ({}, X, y, None),
    "weighted": ({}, X, y, WEIGHTS),
    "sparse": ({}, csr_matrix(X), y, WEIGHTS),
    "softmax": ({"output_activation": "softmax"}, X, y, WEIGHTS),
    "two classes": ({}, X, y == 1, None),
    "multilabel": ({}, scale(Z), L, None),
    "one layer": ({"hidden_layer_sizes": (7,)}, X, y, None),
    "deep": ({"hidden_layer_sizes": (4, 3, 3, 4)}, X, y, None),
    "no hidden layer": ({"hidden_layer_sizes": ()}, X, y, WEIGHTS),
    "no hidden layer, softmax": (
        {"hidden_layer_sizes": (), "output_activation": "softmax"},
        X,
        y,
        WEIGHTS,
    ),
    "mixed": ({"activation": ["tanh", "logistic"]}, X, y, None),
    "no alpha": ({"alpha": 0.0}, X, y, None),
    "more than a block": ({}, *LONG, None),
}


def classifier(**params):
    defaults = {"hidden_layer_sizes": (6, 5), "activation": "tanh", "solver": "newton-cg"}
    return BackpropMLPClassifier(**defaults | {"random_state": 0} | params)


def directions(objective, n=3):
    """Somewhere, and directions to go there."""
    rng = np.random.default_rng(0)
    theta = rng.normal(size=objective.network.n_params)
    return theta, rng.normal(size=(n, theta.size))


def relative_error(one, other):
    return np.linalg.norm(one - other) / np.linalg.norm(one + other)


def check_products(params, X, y, sample_weight):
    """Against central differences of the gradient, and u'Hv against v'Hu."""
    problem, _ = pose_check(classifier(**params), X, y, sample_weight)
    with open_objective(problem, params.get("alpha", 1.0)) as objective:
        theta, (u, v, w) = directions(objective)
        products = [objective.hessian_product(theta, d) for d in (u, v, w)]
        step = 1e-5
        for direction, product in zip((u, v, w), products, strict=True):
            _, plus = objective.value_and_grad(theta + step * direction)
            _, minus = objective.value_and_grad(theta - step * direction)
            assert relative_error(product, (plus - minus) / (2 * step)) < 1e-6
        Hu, Hv, _ = products
        assert u @ Hv == pytest.approx(v @ Hu, rel=1e-10)


@pytest.mark.parametrize("case", CASES)
def test_products_agree_with_differences_of_the_gradient_and_are_symmetric(case):
    check_products(*CASES[case])


@pytest.mark.parametrize("activation", SMOOTH)
@pytest.mark.parametrize("output_activation", ["logistic", "softmax"])
def test_so_do_those_of_every_smooth_activation(activation, output_activation):
    params = {"activation": activation, "output_activation": output_activation}
    check_products(params, X, y, WEIGHTS)


@pytest.mark.parametrize("activation", KINKED)
def test_so_do_those_of_kinked_activations_away_from_the_kinks(activation):
    """Few rows and a small step: no unit switches sides on the way."""
    few = slice(0, None, 15)
    problem, _ = pose_check(classifier(activation=activation), X[few], y[few], None)
    with open_objective(problem, 1.0) as objective:
        theta, (u, v, _) = directions(objective)
        step = 1e-6
        _, caches_plus = objective.network.forward(
            objective.network.views(theta + step * u), X[few]
        )
        _, caches_minus = objective.network.forward(
            objective.network.views(theta - step * u), X[few]
        )
        for index in (1, 3):
            assert np.array_equal(caches_plus[index] > 0, caches_minus[index] > 0)
        Hu, Hv = objective.hessian_product(theta, u), objective.hessian_product(theta, v)
        _, plus = objective.value_and_grad(theta + step * u)
        _, minus = objective.value_and_grad(theta - step * u)
    assert relative_error(Hu, (plus - minus) / (2 * step)) < 1e-6
    assert u @ Hv == pytest.approx(v @ Hu, rel=1e-10)


def test_products_are_linear_in_the_direction():
    problem, _ = pose_check(classifier(), X, y, WEIGHTS)
    with open_objective(problem, 1.0) as objective:
        theta, (u, v, _) = directions(objective)
        Hu, Hv = objective.hessian_product(theta, u), objective.hessian_product(theta, v)
        together = objective.hessian_product(theta, 2.0 * u - 3.0 * v)
        nothing = objective.hessian_product(theta, np.zeros_like(u))
    np.testing.assert_allclose(together, 2.0 * Hu - 3.0 * Hv, rtol=1e-9, atol=1e-11)
    assert np.array_equal(nothing, np.zeros_like(u))


def test_logistic_regressions_hessian_is_the_textbooks():
    params = {"hidden_layer_sizes": (), "alpha": 3.0}
    problem, _ = pose_check(classifier(**params), X, y == 1, WEIGHTS)
    with open_objective(problem, 3.0) as objective:
        theta, _ = directions(objective)
        H = np.array([objective.hessian_product(theta, e) for e in np.eye(theta.size)])
    A = np.column_stack([X, np.ones(len(X))])  # theta: the weights, then the bias
    h = 1 / (1 + np.exp(-A @ theta))
    expected = (A.T * (WEIGHTS * h * (1 - h))) @ A + 3.0 * np.diag([1.0, 1.0, 1.0, 1.0, 0.0])
    np.testing.assert_allclose(H, expected / WEIGHTS.sum(), rtol=1e-10, atol=1e-13)


def test_the_products_of_one_class_are_those_of_the_penalty():
    problem, _ = pose_check(classifier(), X, np.zeros(len(X)), None)
    with open_objective(problem, 2.0) as objective:
        theta, (u, _, _) = directions(objective)
        Hu = objective.hessian_product(theta, u)
        n_weights = objective.network.n_weights
    np.testing.assert_allclose(Hu[:n_weights], 2.0 / len(X) * u[:n_weights], rtol=1e-12)
    assert np.array_equal(Hu[n_weights:], np.zeros(Hu.size - n_weights))


# The solver


def gradient_of(fitted, *data):
    _, gradients = fitted.cost_gradient(*data)
    return np.concatenate([gradient.ravel() for gradient in gradients])


@pytest.mark.parametrize("activation", SMOOTH)
@pytest.mark.parametrize("output_activation", ["logistic", "softmax"])
def test_it_reaches_a_gradient_norm_of_1e_7(activation, output_activation):
    params = {"activation": activation, "output_activation": output_activation}
    fitted = classifier(hidden_layer_sizes=(5,), tol=1e-8, max_iter=500, **params)
    fitted.set_params(n_iter_no_change=500).fit(X, y)
    assert fitted.converged_
    assert np.linalg.norm(gradient_of(fitted, X, y)) < 1e-7


@pytest.mark.parametrize("tol", [1e-2, 1e-4, 1e-6])
def test_tol_is_the_gradients_largest_component(tol):
    fitted = classifier(tol=tol, max_iter=500, n_iter_no_change=500).fit(X, y)
    assert fitted.converged_
    assert np.abs(gradient_of(fitted, X, y)).max() < tol
    before = classifier(tol=tol, max_iter=fitted.n_iter_ - 1, n_iter_no_change=500).fit(X, y)
    assert not before.converged_
    assert np.abs(gradient_of(before, X, y)).max() >= tol


def test_it_converges_quadratically_in_a_convex_problem():
    """Conjugate gradient needs the more iterations, the more precise the minimum is to be."""
    X, y = load_breast_cancer(return_X_y=True)
    X = scale(X)
    params = {"hidden_layer_sizes": (), "tol": 1e-7, "max_iter": 500, "n_iter_no_change": 500}
    newton = classifier(**params).fit(X, y)
    cg = classifier(**params).set_params(solver="cg").fit(X, y)
    assert newton.loss_ == pytest.approx(cg.loss_, rel=1e-9)
    assert newton.n_iter_ < 15
    assert newton.n_iter_ < cg.n_iter_


@pytest.mark.parametrize("activation", KINKED)
def test_it_trains_kinked_units_too(activation):
    fitted = classifier(activation=activation, max_iter=100).fit(X, y)
    assert np.all(np.diff(fitted.loss_curve_) <= 0)
    assert fitted.score(X, y) > 0.95


def test_it_trains_in_single_precision():
    single = classifier(max_iter=60).fit(X.astype(np.float32), y)
    double = classifier(max_iter=60).fit(X, y)
    assert {coef.dtype for coef in single.coefs_} == {np.dtype(np.float32)}
    assert single.loss_ == pytest.approx(double.loss_, rel=1e-2)


@pytest.mark.parametrize("sample_weight", [None, WEIGHTS], ids=["unweighted", "weighted"])
def test_sparse_rows_train_as_dense_ones(sample_weight):
    params = {"hidden_layer_sizes": (), "tol": 1e-8, "max_iter": 100}
    dense = classifier(**params).fit(X, y, sample_weight)
    sparse = classifier(**params).fit(csr_matrix(X), y, sample_weight)
    np.testing.assert_allclose(sparse.coefs_[0], dense.coefs_[0], rtol=1e-6)


def test_counts_of_a_fit():
    fitted = classifier(max_iter=7, tol=0.0).fit(X, y)
    assert fitted.n_iter_ == len(fitted.loss_curve_) == 7
    assert fitted.n_fun_ >= 8
    assert fitted.t_ == fitted.n_fun_ * len(X)
    assert fitted.loss_ == fitted.loss_curve_[-1] == pytest.approx(fitted.cost(X, y), rel=1e-12)


def test_it_ends_where_rounding_leaves_nothing_to_gain():
    """Not with iterations that go nowhere until max_iter."""
    fitted = classifier(tol=0.0, max_iter=500, n_iter_no_change=500)
    with pytest.warns(match="no step along the search direction lowers the cost"):
        fitted.fit(X, y)
    assert fitted.n_iter_ < 100
    assert np.linalg.norm(gradient_of(fitted, X, y)) < 1e-9
