"""Odd numbers and odd containers: a fit predicts finite numbers, or ends with a clear error.

Warnings are errors here, but for the one that training has not converged: what overflows
is either of no importance or told by an error.
"""

import pickle
import re
from functools import partial

import numpy as np
import pytest
import scipy.sparse as sp
from keywords import read_by
from sklearn.datasets import load_iris
from threadpoolctl import threadpool_limits

from backprop_mlp import (
    BackpropMLPClassifier,
    BackpropMLPClassifierCV,
    BackpropMLPRegressor,
    check_gradient,
    learning_rate_range_test,
)
from backprop_mlp._estimator.assembly import MINI_BATCH_SOLVERS, SOLVERS
from backprop_mlp._solvers.full_batch import METHODS
from backprop_mlp.schedules import Exponential

pytestmark = [
    pytest.mark.filterwarnings("error"),
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    # A few rows, or light ones, under a penalty: that is what these tests are about.
    pytest.mark.filterwarnings("ignore::backprop_mlp.StrongPenaltyWarning"),
]

rng = np.random.default_rng(3)
X = rng.normal(size=(40, 3))
y = rng.permutation(np.arange(40) % 3)
TARGETS = {
    "logistic": ({"output_activation": "logistic"}, y),
    "softmax": ({"output_activation": "softmax"}, y),
    "binary": ({}, y > 1),
    "multilabel": ({}, np.column_stack([y == 0, y > 0]).astype(int)),
}
LARGEST = np.finfo(np.float64).max
SMALLEST = np.finfo(np.float64).smallest_subnormal


@pytest.fixture(params=TARGETS)
def target(request):
    return TARGETS[request.param]


def network(solver="cg", **params):
    params = {"hidden_layer_sizes": 4, "max_iter": 5, "random_state": 0} | params
    return BackpropMLPClassifier(solver=solver, **read_by(solver, params))


def assert_finite(model, rows):
    """Everything that a fitted classifier says is finite."""
    P = model.predict_proba(rows)
    assert ((P >= 0.0) & (P <= 1.0)).all()
    for values in (model.predict_log_proba(rows), model.decision_function(rows)):
        assert np.isfinite(values).all()
    assert all(np.isfinite(theta).all() for theta in model.thetas_)
    assert np.isfinite([model.loss_, model.best_loss_, *model.loss_curve_]).all()
    assert np.isin(model.predict(rows), [0, 1] if P.ndim == 1 else model.classes_).all()


# Features


TAME = {
    "of 1e-300": 1e-300 * X,
    "denormal": SMALLEST * np.round(10.0 * X),
    "denormal in float32": (1e-45 * np.round(10.0 * X)).astype(np.float32),
    "all zero": 0.0 * X,
    "minus zero": -0.0 * X,
    "constant": np.ones_like(X),
    "partly constant": np.column_stack([X[:, 0], np.full(40, 7.0), np.zeros(40)]),
    "twice the same": X[:, [0, 0, 0]],
    "one feature": X[:, :1],
    "more features than rows": rng.normal(size=(40, 200)),
    "of different sizes": X * [1e-300, 1.0, 1e3],
}


@pytest.mark.parametrize("kind", TAME)
@pytest.mark.parametrize("solver", SOLVERS)
def test_small_and_constant_features_are_fitted(solver, kind, target):
    params, labels = target
    model = network(solver, **params).fit(TAME[kind], labels)
    assert_finite(model, TAME[kind])
    assert model.n_iter_ > 0
    # Without anything to tell the rows apart there still are the classes' frequencies.
    assert model.loss_ < model.loss_curve_[0] or model.n_iter_ == 1


@pytest.mark.parametrize("kind", ["of 1e-300", "constant", "all zero", "denormal"])
@pytest.mark.parametrize("solver", MINI_BATCH_SOLVERS)
def test_batch_norm_and_dropout_take_them_too(solver, kind, target):
    params, labels = target
    model = network(solver, **params, batch_norm=True, dropout=0.3, batch_size=7)
    assert_finite(model.fit(TAME[kind], labels), TAME[kind])


HUGE = {
    "1e100": 1e100 * X,
    "1e150": 1e150 * X,
    "1e160": 1e160 * X,
    "1e300": 1e300 * X,
    "1e300 and 1e-300": X * [1e-300, 1.0, 1e300],
    "1e20 in float32": (1e20 * X).astype(np.float32),
    "1e35 in float32": (1e35 * X).astype(np.float32),
    "far from zero": 1e16 + X,
}


