"""The estimator: labels, weights, starts, precision, and the fitted attributes."""

import copy
import warnings

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import sklearn
from reference import cost as reference_cost
from reference import gradient as reference_gradient
from reference import logits
from scipy.special import softmax
from sklearn.datasets import load_iris
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.model_selection import (
    GridSearchCV,
    cross_val_predict,
    cross_validate,
    validation_curve,
)
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import MultiOutputClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler, scale
from sklearn.utils.class_weight import compute_class_weight

from backprop_mlp import BackpropMLPClassifier
from backprop_mlp._network.activations import ACTIVATIONS

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, y = load_iris(return_X_y=True)
X = scale(X)
LABELS = np.column_stack([y == 0, y > 0, X[:, 1] > 0.5]).astype(int)
COUNTS = np.random.default_rng(0).integers(0, 4, len(y))
TARGETS = {"binary": y > 1, "multiclass": y, "multilabel": LABELS, "one class": 0 * y + 7}


def network(*args, **params):
    return BackpropMLPClassifier(*args or (6,), **{"max_iter": 10, "random_state": 0, **params})


def assert_same_fit(one, other):
    """The same bits in every fitted attribute that tells how training went."""
    assert one.loss_curve_ == other.loss_curve_
    for name in ("coefs_", "intercepts_"):
        for first, second in zip(getattr(one, name), getattr(other, name), strict=True):
            np.testing.assert_array_equal(first, second)


@pytest.fixture(params=TARGETS)
def target(request):
    return TARGETS[request.param]


# Labels


@pytest.mark.parametrize(
    "names",
    [
        np.array(["setosa", "versicolor", "virginica"]),
        np.array(["b", "c", "a"], dtype=object),
        np.array([7, -1, 3]),
        np.array([2.0, 1.0, 10.0]),
        np.array([3, 1, 2], dtype=np.uint8),
    ],
    ids=["str", "object", "int", "float", "uint8"],
)
def test_labels_of_any_kind_come_back_as_they_were(names):
    model = network().fit(X, names[y])
    np.testing.assert_array_equal(model.classes_, np.sort(names))
    assert model.classes_.dtype == names.dtype
    predicted = model.predict(X)
    assert predicted.dtype == names.dtype
    assert (predicted == names[y]).mean() > 0.8
    assert model.score(X, names[y]) == (predicted == names[y]).mean()


@pytest.mark.parametrize("names", [np.array([False, True]), np.array(["no", "yes"])])
def test_two_classes_are_one_output(names):
    model = network().fit(X, names[(y > 1).astype(int)])
    assert model.n_outputs_ == 1
    assert model.coefs_[-1].shape == (6, 1)
    z = model.decision_function(X)
    assert z.shape == (150,)
    np.testing.assert_array_equal(model.predict(X), names[(z > 0).astype(int)])
    np.testing.assert_allclose(model.predict_proba(X)[:, 1], 1 / (1 + np.exp(-z)), atol=1e-15)


def test_the_names_of_the_labels_do_not_matter():
    numbers, names = network().fit(X, y), network().fit(X, np.array(["a", "b", "c"])[y])
    assert_same_fit(numbers, names)


@pytest.mark.parametrize("output_activation", ["logistic", "softmax"])
def test_predict_is_the_largest_logit(output_activation):
    model = network(output_activation=output_activation).fit(X, y)
    z = model.decision_function(X)
    assert z.shape == (150, 3)
    np.testing.assert_array_equal(model.predict(X), z.argmax(axis=1))


def test_ties_of_float32_probabilities_do_not_hide_the_largest_logit():
    thetas = [[[20.0, 1.0], [21.0, 1.0], [0.0, 0.0]]]
    model = BackpropMLPClassifier.from_thetas(thetas)
    row = np.zeros((1, 1), np.float32)
    model.coefs_ = [W.astype(np.float32) for W in model.coefs_]
    model.intercepts_ = [b.astype(np.float32) for b in model.intercepts_]
    P = model.predict_proba(row)
    assert P[0, 0] == P[0, 1]
    assert model.predict(row) == [1]


@pytest.mark.parametrize("container", [np.asarray, sp.csr_matrix, sp.csc_array, list])
def test_label_matrices_may_be_dense_or_sparse(container):
    model = network().fit(X, container(LABELS.tolist() if container is list else LABELS))
    assert_same_fit(model, network().fit(X, LABELS))
    assert model.n_outputs_ == 3
    np.testing.assert_array_equal(model.classes_, [0, 1, 2])
    z = model.decision_function(X)
    np.testing.assert_array_equal(model.predict(X), z > 0)
    np.testing.assert_allclose(model.predict_proba(X), 1 / (1 + np.exp(-z)), atol=1e-15)
    assert model.score(X, LABELS) > 0.8


def test_a_label_matrix_is_not_its_rows_as_classes():
    model = network().fit(X, LABELS)
    assert model.predict(X[:4]).shape == (4, 3)
    assert model.out_activation_ == "logistic"


@pytest.mark.parametrize("label", ["only", 5, True])
def test_one_class_is_predicted_for_certain(label):
    model = network().fit(X, np.full(150, label))
    assert (model.predict(X) == label).all()
    np.testing.assert_array_equal(model.predict_proba(X), np.ones((150, 1)))
    np.testing.assert_array_equal(model.predict_log_proba(X), np.zeros((150, 1)))
    assert model.n_outputs_ == 1
    assert model.converged_


