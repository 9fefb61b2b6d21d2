"""What holds for every configuration on any data: hypothesis looks for a counterexample.

Each property is tested twice: with a few examples, which are always the same ones, and
with many in the slow suite.
"""

import copy
import pickle
import warnings
from itertools import pairwise

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

from backprop_mlp import BackpropMLPClassifier
from backprop_mlp._estimator.assembly import MINI_BATCH_SOLVERS
from backprop_mlp._estimator.pose import pose_fitted
from backprop_mlp._network.activations import ACTIVATIONS
from backprop_mlp._objective.blocks import RowBlocks
from backprop_mlp._objective.objective import Objective
from backprop_mlp._objective.threads import block_map
from backprop_mlp._solvers.full_batch import METHODS
from backprop_mlp.initializers import INITIALIZERS
from backprop_mlp.schedules import NAMES as SCHEDULES

FEW, MANY = 60, 200


def holds_for(*strategies, few=FEW, many=MANY):
    """Turn a property of drawn values into a test."""

    def decorate(check):
        @pytest.mark.parametrize("n_examples", [few, pytest.param(many, marks=pytest.mark.slow)])
        def test(n_examples):
            search = settings(
                max_examples=n_examples,
                derandomize=True,
                deadline=None,
                suppress_health_check=[HealthCheck.too_slow],
            )
            search(given(*strategies)(check))()

        test.__doc__ = check.__doc__
        return test

    return decorate


# What is drawn


def strided(X):
    """Every second row and column of a larger array, in reverse."""
    larger = np.zeros((2 * X.shape[0], 2 * X.shape[1]), X.dtype)
    view = larger[::-2, ::-2]
    view[:] = X
    return view


def read_only(X):
    X = X.copy()
    X.setflags(write=False)
    return X


DENSE = [np.ascontiguousarray, np.asfortranarray, strided, read_only]
SPARSE = [sp.csr_matrix, sp.csc_array, sp.coo_array]

LABEL_NAMES = [
    np.array([3, -1, 7, 0]),
    np.array([5.0, -2.0, 1e10, 3.0]),
    np.array(["d", "", "bb", "a"]),
    np.array(["x", "z", "y", "w"], dtype=object),
    np.array([200, 3, 1, 2], dtype=np.uint8),
]

PRECISIONS = [np.float64, np.float32]


@st.composite
def inputs(draw, dtypes=(np.float64, np.float32, np.int64, np.int8, bool), min_rows=1):
    """X as a C-ordered array: numbers with repetitions, zeros and ties."""
    shape = draw(st.integers(min_rows, 12)), draw(st.integers(1, 4))
    X = draw(arrays(np.float32, shape, elements=st.floats(-4, 4, width=16)))
    return X.astype(draw(st.sampled_from(dtypes)))


@st.composite
def labels(draw, n_rows):
    """y: exclusive classes of any kind, not all of which need to occur, or a label matrix."""
    if draw(st.booleans()) and draw(st.booleans()):
        y = draw(arrays(np.int64, (n_rows, draw(st.integers(2, 3))), elements=st.integers(0, 1)))
        return draw(st.sampled_from([np.asarray, sp.csr_matrix]))(y)
    codes = draw(arrays(np.int64, n_rows, elements=st.integers(0, draw(st.integers(0, 3)))))
    if codes.max() < 2 and draw(st.booleans()):
        return codes == 1
    return draw(st.sampled_from(LABEL_NAMES))[codes]


@st.composite
def row_weights(draw, n_rows):
    """None, or numbers >= 0 of which one at least is above 0."""
    if draw(st.booleans()):
        return None
    weights = draw(arrays(np.float64, n_rows, elements=st.floats(0, 3, width=16)))
    weights[draw(st.integers(0, n_rows - 1))] += 1.0
    return weights


@st.composite
def data_sets(draw, **options):
    """X in any container, y and weights."""
    X = draw(inputs(**options))
    y = draw(labels(len(X)))
    weights = draw(row_weights(len(X)))
    return draw(st.sampled_from(DENSE + SPARSE))(X), y, weights