@pytest.mark.parametrize("kind", HUGE)
@pytest.mark.parametrize("solver", METHODS)
def test_full_batch_solvers_take_no_step_into_overflow(solver, kind, target):
    params, labels = target
    model = network(solver, **params).fit(HUGE[kind], labels)
    assert_finite(model, HUGE[kind])
    start = network(solver, **params, tol=1e308).fit(HUGE[kind], labels)
    assert start.n_iter_ == 0
    assert model.loss_ <= start.loss_


OVERFLOW = r"Training diverges: in epoch \d.*no longer finite.*scale the features .*max_grad_norm"


@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize("kind", HUGE)
@pytest.mark.parametrize("solver", MINI_BATCH_SOLVERS)
def test_mini_batches_train_on_huge_features_or_say_that_they_overflow(
    solver, kind, batch_norm, target
):
    """Which of the two depends on the solver; nothing is fitted halfway."""
    params, labels = target
    model = network(solver, batch_norm=batch_norm, **params)
    error = None
    try:
        model.fit(HUGE[kind], labels)
    except FloatingPointError as overflow:
        error = str(overflow)
    if error is None:
        assert_finite(model, HUGE[kind])
    else:
        assert re.match(OVERFLOW, error)
        assert not hasattr(model, "coefs_")


@pytest.mark.parametrize("kind", ["1e160", "1e300", "1e20 in float32"])
@pytest.mark.parametrize("solver", MINI_BATCH_SOLVERS)
def test_a_variance_that_overflows_is_an_error(solver, kind):
    """Batch normalisation would hide it in training and predict nan."""
    model = network(solver, batch_norm=True)
    with pytest.raises(FloatingPointError, match=OVERFLOW):
        model.fit(HUGE[kind], y)
    assert not hasattr(model, "coefs_")


@pytest.mark.parametrize("number", [np.float32(1e37), np.float64(1e307)])
@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("solver", MINI_BATCH_SOLVERS)
def test_a_mean_that_overflows_where_batch_norm_folds_is_an_error(solver, early_stopping, number):
    """In training it is subtracted, and single rows have no variance."""
    model = network(solver, batch_norm=True, early_stopping=early_stopping, batch_size=1)
    with pytest.raises(FloatingPointError, match=r"batch_norm folds .* Scale the features"):
        model.fit(np.full((40, 3), number), y)
    assert not hasattr(model, "coefs_")


@pytest.mark.parametrize("kind", ["1e160", "1e300", "1e20 in float32"])
@pytest.mark.parametrize("solver", ["adam", "rmsprop"])
def test_squares_of_gradients_that_overflow_are_an_error(solver, kind):
    """The weights whose mean square is infinite would never move again."""
    model = network(solver)
    with pytest.raises(FloatingPointError, match=OVERFLOW):
        model.fit(HUGE[kind], y)
    assert not hasattr(model, "coefs_")
    assert_finite(network(solver, max_grad_norm=1.0).fit(HUGE[kind], y), HUGE[kind])


@pytest.mark.parametrize("solver", SOLVERS)
def test_a_start_that_overflows_is_an_error_before_training(solver, target):
    params, labels = target
    rows = np.full_like(X, LARGEST)
    model = network(solver, **params)
    with pytest.raises(FloatingPointError, match=r"(?i)scale the features \(StandardScaler\)"):
        model.fit(rows, labels)
    assert not hasattr(model, "coefs_")


@pytest.mark.parametrize("solver", SOLVERS)
def test_a_warm_start_that_overflows_keeps_the_model(solver):
    model = network(solver, warm_start=True).fit(X, y)
    before = pickle.dumps(model)
    with pytest.raises(FloatingPointError):
        model.fit(np.full_like(X, LARGEST), y)
    assert pickle.dumps(model) == before
    assert_finite(model, X)


def test_overflow_in_the_threads_of_a_large_mini_batch_is_the_same_error():
    rows = 1e200 * np.random.default_rng(0).normal(size=(6000, 200))
    labels = np.arange(6000) % 2
    model = network("sgd", hidden_layer_sizes=(200, 50), batch_size=6000, learning_rate_init=1.0)
    with (
        threadpool_limits(2, user_api="blas"),
        pytest.raises(FloatingPointError, match=OVERFLOW),
    ):
        model.fit(rows, labels)


