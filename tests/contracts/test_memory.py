"""Memory: fits on memory maps, and what training and prediction allocate besides the data.

Allocations are those that NumPy reports to tracemalloc, with one thread: then they are the
same in every run. More threads hold a few blocks each.
"""

import gc
import tracemalloc
import warnings
from contextlib import contextmanager

import numpy as np
import pytest
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

from backprop_mlp import (
    BackpropMLPClassifier,
    BackpropMLPRegressor,
    PiecewiseLinearEncoder,
    learning_rate_range_test,
)
from backprop_mlp._estimator.assembly import open_objective
from backprop_mlp._estimator.pose import pose_fitted
from backprop_mlp._objective.threads import block_map
from backprop_mlp._targets.targets import targets_of

N_CLASSES = 3
SOLVERS = ["cg", "lbfgs", "newton-cg", "adam", "sgd"]


@pytest.fixture(scope="module", autouse=True)
def _prepared_process():
    """What a process does once, before its first block."""
    with block_map(0.0):
        pass


@pytest.fixture(autouse=True)
def _one_thread_and_no_convergence():
    with warnings.catch_warnings(), threadpool_limits(1, user_api="blas"):
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield


def rows(n_rows, n_features, dtype=np.float64):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n_rows, n_features), dtype=dtype)
    return X, X[:, :N_CLASSES].argmax(axis=1)


def classifier(**params):
    return BackpropMLPClassifier(**({"max_iter": 2, "random_state": 0} | params))


@contextmanager
def traced():
    """Context that measures the highest sum of allocations within it, in bytes."""
    peak = {}
    gc.collect()
    tracemalloc.start()
    try:
        yield peak
        peak["bytes"] = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def fit_peak(X, y, **params):
    """Bytes that a fit allocates beside its data, at the most."""
    estimator = classifier(**params)
    with traced() as peak:
        estimator.fit(X, y)
    return peak["bytes"]


# A memory map


@pytest.fixture(params=[np.float32, np.float64])
def mapped(request, tmp_path):
    """(X in memory, the same rows on a read-only memory map, y, the file)."""
    X, y = rows(4000, 20, request.param)
    path = tmp_path / "X.npy"
    np.save(path, X)
    return X, np.load(path, mmap_mode="r"), y, path


@pytest.mark.parametrize("solver", SOLVERS)
def test_a_fit_on_a_memory_map_is_the_fit_in_memory(mapped, solver):
    X, X_mapped, y, path = mapped
    before = path.read_bytes()
    in_memory = classifier(solver=solver).fit(X, y)
    from_map = classifier(solver=solver).fit(X_mapped, y)
    for ours, theirs in zip(in_memory.thetas_, from_map.thetas_, strict=True):
        np.testing.assert_array_equal(theirs, ours)
    np.testing.assert_array_equal(from_map.predict_proba(X_mapped), in_memory.predict_proba(X))
    assert path.read_bytes() == before


def test_early_stopping_on_a_memory_map_is_that_in_memory(mapped):
    X, X_mapped, y, _ = mapped
    fits = [classifier(early_stopping=True).fit(rows, y) for rows in (X, X_mapped)]
    for ours, theirs in zip(*(fit.thetas_ for fit in fits), strict=True):
        np.testing.assert_array_equal(theirs, ours)
    assert fits[0].validation_scores_ == fits[1].validation_scores_


# Allocations


@pytest.mark.parametrize("solver", SOLVERS)
def test_a_fit_holds_no_copy_of_the_data(solver):
    X, y = rows(20_000, 400, np.float32)
    assert fit_peak(X, y, hidden_layer_sizes=10, solver=solver) < X.nbytes / 3


@pytest.mark.parametrize("solver", SOLVERS)
def test_memory_grows_by_a_few_numbers_a_row_not_by_the_units(solver):
    """Labels and an order of the rows grow with the rows; activations do not."""
    hidden = 400
    X, y = rows(30_000, 5)
    params = {"hidden_layer_sizes": hidden, "solver": solver, "max_iter": 1}
    few, many = fit_peak(X[:10_000], y[:10_000], **params), fit_peak(X, y, **params)
    numbers_a_row = (many - few) / (8 * 20_000)
    assert numbers_a_row < 4


def test_early_stopping_holds_no_copy_of_the_data():
    X, y = rows(40_000, 200, np.float32)
    assert fit_peak(X, y, hidden_layer_sizes=10, early_stopping=True) < X.nbytes / 3


@pytest.mark.parametrize("class_weight", [None, "balanced"])
@pytest.mark.parametrize("solver", ["cg", "adam"])
@pytest.mark.parametrize("labels", ["classes", "label matrix"])
def test_holding_rows_out_takes_few_bytes_per_row(solver, class_weight, labels, tmp_path):
    n_rows = 400_000
    X, y = rows(n_rows, 8, np.float32)
    np.save(tmp_path / "X.npy", X)
    X = np.load(tmp_path / "X.npy", mmap_mode="r")
    if labels == "label matrix":
        y = (np.arange(N_CLASSES) == y[:, np.newaxis]).astype(np.int8)
    params = {"hidden_layer_sizes": 3, "max_iter": 1, "solver": solver}
    params |= {"class_weight": class_weight}
    without = fit_peak(X, y, **params)
    assert fit_peak(X, y, early_stopping=True, **params) < without + 20 * n_rows


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_prediction_allocates_little_more_than_its_result(dtype):
    X, y = rows(20_000, 5, dtype)
    network = classifier(hidden_layer_sizes=400, max_iter=1).fit(X[:100], y[:100])
    result = N_CLASSES * len(X) * np.dtype(np.float64).itemsize
    hidden_layer = 400 * len(X) * np.dtype(dtype).itemsize
    for predict in (network.predict, network.predict_proba, network.decision_function):
        with traced() as peak:
            predict(X)
        assert peak["bytes"] < result + hidden_layer / 3