@st.composite
def networks(draw, solvers=(*METHODS, *MINI_BATCH_SOLVERS), activations=tuple(ACTIVATIONS)):
    """An unfitted classifier with keywords of all kinds."""
    hidden = draw(st.lists(st.integers(1, 5), max_size=3))
    n_hidden = len(hidden)
    solver = draw(st.sampled_from(solvers))
    names = st.sampled_from(activations)
    params = {
        "hidden_layer_sizes": draw(
            st.sampled_from([hidden, tuple(hidden), *hidden[: n_hidden < 2]])
        ),
        "solver": solver,
        "output_activation": draw(st.sampled_from(["logistic", "softmax"])),
        "alpha": draw(st.sampled_from([0.0, 0.01, 1.0, 30.0])),
        "initializer": draw(st.sampled_from(["auto", *INITIALIZERS])),
        "class_weight": draw(st.sampled_from([None, "balanced"])),
        "max_iter": draw(st.integers(1, 4)),
        "tol": draw(st.sampled_from([0.0, 1e-4])),
        "n_init": draw(st.integers(1, 2)),
        "early_stopping": draw(st.booleans()),
        "scoring": draw(st.sampled_from([None, "loss"])),
        "random_state": draw(st.integers(0, 2**32 - 1)),
    }
    hidden = params["hidden_layer_sizes"]
    n_hidden = 1 if isinstance(hidden, int) else len(hidden)
    one_a_layer = st.lists(names, min_size=n_hidden, max_size=n_hidden)
    params["activation"] = draw(st.one_of(names, one_a_layer))
    if solver in MINI_BATCH_SOLVERS:
        params |= {
            "dropout": draw(st.sampled_from([0.0, 0.3, [0.5] * n_hidden])),
            "batch_norm": draw(st.booleans()),
            "batch_size": draw(st.one_of(st.just("auto"), st.integers(1, 15))),
            "learning_rate": draw(st.sampled_from(SCHEDULES)),
            "learning_rate_init": draw(st.sampled_from([1e-4, 0.01])),
            "shuffle": draw(st.booleans()),
            "momentum": draw(st.sampled_from([0.0, 0.9])),
            "nesterovs_momentum": draw(st.booleans()),
            "max_grad_norm": draw(st.sampled_from([None, 0.1])),
        }
    if solver != "sgd":
        params = {name: value for name, value in params.items() if "momentum" not in name}
    return BackpropMLPClassifier(**params)