# Penalty, weights and classes


@pytest.mark.parametrize("alpha", [0.0, 1e-308, 1e10, 1e100, 1e150])
@pytest.mark.parametrize("solver", METHODS)
def test_any_penalty_is_minimised(solver, alpha, target):
    params, labels = target
    model = network(solver, alpha=alpha, **params).fit(X, labels)
    assert_finite(model, X)


@pytest.mark.parametrize("solver", METHODS)
def test_a_huge_penalty_leaves_the_frequencies(solver):
    model = network(solver, alpha=1e4, max_iter=200).fit(X, y)
    shares = np.bincount(y) / len(y)
    np.testing.assert_allclose(model.predict_proba(X), np.tile(shares, (40, 1)), atol=1e-3)


@pytest.mark.parametrize("alpha", [1e308, LARGEST])
@pytest.mark.parametrize("solver", SOLVERS)
def test_a_penalty_that_overflows_is_an_error(solver, alpha):
    model = network(solver, alpha=alpha, hidden_layer_sizes=50)
    with pytest.raises(FloatingPointError, match=r"finite|overflow"):
        model.fit(X[:1], y[:1])
    assert not hasattr(model, "coefs_")


@pytest.mark.parametrize("solver", SOLVERS)
def test_separable_rows_without_a_penalty_are_no_problem(solver):
    """The minimum lies at infinity; nothing that is said on the way there is infinite."""
    rows = np.array([[-2.0], [-1.0], [1.0], [2.0]])
    labels = [0, 0, 1, 1]
    params = {"alpha": 0.0, "tol": 0.0, "n_iter_no_change": np.inf, "max_iter": 500}
    model = network(solver, learning_rate_init=0.1, **params).fit(rows, labels)
    assert_finite(model, rows)
    assert model.score(rows, labels) == 1.0
    assert model.loss_ < 0.05


@pytest.mark.parametrize("scale", [1e-300, 1e-10, 1e10, 1e300])
@pytest.mark.parametrize("solver", SOLVERS)
def test_only_the_penalty_knows_the_size_of_the_weights(solver, scale):
    weights = rng.uniform(0.5, 2.0, 40)
    # Biases that start at the classes' frequencies add half a row: here they are drawn.
    params = {"alpha": 0.0, "initializer": "uniform"}
    one = network(solver, **params).fit(X, y, weights)
    other = network(solver, **params).fit(X, y, scale * weights)
    np.testing.assert_allclose(other.predict_proba(X), one.predict_proba(X), atol=1e-7)


@pytest.mark.parametrize("scale", [1e-300, 1e-50, 1e50, 1e300])
@pytest.mark.parametrize("solver", SOLVERS)
def test_weights_beyond_the_precision_of_the_rows_are_an_error(solver, scale):
    """In float32 they would be zero, and the gradient with them: the start would be the end."""
    rows, weights = X.astype(np.float32), np.full(40, scale)
    message = r"sample_weight, .* must have a largest value from 1e-20 to 1e\+20 where X is float32"
    for fitted in (network(solver), network(solver, class_weight={0: scale, 1: 0, 2: 0})):
        given = [] if fitted.class_weight else [weights]
        with pytest.raises(ValueError, match=message):
            fitted.fit(rows, y, *given)
    if solver in MINI_BATCH_SOLVERS:
        with pytest.raises(ValueError, match=message):
            network(solver).partial_fit(rows, y, weights, classes=[0, 1, 2])
    fitted = network(solver, max_iter=1).fit(rows, y)
    for method in (fitted.cost, fitted.cost_gradient):
        with pytest.raises(ValueError, match=message):
            method(rows, y, weights)
    params = {"alpha": 0.0, "initializer": "uniform"}
    one = network(solver, **params).fit(rows, y, np.full(40, 1e-15))
    other = network(solver, **params).fit(rows, y)
    np.testing.assert_allclose(one.predict_proba(rows), other.predict_proba(rows), atol=1e-3)


@pytest.mark.parametrize("solver", MINI_BATCH_SOLVERS)
def test_a_start_beyond_the_precision_of_the_rows_is_an_error(solver):
    model = network(solver, initializer=lambda rng, *fan: np.full(fan, 1e39))
    with pytest.raises(FloatingPointError, match=OVERFLOW):
        model.fit(X.astype(np.float32), y)