def test_the_cost_and_its_gradient_need_no_more_than_training():
    X, y = rows(20_000, 400, np.float32)
    network = classifier(hidden_layer_sizes=10, max_iter=1).fit(X[:100], y[:100])
    for function in (network.cost, network.cost_gradient):
        with traced() as peak:
            function(X, y)
        assert peak["bytes"] < X.nbytes / 3


def test_a_learning_rate_range_test_needs_no_more_than_training():
    X, y = rows(20_000, 400, np.float32)
    with traced() as peak:
        learning_rate_range_test(classifier(hidden_layer_sizes=10, solver="adam"), X, y)
    assert peak["bytes"] < X.nbytes / 3


def test_an_encoder_holds_no_array_as_large_as_x_beside_its_result():
    X, _ = rows(20_000, 200, np.float32)
    encoder = PiecewiseLinearEncoder(4)
    with traced() as peak:
        encoder.fit(X)
    assert peak["bytes"] < X.nbytes / 3
    result = X.nbytes * (1 + 4)
    with traced() as peak:
        encoder.transform(X)
    assert peak["bytes"] < result + X.nbytes / 3


def test_an_encoder_is_fitted_without_the_ramps_of_all_rows():
    X, _ = rows(100_000, 1)
    with traced() as peak:
        PiecewiseLinearEncoder(48).fit(X)
    assert peak["bytes"] < 48 * X.nbytes / 3


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("container", [np.asarray, sparse.csr_matrix])
def test_neither_a_copy_of_x_nor_all_activations_are_held(dtype, container):
    X, labels = rows(40_000, 50, dtype)
    X = container(X)
    model = classifier(hidden_layer_sizes=100, max_iter=1)
    model.fit(X[:100], labels[:100])
    with traced() as peak:
        model.fit(X, labels)
        model.predict_proba(X)
        model.cost_gradient(X, labels)
    # X has 50 columns, a layer's activations 100: of neither are there 40,000 rows.
    assert peak["bytes"] < 0.9 * 40_000 * 50 * np.dtype(dtype).itemsize


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_wide_sparse_rows_take_a_few_gradients_however_many_they_are(dtype):
    """The sum, a block's, one of its activations and deltas, and less of its rows."""
    n_rows, n_features, per_row = 40_000, 20_000, 20
    entries = np.random.default_rng(0).integers(n_features, size=n_rows * per_row)
    edges = np.arange(0, len(entries) + 1, per_row)
    X = sparse.csr_matrix((np.ones(len(entries), dtype), entries, edges), (n_rows, n_features))
    y = np.arange(n_rows) % N_CLASSES
    network = classifier(hidden_layer_sizes=30, max_iter=1).fit(X[:100], y[:100])
    peaks = []
    for n_rows in (20_000, 40_000):
        problem, theta = pose_fitted(network, X[:n_rows], y[:n_rows], None)
        with open_objective(problem, 1.0) as objective, traced() as peak:
            objective.value_and_grad(theta)
        peaks.append(peak["bytes"])
        assert len(problem.blocks) > 1
    assert max(peaks) < 1.2 * min(peaks)
    assert max(peaks) < 4 * theta.nbytes


@pytest.mark.parametrize("solver", SOLVERS)
def test_sparse_rows_are_never_made_dense(solver):
    X = sparse.random(10_000, 2000, density=0.001, format="csr", random_state=0)
    y = np.arange(10_000) % N_CLASSES
    dense = X.shape[0] * X.shape[1] * X.dtype.itemsize
    assert fit_peak(X, y, hidden_layer_sizes=5, solver=solver) < dense / 10
    network = classifier(hidden_layer_sizes=5, max_iter=1).fit(X[:100], y[:100])
    with traced() as prediction:
        network.predict_proba(X)
    assert prediction["bytes"] < dense / 10


def test_mini_batches_of_rows_in_their_order_are_views():
    """Be they all rows at once, as batch normalisation needs them."""
    X, y = rows(20_000, 400, np.float32)
    params = {"solver": "adam", "shuffle": False, "batch_norm": True, "batch_size": len(X)}
    assert fit_peak(X, y, hidden_layer_sizes=2, **params) < X.nbytes / 3


@pytest.mark.parametrize("container", [np.asarray, sparse.csr_matrix])
def test_a_label_matrix_is_checked_in_less_memory_than_it_has(container):
    labels = container(np.random.default_rng(0).integers(2, size=(20_000, 50)))
    targets = targets_of(labels)
    with traced() as peak:
        targets.codes(labels)
    assert peak["bytes"] < 20_000 * 50 * 8 / 2


@pytest.mark.parametrize("loss", ["squared_error", "huber", "quantile"])
def test_many_columns_of_y_are_read_in_parts(loss):
    X, Y = rows(20_000, 3)[0], rows(20_000, 200)[0]
    model = BackpropMLPRegressor(2, loss=loss, max_iter=1, random_state=0)
    with traced() as peak, pytest.warns(ConvergenceWarning):
        model.fit(X, Y)
    assert peak["bytes"] < Y.nbytes / 2