def test_softmax_of_two_classes_is_the_logistic_output():
    one, other = (network(output_activation=name).fit(X, y > 1) for name in ("logistic", "softmax"))
    assert_same_fit(one, other)
    assert one.out_activation_ == other.out_activation_ == "logistic"


@pytest.mark.parametrize("output_activation", ["logistic", "softmax"])
def test_probabilities_are_probabilities(target, output_activation):
    model = network(output_activation=output_activation).fit(X, target)
    P = model.predict_proba(X)
    assert P.shape == (150, len(model.classes_))
    assert ((P >= 0) & (P <= 1)).all()
    if target.ndim == 1:
        np.testing.assert_allclose(P.sum(axis=1), 1.0, rtol=1e-12)
    np.testing.assert_allclose(np.exp(model.predict_log_proba(X)), P, rtol=1e-9, atol=1e-300)


def test_log_probabilities_are_finite_where_probabilities_are_zero():
    model = BackpropMLPClassifier.from_thetas([[[0.0, 1.0], [0.0, -1.0], [0.0, 0.0]]])
    rows = [[1e308], [-1e308], [1e4]]
    assert np.isfinite(model.predict_log_proba(rows)).all()
    assert model.predict_proba(rows)[0, 1] == 0.0


# The objective


@pytest.mark.parametrize("output", ["logistic", "softmax"])
@pytest.mark.parametrize("weights", [None, COUNTS], ids=["unweighted", "weighted"])
def test_cost_and_gradient_are_those_of_the_formula(output, weights):
    hidden = ("tanh", "logistic")
    model = network((4, 3), hidden, output_activation=output, alpha=0.6, max_iter=2)
    model.fit(X, y, weights)
    rows = slice(0, 150, 7)
    sample_weight = np.ones(len(X[rows])) if weights is None else weights[rows].astype(float)
    arguments = (hidden, output, X[rows], np.eye(3)[y[rows]], sample_weight, 0.6)
    expected_cost = reference_cost(model.coefs_, model.intercepts_, *arguments)
    expected = reference_gradient(model.coefs_, model.intercepts_, *arguments)

    cost, gradients = model.cost_gradient(X[rows], y[rows], sample_weight)
    assert cost == pytest.approx(expected_cost, rel=1e-12)
    assert model.cost(X[rows], y[rows], sample_weight) == cost
    for gradient, theta, W_grad, b_grad in zip(gradients, model.thetas_, *expected, strict=True):
        assert gradient.shape == theta.shape
        np.testing.assert_allclose(gradient[:, 0], b_grad, rtol=1e-9, atol=1e-13)
        np.testing.assert_allclose(gradient[:, 1:], W_grad.T, rtol=1e-9, atol=1e-13)


@pytest.mark.parametrize("solver", ["cg", "lbfgs"])
@pytest.mark.parametrize("class_weight", [None, "balanced"])
@pytest.mark.parametrize("weights", [None, COUNTS], ids=["unweighted", "weighted"])
def test_on_the_training_data_the_cost_is_the_loss(target, weights, class_weight, solver):
    model = network(class_weight=class_weight, solver=solver).fit(X, target, weights)
    assert model.cost(X, target, weights) == pytest.approx(model.loss_, rel=1e-12, abs=1e-30)
    assert model.cost_gradient(X, target, weights)[0] == model.cost(X, target, weights)


def test_in_float32_the_cost_is_the_loss_to_its_precision():
    model = network().fit(X.astype(np.float32), y)
    assert model.cost(X.astype(np.float32), y) == pytest.approx(model.loss_, rel=1e-6)


def test_the_cost_of_other_rows_has_their_m():
    model = network().fit(X, y)
    penalty = 0.5 * sum((W**2).sum() for W in model.coefs_)
    few, many = model.cost(X[:10], y[:10]), model.cost(np.tile(X[:10], (3, 1)), np.tile(y[:10], 3))
    assert few - penalty / 10 == pytest.approx(many - penalty / 30, rel=1e-12)


def test_gradients_are_float64_and_small_at_the_minimum():
    model = network(max_iter=500, tol=1e-5, n_iter_no_change=500).fit(X.astype(np.float32), y > 1)
    _, gradients = model.cost_gradient(X.astype(np.float32), y > 1)
    assert [gradient.dtype for gradient in gradients] == [np.float64] * 2
    assert max(np.abs(gradient).max() for gradient in gradients) < 1e-4


def test_alpha_shrinks_the_weights():
    norms = [
        sum((W**2).sum() for W in network(alpha=alpha, max_iter=20).fit(X, y).coefs_)
        for alpha in (0.01, 1.0, 100.0)
    ]
    assert norms[0] > norms[1] > norms[2]


@pytest.mark.parametrize("solver", ["adam", "rmsprop", "sgd"])
@pytest.mark.parametrize("n_calls", [1, 3, 10])
def test_in_partial_fit_alpha_times_the_share_of_the_rows_is_the_same_penalty(solver, n_calls):
    size = len(X) // n_calls
    start = network(max_iter=1).fit(X, y)

    def going_on(alpha):
        settings = {"solver": solver, "batch_size": size, "shuffle": False, "warm_start": True}
        return copy.deepcopy(start).set_params(alpha=alpha, max_iter=2, **settings)

    whole, stream = going_on(5.0).fit(X, y), going_on(5.0 / n_calls)
    for _ in range(2):
        for first in range(0, len(X), size):
            stream.partial_fit(X[first : first + size], y[first : first + size])
    for expected, found in zip(whole.coefs_, stream.coefs_, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-9)


# Weights