@pytest.mark.parametrize("weights", [np.zeros(40), np.full(40, 1e308)], ids=["zero", "1e308"])
def test_weights_without_a_sum_are_an_error_wherever_rows_are_given(weights):
    fitted = network("adam", max_iter=1).fit(X, y)
    ways = {
        "fit": fitted.fit,
        "partial_fit": fitted.partial_fit,
        "cost": fitted.cost,
        "cost_gradient": fitted.cost_gradient,
        "check_gradient": partial(check_gradient, fitted),
        "check_gradient before fit": partial(check_gradient, network()),
        "learning_rate_range_test": partial(learning_rate_range_test, network("adam")),
    }
    for way in ways.values():
        with pytest.raises(
            ValueError, match=r"sample_weight.* must have a finite sum above 0|zero"
        ):
            way(X, y, weights)


def test_balanced_weights_of_weights_far_apart_are_an_error():
    model = network(class_weight="balanced")
    with pytest.raises(ValueError, match="must have a finite sum above 0; got inf"):
        model.fit(X, y, np.where(y == 0, 1e300, 1e-300))


@pytest.mark.parametrize("solver", MINI_BATCH_SOLVERS)
def test_rates_that_vanish_or_overflow(solver):
    """The first leave the parameters where they are; the second are named."""
    params = {"learning_rate": "invscaling", "power_t": 1e308, "momentum": 0.0}
    models = (network(solver, **params, max_iter=n_epochs).fit(X, y) for n_epochs in (1, 5))
    for once, later in zip(*(model.coefs_ for model in models), strict=True):
        np.testing.assert_array_equal(once, later)
    growing = network(solver, learning_rate=Exponential(1e-300, 1, factor=1e200))
    with pytest.raises(
        ValueError, match=r"learning_rate must give finite rates .* got inf at step"
    ):
        growing.fit(X, y)


@pytest.mark.parametrize("solver", SOLVERS)
def test_weights_whose_sum_overflows_are_an_error(solver):
    with pytest.raises(ValueError, match=r"sample_weight, .* must have a finite sum above 0"):
        network(solver).fit(X, y, np.full(40, 1e307))


@pytest.mark.parametrize("class_weight", [None, "balanced"])
@pytest.mark.parametrize("solver", ["lbfgs", "adam"])
def test_hundreds_of_thousands_of_rows_in_one_class_and_one_in_the_other(solver, class_weight):
    rows = np.zeros((300_000, 1), np.float32)
    rows[-1] = 1.0
    labels = np.zeros(300_000, dtype=int)
    labels[-1] = 1
    model = network(solver, class_weight=class_weight, max_iter=2, batch_size=100_000)
    model.fit(rows, labels)
    assert_finite(model, rows[-10:])
    shares = np.bincount(labels)[:, np.newaxis] * model.class_weight_[:, np.newaxis]
    if class_weight:
        np.testing.assert_allclose(shares, 150_000, rtol=1e-12)


@pytest.mark.parametrize("labels", [[1], ["a"], [[0, 1]]], ids=repr)
@pytest.mark.parametrize("solver", SOLVERS)
def test_one_row_is_enough(solver, labels):
    model = network(solver, max_iter=30, learning_rate_init=0.1).fit(X[:1], np.array(labels))
    assert_finite(model, X[:1])
    np.testing.assert_array_equal(model.predict(X[:1]), labels)


@pytest.mark.parametrize("n_rows", [1, 3, 10])
@pytest.mark.parametrize("alpha", [10.0, 1e4, 1e30])
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("solver", METHODS)
def test_a_gradient_may_vanish_where_no_tol_ends_training_before(solver, seed, alpha, n_rows):
    params = {"hidden_layer_sizes": (), "tol": 0.0, "max_iter": 100, "initializer": "uniform"}
    params |= {"alpha": alpha, "random_state": seed}
    assert_finite(network(solver, **params).fit(X[:n_rows], np.ones(n_rows)), X)


@pytest.mark.parametrize("solver", SOLVERS)
def test_more_classes_than_a_feature_can_tell_apart(solver, target):
    params, _ = target
    labels = np.arange(40) // 2
    model = network(solver, **params).fit(X[:, :1], labels)
    assert_finite(model, X[:, :1])
    assert model.predict_proba(X[:, :1]).shape == (40, 20)