def fitted(network, X, y, sample_weight):
    """A fitted copy, validated on its own rows; that it may not have converged is known."""
    given = {"X_val": X, "y_val": y} if network.early_stopping else {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return clone(network).fit(X, y, sample_weight, **given)


def precision(model):
    return float(np.finfo(model.coefs_[0].dtype).eps)


# Predictions


@holds_for(networks(), data_sets())
def test_probabilities_belong_to_predictions(network, data):
    X, y, _ = data
    model = fitted(network, *data)
    P, log_P = model.predict_proba(X), model.predict_log_proba(X)
    z, predicted = model.decision_function(X), model.predict(X)
    n_classes = len(model.classes_)
    assert P.shape == log_P.shape == (X.shape[0], n_classes)
    assert ((P >= 0.0) & (P <= 1.0)).all()
    assert np.isfinite(log_P).all()
    assert (log_P <= 0.0).all()
    np.testing.assert_allclose(np.exp(log_P), P, rtol=0.0, atol=8 * precision(model))
    if y.ndim == 2:
        assert predicted.shape == z.shape == P.shape
        np.testing.assert_array_equal(predicted, z > 0.0)
        assert (P[predicted == 1] >= 0.5).all()
        assert (P[predicted == 0] <= 0.5).all()
        return
    np.testing.assert_allclose(P.sum(axis=1), 1.0, rtol=8 * precision(model))
    np.testing.assert_array_equal(model.classes_, np.unique(y))
    assert predicted.dtype == model.classes_.dtype == y.dtype
    codes = np.searchsorted(model.classes_, predicted)
    np.testing.assert_array_equal(codes, z > 0.0 if n_classes == 2 else z.argmax(axis=1))
    np.testing.assert_array_equal(P[np.arange(len(P)), codes], P.max(axis=1))


@holds_for(networks(), data_sets())
def test_a_row_is_predicted_alone_as_among_others(network, data):
    X = data[0]
    model = fitted(network, *data)
    X = X.tocsr() if sp.issparse(X) else X
    together = model.decision_function(X)
    alone = np.concatenate([model.decision_function(X[i : i + 1]) for i in range(X.shape[0])])
    # The sums may cancel: rounding is relative to the largest terms on the way.
    size = np.abs(X.toarray() if sp.issparse(X) else X).astype(np.float64)
    for W, b in zip(model.coefs_, model.intercepts_, strict=True):
        size = np.maximum(size, 1.0) @ np.abs(W) + np.abs(b)
    np.testing.assert_allclose(alone, together, rtol=0.0, atol=50 * precision(model) * size.max())


# Training


@holds_for(networks(solvers=tuple(METHODS)), data_sets(dtypes=PRECISIONS))
def test_the_cost_of_a_full_batch_solver_never_rises(network, data):
    model = fitted(network.set_params(early_stopping=False), *data)
    assert np.isfinite(model.loss_)
    assert (np.diff(model.loss_curve_) <= 0.0).all()
    assert model.loss_ == min([*model.loss_curve_, model.loss_])
    # The parameters that are kept are those of the record.
    assert model.cost(*data) == pytest.approx(model.loss_, rel=50 * precision(model), abs=1e-30)


@holds_for(networks(), data_sets())
def test_a_second_fit_and_a_clone_and_a_pickle_are_the_same_to_the_bit(network, data):
    X = data[0]
    model = fitted(network, *data)
    again = fitted(network, *data)
    back = pickle.loads(pickle.dumps(model))
    assert clone(model).get_params() == back.get_params() == network.get_params()
    for other in (again, back):
        assert other.loss_curve_ == model.loss_curve_
        for first, second in zip(model.thetas_, other.thetas_, strict=True):
            np.testing.assert_array_equal(first, second)
        np.testing.assert_array_equal(other.predict_proba(X), model.predict_proba(X))


# Cost and gradient at fixed parameters


@st.composite
def fixed_networks(draw, X, y, solvers=("cg",)):
    """A classifier that has its parameters from nowhere: drawn, not trained."""
    classes = np.unique(y)
    network = draw(networks(solvers=solvers)).set_params(class_weight=None)
    hidden = network.hidden_layer_sizes
    hidden = [hidden] if isinstance(hidden, int) else list(hidden)
    sizes = [X.shape[1], *hidden, 1 if len(classes) == 2 else len(classes)]
    rng = np.random.default_rng(network.random_state)
    thetas = [rng.normal(size=(n_out, 1 + n_in)) for n_in, n_out in pairwise(sizes)]
    params = network.get_params()
    del params["hidden_layer_sizes"]
    return BackpropMLPClassifier.from_thetas(thetas, classes=classes, **params)


@st.composite
def problems(draw):
    """A classifier with drawn parameters and data of two classes at least."""
    X = draw(inputs(dtypes=[np.float64], min_rows=2))
    codes = draw(arrays(np.int64, len(X), elements=st.integers(0, draw(st.integers(1, 3)))))
    assume(codes.min() != codes.max())
    y = draw(st.sampled_from(LABEL_NAMES))[codes]
    return draw(fixed_networks(X, y)), X, y, draw(row_weights(len(X)))


def assert_same_cost_and_gradient(expected, found):
    """To rounding, relative to the cost and to the gradient's norm."""
    (cost, gradients), (other_cost, other_gradients) = expected, found
    assert other_cost == pytest.approx(cost, rel=1e-12)
    size = np.sqrt(sum(np.sum(gradient**2) for gradient in gradients))
    for gradient, other in zip(gradients, other_gradients, strict=True):
        np.testing.assert_allclose(other, gradient, rtol=0.0, atol=1e-12 * max(size, cost))


def with_thetas(model, thetas, classes=None):
    """The same classifier with other parameters."""
    params = model.get_params()
    del params["hidden_layer_sizes"]
    classes = model.classes_ if classes is None else classes
    return BackpropMLPClassifier.from_thetas(thetas, classes=classes, **params)


@holds_for(problems(), st.randoms(use_true_random=False))
def test_the_order_of_the_rows_does_not_matter(problem, random):
    model, X, y, weights = problem
    order = random.sample(range(len(X)), len(X))
    found = model.cost_gradient(X[order], y[order], None if weights is None else weights[order])
    assert_same_cost_and_gradient(model.cost_gradient(X, y, weights), found)


@holds_for(problems(), st.randoms(use_true_random=False))
def test_the_order_of_the_features_does_not_matter_if_the_weights_follow(problem, random):
    model, X, y, weights = problem
    order = random.sample(range(X.shape[1]), X.shape[1])
    columns = [0, *(1 + feature for feature in order)]
    first, *others = model.thetas_
    moved = with_thetas(model, [first[:, columns], *others])
    cost, (first, *others) = model.cost_gradient(X, y, weights)
    expected = cost, [first[:, columns], *others]
    assert_same_cost_and_gradient(expected, moved.cost_gradient(X[:, order], y, weights))


@holds_for(problems(), st.randoms(use_true_random=False))
def test_the_names_of_the_classes_do_not_matter(problem, random):
    """Nor does their order: rows of the last matrix follow it, a single one turns its sign."""
    model, X, y, weights = problem
    names = np.array(random.sample(range(100), len(model.classes_)))
    renamed = with_thetas(model, model.thetas_, names)
    new_y = names[np.searchsorted(model.classes_, y)]
    cost, (*others, last) = model.cost_gradient(X, y, weights)
    order = np.argsort(names)
    if len(last) > 1:
        last = last[order]
    elif order[0] == 1:
        last = -last
    expected = cost, [*others, last]
    assert_same_cost_and_gradient(expected, renamed.cost_gradient(X, new_y, weights))
    np.testing.assert_array_equal(
        np.sort(names)[np.argsort(order)][np.searchsorted(model.classes_, model.predict(X))],
        renamed.predict(X),
    )


@holds_for(problems(), st.data())
def test_the_container_of_the_rows_does_not_matter(problem, data):
    model, X, y, weights = problem
    container = data.draw(st.sampled_from(DENSE + SPARSE))
    found = model.cost_gradient(container(X), y, weights)
    assert_same_cost_and_gradient(model.cost_gradient(X, y, weights), found)


@holds_for(problems(), st.data())
def test_a_weight_is_a_number_of_rows(problem, data):
    model, X, y, _ = problem
    counts = data.draw(arrays(np.int64, len(X), elements=st.integers(0, 3)))
    assume(counts.any())
    repeated = np.repeat(np.arange(len(X)), counts)
    found = model.cost_gradient(X[repeated], y[repeated])
    assert_same_cost_and_gradient(model.cost_gradient(X, y, counts), found)


@holds_for(problems(), st.integers(1, 12), st.sampled_from([None, 1, 2, 3]))
def test_neither_blocks_nor_threads_matter(problem, max_rows, n_threads):
    model, X, y, weights = problem
    whole = model.cost_gradient(X, y, weights)
    given, theta = pose_fitted(model, X, y, weights)
    blocks = RowBlocks(
        given.blocks.X,
        given.blocks.codes,
        given.blocks.sample_weight,
        given.blocks.encode,
        max_rows,
    )
    with threadpool_limits(n_threads, user_api="blas"), block_map(1e12) as threads:
        objective = Objective(given.network, blocks, model.alpha, threads)
        cost, grad = objective.value_and_grad(theta)
    found = cost, [np.column_stack([b, W.T]) for W, b in given.network.dense_views(grad)]
    assert_same_cost_and_gradient(whole, found)


@pytest.fixture(scope="module")
def cluster():
    """A Dask cluster of threads in this process, which classifiers find by themselves."""
    distributed = pytest.importorskip("distributed")
    with distributed.Client(processes=False, n_workers=1, dashboard_address=None):
        yield


@pytest.mark.usefixtures("cluster")
@holds_for(problems(), st.data(), few=8, many=100)
def test_the_chunks_of_dask_do_not_matter(problem, data):
    import dask.array as da

    from backprop_mlp.dask import DaskBackpropMLPClassifier

    model, X, y, weights = problem
    cuts = sorted(data.draw(st.sets(st.integers(1, len(X) - 1), max_size=4)))
    chunks = tuple(np.diff([0, *cuts, len(X)]).tolist())
    distributed = DaskBackpropMLPClassifier()
    distributed.estimator_ = model
    rows = [da.from_array(X, chunks=(chunks, X.shape[1])), da.from_array(y, chunks=(chunks,))]
    if weights is not None:
        rows.append(da.from_array(weights, chunks=(chunks,)))
    assert_same_cost_and_gradient(
        model.cost_gradient(X, y, weights), distributed.cost_gradient(*rows)
    )


# After training: only over a few iterations, for training amplifies rounding


@st.composite
def trainings(draw):
    """A classifier to be trained on from drawn parameters, and data without any symmetry.

    Without kinks, and where nothing is flat: there rounding alone would give the direction.
    """
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n_rows, n_features, n_classes = (draw(st.integers(*ends)) for ends in ((6, 20), (1, 4), (2, 3)))
    X = rng.normal(size=(n_rows, n_features))
    y = rng.permutation(np.arange(n_rows) % n_classes)
    n_outputs = 1 if n_classes == 2 else n_classes
    hidden = draw(st.lists(st.integers(1, 4), max_size=2))
    activation = draw(st.sampled_from(["tanh", "logistic", "identity"]))
    if activation == "identity":
        # More linear units than inputs or outputs have directions without any curvature.
        hidden = [min(n_units, n_features, n_outputs) for n_units in hidden]
    sizes = [n_features, *hidden, n_outputs]
    model = BackpropMLPClassifier.from_thetas(
        [rng.normal(size=(n_out, 1 + n_in)) for n_in, n_out in pairwise(sizes)],
        activation=activation,
        output_activation=draw(st.sampled_from(["logistic", "softmax"])),
        solver=draw(st.sampled_from([*METHODS, "sgd"])),
        alpha=draw(st.sampled_from([0.1, 1.0])),
        max_iter=3,
        warm_start=True,
    )
    return model, X, y


def trained(model, X, y):
    """A copy after the iterations that it asks for."""
    model = copy.deepcopy(model)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(X, y)


@holds_for(trainings(), st.randoms(use_true_random=False))
def test_training_does_not_depend_on_the_order_of_the_rows(training, random):
    model, X, y = training
    order = random.sample(range(len(X)), len(X))
    one, other = trained(model, X, y), trained(model, X[order], y[order])
    np.testing.assert_allclose(other.predict_proba(X), one.predict_proba(X), rtol=0.0, atol=1e-8)
    np.testing.assert_allclose(other.loss_curve_, one.loss_curve_, rtol=1e-9)


@holds_for(trainings(), st.randoms(use_true_random=False))
def test_training_does_not_depend_on_the_order_of_the_features(training, random):
    model, X, y = training
    order = random.sample(range(X.shape[1]), X.shape[1])
    first, *others = model.thetas_
    moved = with_thetas(model, [first[:, [0, *(1 + f for f in order)]], *others])
    one, other = trained(model, X, y), trained(moved, X[:, order], y)
    np.testing.assert_allclose(
        other.predict_proba(X[:, order]), one.predict_proba(X), rtol=0.0, atol=1e-8
    )
    np.testing.assert_allclose(other.loss_curve_, one.loss_curve_, rtol=1e-9)


@holds_for(trainings(), st.randoms(use_true_random=False))
def test_training_does_not_depend_on_the_names_of_the_classes(training, random):
    model, X, y = training
    names = np.array(random.sample(range(100), len(model.classes_)))
    renamed = with_thetas(model, model.thetas_, names)
    one, other = trained(model, X, y), trained(renamed, X, names[y])
    P = other.predict_proba(X)[:, np.searchsorted(other.classes_, names)]
    np.testing.assert_allclose(P, one.predict_proba(X), rtol=0.0, atol=1e-8)
    np.testing.assert_allclose(other.loss_curve_, one.loss_curve_, rtol=1e-9)


@holds_for(trainings())
def test_training_does_not_depend_on_sparse_storage(training):
    model, X, y = training
    one, other = trained(model, X, y), trained(model, sp.csr_matrix(X), y)
    np.testing.assert_allclose(other.predict_proba(X), one.predict_proba(X), rtol=0.0, atol=1e-8)