@pytest.mark.parametrize("solver", ["cg", "lbfgs"])
def test_integer_weights_are_repeated_rows(target, solver):
    repeated = np.repeat(np.arange(150), COUNTS)
    weighted = network(solver=solver).fit(X, target, COUNTS)
    rows = network(solver=solver).fit(X[repeated], target[repeated])
    np.testing.assert_allclose(weighted.predict_proba(X), rows.predict_proba(X), atol=1e-9)


@pytest.mark.parametrize("counts", [np.full(150, 3), 2 + COUNTS, 1 + 11 * (COUNTS > 0)])
@pytest.mark.parametrize("solver", ["cg", "lbfgs"])
def test_so_are_those_that_are_never_one_or_mostly_many(solver, counts):
    repeated = np.repeat(np.arange(150), counts)
    weighted = network(solver=solver, max_iter=15).fit(X, y, counts)
    rows = network(solver=solver, max_iter=15).fit(X[repeated], y[repeated])
    np.testing.assert_allclose(weighted.predict_proba(X), rows.predict_proba(X), atol=1e-9)


@pytest.mark.parametrize("solver", ["cg", "lbfgs"])
def test_rows_of_weight_zero_are_removed_rows(target, solver):
    kept = COUNTS > 0
    weighted = network(solver=solver).fit(X, target, kept.astype(float))
    rows = network(solver=solver).fit(X[kept], target[kept])
    np.testing.assert_allclose(weighted.predict_proba(X), rows.predict_proba(X), atol=1e-9)


@pytest.mark.parametrize("container", [np.asarray, sp.csr_matrix])
@pytest.mark.parametrize(("dtype", "huge"), [(np.float32, 3e38), (np.float64, -1.7e308)])
@pytest.mark.parametrize("solver", ["cg", "lbfgs", "newton-cg", "adam", "rmsprop", "sgd"])
def test_inputs_of_rows_of_zero_weight_change_nothing(target, solver, dtype, huge, container):
    rows, weights = (2.0 + 5.0 * X).astype(dtype), (COUNTS > 0).astype(float)
    model = network(solver=solver, max_iter=15).fit(container(rows), target, weights)
    cost = model.cost(container(rows), target, weights)
    rows[weights == 0.0] = huge
    other = network(solver=solver, max_iter=15).fit(container(rows), target, weights)
    np.testing.assert_array_equal(model.loss_curve_, other.loss_curve_)
    assert other.cost(container(rows), target, weights) == cost


@pytest.mark.parametrize(("dtype", "huge"), [(np.float32, 3e38), (np.float64, -1.7e308)])
@pytest.mark.parametrize("batch_size", [1, 40])
def test_batch_norm_does_not_see_rows_of_zero_weight(batch_size, dtype, huge):
    rows, weights = X.astype(dtype), (COUNTS > 0).astype(float)
    params = {"solver": "adam", "max_iter": 3, "batch_norm": True, "batch_size": batch_size}
    model = network(**params).fit(rows, y, weights)
    rows[weights == 0.0] = huge
    assert_same_fit(model, network(**params).fit(rows, y, weights))


@pytest.mark.parametrize("scoring", [None, "loss"])
@pytest.mark.parametrize("solver", ["cg", "adam"])
def test_validation_rows_of_zero_weight_change_nothing(solver, scoring):
    params = {"solver": solver, "max_iter": 5, "early_stopping": True, "scoring": scoring}
    weights, rows = (COUNTS > 0).astype(float), X.copy()
    given = {"X_val": rows, "y_val": y, "sample_weight_val": weights}
    model = network(**params).fit(X, y, **given)
    rows[weights == 0.0] = 1.7e308
    other = network(**params).fit(X, y, **given)
    np.testing.assert_array_equal(model.validation_scores_, other.validation_scores_)


def test_a_class_of_which_all_rows_weigh_nothing_stays_a_class():
    model = network().fit(X, y, (y > 0).astype(float))
    np.testing.assert_array_equal(model.classes_, [0, 1, 2])
    assert model.predict_proba(X).shape == (150, 3)


def test_a_class_weight_is_a_row_weight():
    model = network(class_weight={0: 2.0, 2: 0.5}).fit(X, y, COUNTS)
    np.testing.assert_array_equal(model.class_weight_, [2.0, 1.0, 0.5])
    rows = network().fit(X, y, COUNTS * np.array([2.0, 1.0, 0.5])[y])
    assert_same_fit(model, rows)


def test_balanced_class_weights_are_those_of_scikit_learn():
    some = np.r_[0:20, 50:90, 100:150]
    model = network(class_weight="balanced").fit(X[some], y[some])
    expected = compute_class_weight("balanced", classes=np.arange(3), y=y[some])
    np.testing.assert_allclose(model.class_weight_, expected, rtol=1e-14)
    rows = network().fit(X[some], y[some], expected[y[some]])
    np.testing.assert_allclose(model.predict_proba(X), rows.predict_proba(X), atol=1e-9)


def test_balanced_class_weights_count_weighted_rows():
    repeated = np.repeat(np.arange(150), COUNTS)
    weighted = network(class_weight="balanced").fit(X, y, COUNTS)
    rows = network(class_weight="balanced").fit(X[repeated], y[repeated])
    np.testing.assert_allclose(weighted.class_weight_, rows.class_weight_, rtol=1e-14)
    np.testing.assert_allclose(weighted.predict_proba(X), rows.predict_proba(X), atol=1e-9)