@pytest.mark.parametrize(
    "labels",
    [
        np.array([-(2**63), 0, 2**63 - 1]),
        np.array([0, 2**63, 2**64 - 1], dtype=np.uint64),
        np.array([-1e15, 0.0, 1e15]),
    ],
    ids=["int64", "uint64", "float64"],
)
def test_huge_labels_come_back(labels):
    model = network(max_iter=30).fit(X, labels[y])
    np.testing.assert_array_equal(model.classes_, labels)
    assert np.isin(model.predict(X), labels).all()
    assert model.cost(X, labels[y]) == pytest.approx(model.loss_, rel=1e-12)


# A fitted network and rows that it has not been trained for


FIXED = BackpropMLPClassifier.from_thetas(
    [[[0.5, 10.0, -10.0], [0.0, 1.0, 1.0]], [[0.0, 2.0, -2.0]]], activation="identity"
)
OVERFLOWING = np.array([[1e308, 1e308], [1.0, 2.0]])
METHODS_THAT_PREDICT = [
    "predict",
    "predict_proba",
    "predict_log_proba",
    "decision_function",
    "activations",
]


@pytest.mark.parametrize("method", METHODS_THAT_PREDICT)
@pytest.mark.parametrize("repeats", [1, 2000])
def test_logits_that_overflow_are_an_error_and_not_nan(method, repeats):
    with pytest.raises(FloatingPointError, match=r"logits .* the numbers overflow. Scale the fea"):
        getattr(FIXED, method)(np.tile(OVERFLOWING, (repeats, 1)))


@pytest.mark.parametrize("method", ["cost", "cost_gradient"])
def test_a_cost_that_overflows_is_an_error_and_not_nan(method):
    with pytest.raises(FloatingPointError, match=r"cost .* the numbers overflow. Scale the feat"):
        getattr(FIXED, method)(OVERFLOWING, [0, 1])


@pytest.mark.parametrize("method", METHODS_THAT_PREDICT)
@pytest.mark.parametrize("activation", ["tanh", "logistic"])
def test_hidden_units_may_overflow_where_they_are_bounded(method, activation):
    thetas = [[[0.5, 10.0, 10.0], [0.0, 1.0, 1.0]], [[0.0, 2.0, -1.0]]]
    model = BackpropMLPClassifier.from_thetas(thetas, activation=activation)
    found = getattr(model, method)([[1e308, 1e308]])
    expected = getattr(model, method)([[1e10, 1e10]])
    if method == "activations":
        found, expected = found[1:], expected[1:]
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("refit", [None, True, "folds"])
@pytest.mark.parametrize("solver", SOLVERS)
def test_numbers_that_vanish_are_zero_whatever_numpy_is_told_of_them(solver, refit, target):
    params, labels = target
    model = network(solver, alpha=0.0, activation="relu", max_iter=20, **params)
    if refit:
        model = BackpropMLPClassifierCV(model, alphas=[0.0, 1e-9], cv=3, refit=refit)
    with np.errstate(all="raise"):
        model.fit(X, labels)
        for rows in (X, 1e4 * X, 1e-200 * X):
            assert np.isfinite(model.predict_log_proba(rows)).all()
            assert (model.predict_proba(rows) >= 0.0).all()


@pytest.mark.parametrize("scoring", [None, "loss", "accuracy"])
@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("solver", SOLVERS)
def test_validation_rows_that_overflow_are_an_error(solver, early_stopping, scoring):
    model = network(solver, activation="identity", early_stopping=early_stopping, scoring=scoring)
    model.set_params(initializer=lambda rng, *fan: np.full(fan, 10.0))
    with pytest.raises(FloatingPointError, match=r"validation rows .* overflow.* scale .* X_val"):
        model.fit(X, y, X_val=np.full_like(X, 1e308), y_val=y)
    assert not hasattr(model, "coefs_")


def test_held_out_rows_tell_of_divergence_what_helps_against_it():
    """Their loss may overflow before the cost of the others does: no X_val is to blame."""
    X, y = load_iris(return_X_y=True)
    model = BackpropMLPRegressor(
        activation="identity", solver="sgd", alpha=1e-4, learning_rate_init=1.0, random_state=0
    )
    with pytest.raises(FloatingPointError, match=r"validation rows .* lower learning_rate_init"):
        model.set_params(early_stopping=True).fit(X, y)
    assert not hasattr(model, "coefs_")


def test_a_gradient_that_can_not_be_checked_is_an_error():
    """Differences that are nan are no agreement."""
    with pytest.raises(FloatingPointError, match=r"cost, .* overflows .* or lower step=1e\+308"):
        check_gradient(network(), X, y, step=1e308)
    with pytest.raises(ValueError, match=r"step must not vanish .* got 1e-30"):
        check_gradient(network(), X, y, step=1e-30)


# Containers: equal numbers give equal results


def strided(rows):
    larger = np.zeros((2 * rows.shape[0], 2 * rows.shape[1]), rows.dtype)
    larger[::2, ::2] = rows
    return larger[::2, ::2]


def reverse(rows):
    return np.ascontiguousarray(rows[::-1, ::-1])[::-1, ::-1]


def read_only(rows):
    rows = rows.copy()
    rows.setflags(write=False)
    return rows


def unaligned(rows):
    raw = np.zeros(rows.nbytes + 1, np.uint8)
    view = raw[1:].view(rows.dtype).reshape(rows.shape)
    view[:] = rows
    assert not view.flags.aligned
    return view


def big_endian(rows):
    return rows.astype(rows.dtype.newbyteorder(">"))


def with_int64_indices(container):
    def convert(rows):
        matrix = container(rows)
        for name in ("indices", "indptr", "row", "col"):
            if hasattr(matrix, name):
                setattr(matrix, name, getattr(matrix, name).astype(np.int64))
        return matrix

    return convert


def unsorted(rows):
    """csr with the entries of each row from right to left."""
    turned = sp.csr_matrix(rows[:, ::-1])
    indices = rows.shape[1] - 1 - turned.indices
    return sp.csr_matrix((turned.data, indices, turned.indptr), shape=rows.shape)


def with_duplicates(rows):
    """csr in which each entry is the sum of two halves."""
    coo = sp.coo_matrix(rows)
    order = np.argsort(np.tile(coo.row, 2), kind="stable")
    indptr = np.r_[0, np.cumsum(2 * np.bincount(coo.row, minlength=len(rows)))]
    data, columns = np.tile(coo.data / 2, 2)[order], np.tile(coo.col, 2)[order]
    return sp.csr_matrix((data, columns, indptr), shape=rows.shape)


def with_zeros(rows):
    """csr that stores every entry, zeros too."""
    n_rows, n_features = rows.shape
    indptr = np.arange(n_rows + 1) * n_features
    return sp.csr_matrix(
        (rows.ravel(), np.tile(np.arange(n_features), n_rows), indptr), shape=rows.shape
    )


SAME_BITS = [read_only, big_endian, np.ndarray.tolist]
SAME_NUMBERS = [
    unaligned,
    np.asfortranarray,
    strided,
    reverse,
    sp.csr_matrix,
    sp.csc_matrix,
    sp.coo_matrix,
    sp.lil_matrix,
    sp.dok_matrix,
    sp.csr_array,
    sp.csc_array,
    sp.coo_array,
    with_int64_indices(sp.csr_array),
    with_int64_indices(sp.csc_array),
    with_int64_indices(sp.coo_matrix),
    unsorted,
    with_duplicates,
    with_zeros,
]
# Small halves of whole numbers, which every type and every sum holds exactly.
EXACT = np.round(2.0 * X) / 2.0
CLOSE = {"rtol": 0.0, "atol": 1e-9}


def named(converts):
    ids = [getattr(convert, "__name__", str(convert)) for convert in converts]
    return pytest.mark.parametrize("convert", converts, ids=ids)


def outputs(model, rows):
    return model.predict_proba(rows), model.predict_log_proba(rows), *model.thetas_


@named(SAME_BITS)
@pytest.mark.parametrize("solver", SOLVERS)
def test_equal_arrays_give_equal_bits(solver, convert):
    expected = outputs(network(solver).fit(EXACT, y), EXACT)
    found = outputs(network(solver).fit(convert(EXACT), y), convert(EXACT))
    for one, other in zip(expected, found, strict=True):
        np.testing.assert_array_equal(one, other)