@pytest.mark.parametrize("container", [np.asarray, sp.csr_matrix])
def test_class_weights_of_labels_weigh_each_labels_own_term(container):
    class_weight = [{1: 3.0}, {0: 0.5}, {0: 1.0, 1: 2.0}]
    model = network(class_weight=class_weight).fit(X, container(LABELS), COUNTS)
    np.testing.assert_array_equal(model.class_weight_, [[1.0, 3.0], [0.5, 1.0], [1.0, 2.0]])
    factors = np.where(LABELS, [3.0, 1.0, 2.0], [1.0, 0.5, 1.0]) * COUNTS[:, np.newaxis]
    h = model.predict_proba(X)
    terms = -np.log(np.where(LABELS, h, 1.0 - h))
    penalty = model.alpha / 2 * sum((W**2).sum() for W in model.coefs_)
    # m is the total row weight, whatever the class weights.
    expected = ((factors * terms).sum() + penalty) / COUNTS.sum()
    assert model.loss_ == pytest.approx(expected, rel=1e-12)
    assert model.cost(X, container(LABELS), COUNTS) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("solver", ["cg", "lbfgs", "newton-cg"])
@pytest.mark.parametrize("class_weight", ["balanced", {0: 0.5, 1: 3.0}], ids=str)
@pytest.mark.parametrize("n_labels", [3, 12])
def test_without_a_hidden_layer_labels_are_as_many_problems_of_two_classes(
    n_labels, class_weight, solver
):
    rng = np.random.default_rng(0)
    Z = rng.normal(size=(100, 6))
    noisy = Z @ rng.normal(size=(6, n_labels)) + 2 * rng.normal(size=(100, n_labels))
    L = (noisy > np.quantile(noisy, 0.9, axis=0)).astype(int)
    exactly = {"solver": solver, "tol": 1e-9, "max_iter": 10_000, "max_fun": 10**6}
    of_labels = class_weight if class_weight == "balanced" else [class_weight] * n_labels
    together = BackpropMLPClassifier((), class_weight=of_labels, **exactly)
    alone = OneVsRestClassifier(BackpropMLPClassifier((), class_weight=class_weight, **exactly))
    np.testing.assert_allclose(
        together.fit(Z, L).predict_proba(Z), alone.fit(Z, L).predict_proba(Z), atol=1e-5
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("solver", ["lbfgs", "adam"])
@pytest.mark.parametrize("n_labels", [30, 100])
def test_balanced_class_weights_of_many_labels(n_labels, solver, dtype):
    rng = np.random.default_rng(0)
    Z = rng.normal(size=(400, 5))
    L = (Z @ rng.normal(size=(5, n_labels)) > 3.0).astype(int)
    L[0] = 1
    model = BackpropMLPClassifier(4, solver=solver, max_iter=3, class_weight="balanced")
    model.fit(Z.astype(dtype), L)
    # Presence and absence of each label have the same weight in total.
    totals = np.column_stack([(L == 0).sum(axis=0), L.sum(axis=0)]) * model.class_weight_
    np.testing.assert_allclose(totals, 200.0)


def test_cost_multiplies_by_the_class_weights_of_the_fit():
    model = network(class_weight="balanced").fit(X[40:], y[40:])
    plain = BackpropMLPClassifier.from_thetas(model.thetas_)
    given = model.class_weight_[y]
    assert model.cost(X, y) == pytest.approx(plain.cost(X, y, given), rel=1e-13)


# Weights by routing


@pytest.fixture
def routing():
    with sklearn.config_context(enable_metadata_routing=True):
        yield


def test_sample_weight_is_routed_through_a_pipeline(routing):
    model = make_pipeline(
        StandardScaler().set_fit_request(sample_weight=False),
        network().set_fit_request(sample_weight=True),
    )
    routed = model.fit(X, y, sample_weight=COUNTS)
    alone = network().fit(StandardScaler().fit_transform(X), y, COUNTS)
    assert_same_fit(routed[-1], alone)


def test_sample_weight_is_routed_through_a_grid_search(routing):
    estimator = network(max_iter=3)
    estimator.set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
    search = GridSearchCV(estimator, {"alpha": [0.1, 1.0]}, cv=3)
    best = search.fit(X, y, sample_weight=COUNTS).best_estimator_
    assert best.cost(X, y, COUNTS) == pytest.approx(best.loss_, rel=1e-12)
    assert best.cost(X, y) != pytest.approx(best.loss_, rel=1e-3)


def test_unrequested_weights_are_an_error(routing):
    search = GridSearchCV(network(max_iter=1), {"alpha": [1.0]}, cv=2)
    with pytest.raises(ValueError, match="sample_weight"):
        search.fit(X, y, sample_weight=COUNTS)


# In scikit-learn's tools


def test_a_grid_over_alpha_in_a_pipeline():
    model = make_pipeline(StandardScaler(), network(solver="lbfgs"))
    grid = {"backpropmlpclassifier__alpha": [0.1, 1.0, 1000.0]}
    search = GridSearchCV(model, grid, cv=3).fit(X, y)
    assert search.best_score_ > 0.9
    assert search.best_params_ != {"backpropmlpclassifier__alpha": 1000.0}


def test_a_validation_curve_over_alpha():
    train, held_out = validation_curve(
        network(), X, y, param_name="alpha", param_range=[0.1, 1000.0], cv=3
    )
    assert train.shape == held_out.shape == (2, 3)
    assert held_out[0].mean() > held_out[1].mean()


@pytest.mark.slow
def test_cross_validation_over_processes_is_that_in_one():
    one, two = (
        cross_validate(network(max_iter=3), X, y, cv=4, n_jobs=n_jobs)["test_score"]
        for n_jobs in (1, 2)
    )
    np.testing.assert_array_equal(one, two)


def test_cross_validated_probabilities():
    P = cross_val_predict(network(), X, y, cv=3, method="predict_proba")
    assert P.shape == (150, 3)
    assert (P.argmax(axis=1) == y).mean() > 0.8


def test_labels_are_independent_of_each_other_without_hidden_units():
    exact = {"solver": "lbfgs", "max_iter": 5000, "n_iter_no_change": 5000, "tol": 1e-8}
    together = network((), **exact).fit(X, LABELS)
    alone = MultiOutputClassifier(network((), **exact)).fit(X, LABELS)
    for label, P in enumerate(alone.predict_proba(X)):
        np.testing.assert_allclose(together.predict_proba(X)[:, label], P[:, 1], atol=1e-6)


# Starts


def test_the_best_of_several_starts_is_kept(capsys):
    model = network(n_init=5, max_iter=6, verbose=True).fit(X, y)
    lines = capsys.readouterr().out.splitlines()
    final = [float(line.split("cost ")[1].split()[0]) for line in lines if "iteration    6" in line]
    assert len(final) == len(set(final)) == 5
    assert model.loss_ == pytest.approx(min(final), abs=5e-7)
    assert model.loss_ == model.best_loss_ == model.loss_curve_[-1]


def test_a_boolean_counts_as_the_number_that_it_is():
    assert network(n_init=True).fit(X, y).loss_curve_ == network(n_init=1).fit(X, y).loss_curve_


def test_more_starts_never_end_higher():
    losses = [network(n_init=n_init).fit(X, y).loss_ for n_init in (1, 2, 4)]
    assert losses[0] >= losses[1] >= losses[2]


def test_a_random_state_moves_on_from_fit_to_fit():
    state = np.random.RandomState(0)
    first, second = (network(random_state=state).fit(X, y).loss_curve_ for _ in range(2))
    assert first != second


def test_the_global_state_of_numpy_is_read_only_without_a_seed():
    np.random.seed(3)  # noqa: NPY002
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    network(random_state=0).fit(X, y)
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


# Warm start


def test_a_warm_start_goes_on_where_the_last_fit_ended():
    model = network(warm_start=True, max_iter=4).fit(X, y)
    first, evaluations, theta = list(model.loss_curve_), model.n_fun_, copy.deepcopy(model.coefs_)
    model.fit(X, y)
    assert model.loss_curve_[:4] == first
    assert (model.n_iter_, len(model.loss_curve_)) == (4, 8)
    assert model.n_fun_ > evaluations
    assert (np.diff(model.loss_curve_) <= 0).all()
    assert not np.array_equal(model.coefs_[0], theta[0])


def test_without_warm_start_every_fit_begins_anew():
    model = network()
    first = copy.deepcopy(model.fit(X, y))
    assert_same_fit(model.fit(X, y), first)


def test_a_warm_start_makes_no_further_starts(capsys):
    model = network(n_init=3, warm_start=True, max_iter=2, verbose=True).fit(X, y)
    assert len(capsys.readouterr().out.splitlines()) == 3 * 2
    model.fit(X, y)
    assert len(capsys.readouterr().out.splitlines()) == 2
    assert (model.n_iter_, len(model.loss_curve_)) == (2, 4)


def test_a_warm_start_may_change_the_data_and_the_penalty():
    model = network(warm_start=True).fit(X, y)
    model.set_params(alpha=0.01, solver="lbfgs", activation="tanh", max_iter=5)
    model.fit(X[::2].astype(np.float32), y[::2])
    assert model.coefs_[0].dtype == np.float32
    assert model.n_iter_ == 5


@pytest.mark.parametrize(
    ("change", "rows", "target", "message"),
    [
        ({}, X, y > 1, "warm_start can only be used where `y` has the same classes"),
        ({}, X, LABELS, "previous fit.s kind, one class per row; got a 0/1 matrix of labels"),
        ({}, X[:, :2], y, "X has 2 features, but .* expecting 4"),
        (
            {"hidden_layer_sizes": 7},
            X,
            y,
            r"the hidden_layer_sizes of the previous fit: \[1\]; got 7",
        ),
        ({"hidden_layer_sizes": (1, 1)}, X, y, r"previous fit: \[1\]; got \(1, 1\)"),
        ({"hidden_layer_sizes": ()}, X, y, r"previous fit: \[1\]; got \(\)"),
    ],
)
def test_a_warm_start_of_another_problem_is_an_error(change, rows, target, message):
    model = network(1, warm_start=True).fit(X, y)
    with pytest.raises(ValueError, match=message):
        model.set_params(**change).fit(rows, target)


# Precision and containers


@pytest.mark.parametrize("target_name", TARGETS)
@pytest.mark.parametrize("solver", ["cg", "lbfgs"])
@pytest.mark.parametrize("container", [np.asarray, sp.csr_matrix, pd.DataFrame])
def test_float32_stays_float32(target_name, solver, container):
    rows = container(X.astype(np.float32))
    model = network(solver=solver).fit(rows, TARGETS[target_name])
    outputs = [
        *model.coefs_,
        *model.intercepts_,
        *model.thetas_,
        *model.activations(rows),
        model.predict_proba(rows),
        model.predict_log_proba(rows),
        model.decision_function(rows),
    ]
    assert {array.dtype for array in outputs} == {np.dtype(np.float32)}


def test_float32_agrees_with_float64():
    single = network().fit(X.astype(np.float32), y)
    double = network().fit(X.astype(np.float32).astype(np.float64), y)
    np.testing.assert_allclose(single.predict_proba(X), double.predict_proba(X), atol=1e-3)


@pytest.mark.parametrize("dtype", [np.float16, np.longdouble, np.int8, np.int64, bool, ">f8"])
def test_all_other_numbers_become_float64(dtype):
    rows = (10 * X).astype(dtype)
    model = network(max_iter=2).fit(rows, y)
    assert model.coefs_[0].dtype == np.float64
    assert model.predict_proba(rows).dtype == np.float64


@pytest.mark.parametrize(
    "container", [sp.csr_matrix, sp.csc_matrix, sp.coo_array, sp.csr_array, sp.lil_matrix]
)
def test_sparse_rows_are_dense_rows(container):
    rows = np.where(np.abs(X) < 0.7, 0.0, X)
    dense, sparse = network().fit(rows, y), network().fit(container(rows), y)
    np.testing.assert_allclose(
        sparse.predict_proba(container(rows)), dense.predict_proba(rows), atol=1e-9
    )
    assert sparse.cost(container(rows), y) == pytest.approx(sparse.loss_, rel=1e-12)


def test_nested_lists_are_rows():
    assert_same_fit(network().fit(X.tolist(), y.tolist()), network().fit(X, y))


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("solver", ["cg", "lbfgs"])
def test_a_read_only_memory_map_is_fitted_as_it_is(tmp_path, order, solver):
    stored = np.memmap(tmp_path / "X", X.dtype, "w+", shape=X.shape, order=order)
    stored[:] = X
    stored.flush()
    mapped = np.memmap(tmp_path / "X", X.dtype, "r", shape=X.shape, order=order)
    model = network(solver=solver).fit(mapped, y)
    assert_same_fit(model, network(solver=solver).fit(np.array(X, order=order), y))
    np.testing.assert_array_equal(model.predict(mapped), model.predict(np.array(X, order=order)))


def test_inputs_are_never_written_to(target):
    rows, labels, weights = X.copy(), target.copy(), COUNTS.astype(float)
    for array in (rows, labels, weights):
        array.setflags(write=False)
    model = network(max_iter=3, class_weight="balanced").fit(rows, labels, weights)
    model.cost_gradient(rows, labels, weights)
    model.predict(rows)
    model.activations(rows)


# The fitted attributes


def test_the_shapes_of_the_fitted_attributes(target):
    model = network((6, 5)).fit(X, target)
    n_outputs = {"bool": 1}.get(str(target.dtype), np.shape(model.decision_function(X))[-1])
    assert [W.shape for W in model.coefs_] == [(4, 6), (6, 5), (5, n_outputs)]
    assert [b.shape for b in model.intercepts_] == [(6,), (5,), (n_outputs,)]
    assert [theta.shape for theta in model.thetas_] == [(6, 5), (5, 7), (n_outputs, 6)]
    assert model.n_layers_ == 4
    assert model.n_outputs_ == n_outputs
    assert model.n_features_in_ == 4


def test_thetas_hold_biases_first_and_a_row_a_unit():
    model = network().fit(X, y)
    for theta, W, b in zip(model.thetas_, model.coefs_, model.intercepts_, strict=True):
        np.testing.assert_array_equal(theta[:, 0], b)
        np.testing.assert_array_equal(theta[:, 1:], W.T)


def test_activations_are_those_of_every_layer():
    model = network((6, 5), ("tanh", "logistic"), output_activation="softmax").fit(X, y)
    a = model.activations(X)
    assert len(a) == model.n_layers_ == 4
    np.testing.assert_array_equal(a[0], X)
    np.testing.assert_allclose(a[1], np.tanh(X @ model.coefs_[0] + model.intercepts_[0]))
    z2 = a[1] @ model.coefs_[1] + model.intercepts_[1]
    np.testing.assert_allclose(a[2], 1 / (1 + np.exp(-z2)), atol=1e-15)
    np.testing.assert_allclose(a[3], model.predict_proba(X), rtol=1e-12)


def test_the_last_activations_are_the_outputs_before_their_division():
    model = network().fit(X, y)
    h = model.activations(X)[-1]
    np.testing.assert_allclose(h, 1 / (1 + np.exp(-model.decision_function(X))), atol=1e-15)
    np.testing.assert_allclose(h / h.sum(axis=1, keepdims=True), model.predict_proba(X), rtol=1e-9)


def test_sparse_rows_have_activations_too():
    model = network().fit(sp.csr_matrix(X), y)
    a = model.activations(sp.csr_matrix(X))
    assert sp.issparse(a[0])
    np.testing.assert_allclose(a[1], model.activations(X)[1], rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("n_labels", [2, 3])
def test_labels_have_a_column_each_of_every_output_however_many_they_are(n_labels):
    labels = LABELS[:, :n_labels]
    model = network().fit(X, labels)
    assert model.decision_function(X).shape == labels.shape
    assert model.predict_proba(X).shape == model.predict(X).shape == labels.shape


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_decision_function_is_the_formula(activation):
    model = network((6, 5), activation).fit(X, y)
    expected = logits(model.coefs_, model.intercepts_, [activation] * 2, X)
    np.testing.assert_allclose(model.decision_function(X), expected, rtol=1e-10, atol=1e-12)


def test_blocks_of_rows_do_not_show_in_predictions():
    rows = np.tile(X, (20, 1))
    model = network().fit(X, y)
    for method in ("predict", "predict_proba", "predict_log_proba", "decision_function"):
        expected = np.concatenate([getattr(model, method)(X)] * 20)
        np.testing.assert_allclose(getattr(model, method)(rows), expected, rtol=1e-10)


def test_identity_units_compute_a_linear_function():
    model = network((6, 5), "identity").fit(X, y)
    W = model.coefs_[0] @ model.coefs_[1] @ model.coefs_[2]
    z = model.decision_function(X)
    np.testing.assert_allclose(z - z[0], (X - X[0]) @ W, atol=1e-10)


@pytest.mark.parametrize("sizes", [6, [6], (6,), np.array([6])])
def test_hidden_layer_sizes_may_be_a_number_or_any_sequence(sizes):
    assert_same_fit(network(sizes).fit(X, y), network(6).fit(X, y))


def test_one_activation_is_that_of_all_layers():
    one = network((6, 5), "tanh").fit(X, y)
    assert_same_fit(one, network((6, 5), ["tanh", "tanh"]).fit(X, y))


@pytest.mark.parametrize("name", ["predict", "predict_proba", "decision_function", "activations"])
def test_an_unfitted_estimator_says_so(name):
    with pytest.raises(NotFittedError):
        getattr(BackpropMLPClassifier(), name)(X)


def test_an_unfitted_estimator_has_no_cost_and_no_thetas():
    model = BackpropMLPClassifier()
    with pytest.raises(NotFittedError):
        model.cost(X, y)
    with pytest.raises(NotFittedError):
        model.cost_gradient(X, y)
    assert not hasattr(model, "thetas_")


# from_thetas


def hidden_of(model):
    return {"activation": model.activation, "output_activation": model.output_activation}


@pytest.mark.parametrize("output_activation", ["logistic", "softmax"])
@pytest.mark.parametrize("hidden", [(), (6,), (6, 5)])
@pytest.mark.parametrize("target_name", ["binary", "multiclass"])
def test_from_thetas_gives_back_what_thetas_told(target_name, hidden, output_activation):
    names = np.array(["c", "a", "b"])[TARGETS[target_name].astype(int)]
    model = network(hidden, "tanh", output_activation=output_activation).fit(X, names)
    back = BackpropMLPClassifier.from_thetas(
        model.thetas_, classes=model.classes_, **hidden_of(model)
    )
    for one, other in zip(back.thetas_, model.thetas_, strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(back.predict(X), model.predict(X))
    np.testing.assert_array_equal(back.predict_proba(X), model.predict_proba(X))
    assert back.cost(X, names) == pytest.approx(model.loss_, rel=1e-12)
    assert back.n_features_in_ == 4
    assert list(back.hidden_layer_sizes) == list(hidden)


@pytest.mark.parametrize(
    "target",
    [
        np.full(len(X), 4),
        np.full(len(X), "only"),
        np.column_stack([y == 0, y > 0, X[:, 0] > 0]).astype(int),
        np.column_stack([y == 0, X[:, 0] > 0]).astype(int),
        y == 1,
        y * 2.0,
    ],
    ids=["one class", "one string", "three labels", "two labels", "booleans", "floats"],
)
@pytest.mark.parametrize("output_activation", ["logistic", "softmax"])
def test_every_kind_of_target_comes_back(target, output_activation):
    model = network(6, "tanh", output_activation=output_activation).fit(X, target)
    back = BackpropMLPClassifier.from_thetas(
        model.thetas_, classes=model.classes_, multilabel=target.ndim == 2, **hidden_of(model)
    )
    for one, other in zip(back.thetas_, model.thetas_, strict=True):
        np.testing.assert_array_equal(one, other)
    for method in ("predict", "predict_proba", "predict_log_proba", "decision_function"):
        np.testing.assert_array_equal(getattr(back, method)(X), getattr(model, method)(X))
    assert back.score(X, target) == model.score(X, target)
    assert back.cost(X, target) == pytest.approx(model.loss_, rel=1e-12)
    assert back.out_activation_ == model.out_activation_
    back.set_params(warm_start=True).fit(X, target)
    np.testing.assert_array_equal(back.classes_, model.classes_)


@pytest.mark.parametrize("classes", [None, ["a", "b"], ["b", "a"]])
def test_two_softmax_outputs_become_one_logistic_output(classes):
    rng = np.random.default_rng(0)
    thetas = [rng.normal(size=(3, 5)), rng.normal(size=(2, 4))]
    model = BackpropMLPClassifier.from_thetas(
        thetas, classes=classes, activation="tanh", output_activation="softmax"
    )
    a = np.tanh(np.column_stack([np.ones(len(X)), X]) @ thetas[0].T)
    expected = softmax(np.column_stack([np.ones(len(X)), a]) @ thetas[1].T, axis=1)
    if classes == ["b", "a"]:
        expected = expected[:, ::-1]
    np.testing.assert_allclose(model.predict_proba(X), expected, rtol=1e-12)
    again = BackpropMLPClassifier.from_thetas(
        model.thetas_, classes=model.classes_, activation="tanh", output_activation="softmax"
    )
    np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))


def test_class_weights_of_labels_may_be_given_with_thetas():
    labels = np.column_stack([y == 0, X[:, 0] > 0]).astype(int)
    weights = [{1: 3.0}, {0: 0.5}]
    model = network(class_weight=weights).fit(X, labels)
    back = BackpropMLPClassifier.from_thetas(
        model.thetas_, multilabel=True, class_weight=weights, **hidden_of(model)
    )
    np.testing.assert_array_equal(back.class_weight_, model.class_weight_)
    assert back.cost(X, labels) == pytest.approx(model.loss_, rel=1e-12)


@pytest.mark.parametrize("order", [[2, 0, 1], [1, 0, 2], [2, 1, 0]])
def test_classes_may_come_in_any_order(order):
    model = network().fit(X, y)
    thetas = model.thetas_
    thetas[-1] = thetas[-1][order]
    names = np.array(["a", "b", "c"])
    back = BackpropMLPClassifier.from_thetas(thetas, classes=names[order])
    np.testing.assert_array_equal(back.classes_, names)
    np.testing.assert_array_equal(back.predict_proba(X), model.predict_proba(X))
    np.testing.assert_array_equal(back.predict(X), names[model.predict(X)])


def test_two_classes_may_come_in_either_order():
    model = network().fit(X, y > 1)
    back = BackpropMLPClassifier.from_thetas(model.thetas_, classes=["z", "a"])
    np.testing.assert_array_equal(back.classes_, ["a", "z"])
    np.testing.assert_array_equal(back.predict(X), np.where(model.predict(X), "a", "z"))
    np.testing.assert_allclose(
        back.predict_proba(X), model.predict_proba(X)[:, ::-1], rtol=1e-12, atol=1e-15
    )


def test_classes_are_numbered_if_none_are_given():
    three = BackpropMLPClassifier.from_thetas([np.eye(3, 5)])
    np.testing.assert_array_equal(three.classes_, [0, 1, 2])
    two = BackpropMLPClassifier.from_thetas([np.ones((1, 5))])
    np.testing.assert_array_equal(two.classes_, [0, 1])


def test_from_thetas_copies_and_sorts_aside():
    thetas = [np.arange(6.0).reshape(3, 2)]
    before = thetas[0].copy()
    model = BackpropMLPClassifier.from_thetas(thetas, classes=[2, 1, 0])
    model.coefs_[0][:] = 9.0
    np.testing.assert_array_equal(thetas[0], before)


def test_a_warm_start_goes_on_from_given_thetas():
    first = network(max_iter=3).fit(X, y)
    model = BackpropMLPClassifier.from_thetas(first.thetas_, warm_start=True, max_iter=3)
    model.fit(X, y)
    assert model.loss_curve_[0] <= first.loss_
    assert model.n_iter_ == 3


def test_class_weights_may_be_given_with_thetas():
    model = BackpropMLPClassifier.from_thetas([np.eye(3, 5)], class_weight={1: 4.0})
    plain = BackpropMLPClassifier.from_thetas([np.eye(3, 5)])
    weights = np.array([1.0, 4.0, 1.0])[y]
    assert model.cost(X, y) == pytest.approx(plain.cost(X, y, weights), rel=1e-14)


# Fits that fail


def fit_with_strict_warnings(model, *arguments):
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        model.fit(*arguments)


FAILURES = {
    "a parameter": lambda model: model.set_params(alpha=-1.0).fit(X, y),
    "another parameter": lambda model: model.set_params(hidden_layer_sizes=(0,)).fit(X, y),
    "a value of X": lambda model: model.fit(X * np.nan, y),
    "the length of y": lambda model: model.fit(X[:, :2], y[:-1]),
    "the kind of y": lambda model: model.fit(X[:, :2], X[:, 0]),
    "the weights": lambda model: model.fit(X[:, :2], y, np.zeros(150)),
    "the class weights": lambda model: model.set_params(class_weight={9: 1}).fit(X[:, :2], y > 1),
    "the initialiser": lambda model: model.set_params(
        initializer=lambda rng, fan_in, fan_out: np.ones(3)
    ).fit(X[:, :2], y > 1),
    "the names of the features": lambda model: model.fit(
        pd.DataFrame(X[:, :2], columns=["a", "b"]), y[:-1]
    ),
    "a warning that is an error": lambda model: fit_with_strict_warnings(model, X[:, :2], LABELS),
}


@pytest.mark.parametrize("failure", FAILURES)
def test_a_fit_that_fails_leaves_the_estimator_as_it_was(failure):
    frame = pd.DataFrame(X, columns=list("abcd"))
    model = network().fit(frame, y)
    parameters = model.get_params()
    before = {name: value for name, value in vars(model).items() if name not in parameters}
    expected = model.predict_proba(frame)
    with pytest.raises((ValueError, ConvergenceWarning)):
        FAILURES[failure](model)
    after = {name: value for name, value in vars(model).items() if name not in parameters}
    assert after.keys() == before.keys()
    assert all(after[name] is before[name] for name in before)
    np.testing.assert_array_equal(model.predict_proba(frame), expected)


@pytest.mark.parametrize("failure", FAILURES)
def test_a_first_fit_that_fails_leaves_no_attribute(failure):
    model = network()
    with pytest.raises((ValueError, ConvergenceWarning)):
        FAILURES[failure](model)
    assert not any(name.endswith("_") for name in vars(model))


def test_parameters_that_change_after_the_fit_do_not_change_its_predictions():
    model = network().fit(X, y)
    before = model.predict_proba(X)
    model.set_params(hidden_layer_sizes=(2, 2), activation="tanh", output_activation="softmax")
    np.testing.assert_array_equal(model.predict_proba(X), before)
    assert model.n_layers_ == 3


def test_fit_returns_the_estimator_itself():
    model = network()
    assert model.fit(X, y) is model