@named(SAME_NUMBERS)
@pytest.mark.parametrize("solver", SOLVERS)
def test_equal_numbers_in_another_order_give_equal_results(solver, convert):
    """To rounding, for sums run in another order."""
    params = {"activation": "tanh", "max_iter": 3}
    expected = outputs(network(solver, **params).fit(EXACT, y), EXACT)
    found = outputs(network(solver, **params).fit(convert(EXACT), y), convert(EXACT))
    for one, other in zip(expected, found, strict=True):
        np.testing.assert_allclose(one, other, **CLOSE)


@pytest.mark.parametrize(
    "dtype", [bool, np.int8, np.uint8, np.int64, np.uint64, np.float16, np.longdouble, ">f4", ">i2"]
)
@pytest.mark.parametrize("container", [np.asarray, sp.csr_matrix])
def test_numbers_of_any_type_are_those_numbers_in_float64(dtype, container):
    rows = np.abs(np.round(2.0 * X)).astype(dtype)
    expected = outputs(network().fit(rows.astype(np.float64), y), rows.astype(np.float64))
    if container is not np.asarray:
        if dtype in (np.float16, np.longdouble, ">f4", ">i2"):
            pytest.skip("SciPy has no such sparse matrices")
        rows = container(rows)
    found = outputs(network().fit(rows, y), rows)
    for one, other in zip(expected, found, strict=True):
        np.testing.assert_allclose(one, other, **CLOSE)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, ">f8", np.int16])
@pytest.mark.parametrize("solver", ["newton-cg", "rmsprop"])
def test_memory_maps_give_the_bits_of_arrays(solver, dtype, order, tmp_path):
    stored = np.memmap(tmp_path / "X", dtype, "w+", shape=X.shape, order=order)
    stored[:] = EXACT
    stored.flush()
    mapped = np.memmap(tmp_path / "X", dtype, "r", shape=X.shape, order=order)
    in_memory = np.array(mapped, order=order)
    expected = outputs(network(solver).fit(in_memory, y), in_memory)
    found = outputs(network(solver).fit(mapped, y), mapped)
    for one, other in zip(expected, found, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    "dtype", [np.int8, np.uint64, np.float32, ">i4", str, object, "datetime64[D]"]
)
def test_labels_of_any_type_are_the_same_classes(dtype):
    """Objects are strings here: scikit-learn takes no others."""
    labels = y.astype(str).astype(object) if dtype is object else y.astype(dtype)
    model, expected = network().fit(X, labels), network().fit(X, y)
    np.testing.assert_array_equal(model.predict_proba(X), expected.predict_proba(X))
    assert model.predict(X).dtype == labels.dtype


@pytest.mark.parametrize(
    "convert",
    [
        lambda weights: np.repeat(weights, 2)[::2],
        lambda weights: weights[::-1].copy()[::-1],
        np.float32,
        np.int64,
        big_endian,
        unaligned,
        read_only,
        list,
    ],
    ids=["strided", "reverse", "float32", "int64", "big endian", "unaligned", "read-only", "list"],
)
def test_weights_of_any_kind_are_the_same_weights(convert):
    weights = np.arange(40.0) % 4 + 1.0
    model, expected = network().fit(X, y, convert(weights)), network().fit(X, y, weights)
    np.testing.assert_array_equal(model.predict_proba(X), expected.predict_proba(X))


@pytest.mark.parametrize("solver", METHODS)
@pytest.mark.parametrize(
    ("dtype", "constant"), [(np.float64, 1.7e18), (np.float64, -1e200), (np.float32, 1.7e9)]
)
def test_a_constant_column_changes_nothing_however_large_it_is(dtype, constant, solver):
    """A timestamp that all rows have: what rounding makes of it would outweigh the rest."""
    rows = np.random.default_rng(0).normal(size=(200, 5))
    numbers = 2.0 * rows[:, 0] + np.sin(2.0 * rows[:, 1])
    with_it = np.column_stack([rows, np.full(200, constant)]).astype(dtype)
    for alpha in (0.0, 1.0):
        model = BackpropMLPRegressor(10, solver=solver, alpha=alpha, random_state=0)
        model.fit(with_it, numbers)
        assert model.score(with_it, numbers) > 0.9
        alone = np.concatenate([model.predict(with_it[[row]]) for row in range(20)])
        np.testing.assert_allclose(alone, model.predict(with_it[:20]), atol=1e-5)
