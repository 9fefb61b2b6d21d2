"""Training on Dask collections: the same objective, wherever the rows lie."""

import copy
import os
import pickle
import re
import signal
from functools import partial

import joblib
import numpy as np
import pandas as pd
import pytest
import sklearn
from keywords import read_by
from scipy.sparse import csr_array, csr_matrix, issparse
from sklearn.base import clone
from sklearn.datasets import load_digits, make_multilabel_classification
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from threadpoolctl import ThreadpoolController, threadpool_limits

from backprop_mlp import BackpropMLPClassifier
from backprop_mlp._estimator.assembly import open_objective
from backprop_mlp._estimator.rows import row_weights
from backprop_mlp._solvers.full_batch import METHODS
from backprop_mlp._training.run import Monitor

dask = pytest.importorskip("dask")
da = pytest.importorskip("dask.array")
distributed = pytest.importorskip("distributed")

import backprop_mlp._dask.rows  # noqa: E402
from backprop_mlp._dask.checks import partition_weights  # noqa: E402
from backprop_mlp._dask.exact import ExactSum  # noqa: E402
from backprop_mlp.dask import DaskBackpropMLPClassifier  # noqa: E402

pytestmark = pytest.mark.filterwarnings(
    "ignore::sklearn.exceptions.ConvergenceWarning", "ignore:Sending large graph"
)

DIGITS, LABELS = load_digits(return_X_y=True)
DIGITS = DIGITS[:600] / 16.0
LABELS = LABELS[:600]
WEIGHTS = np.random.default_rng(0).uniform(0.0, 2.0, len(LABELS))


@pytest.fixture
def dd():
    """Dask's dataframes, which need pandas and a pyarrow that goes with NumPy."""
    return pytest.importorskip("dask.dataframe", exc_type=ImportError)


@pytest.fixture(scope="module")
def client():
    """A cluster of two worker processes on this machine."""
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=":0"
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


def chunked(array, *lengths):
    """A Dask array of blocks of these lengths, the last one with all that is left."""
    lengths = (*lengths, len(array) - sum(lengths))
    return da.from_array(array, chunks=(lengths, *array.shape[1:]))


def of_unknown_length(array):
    """The same Dask array, which no longer knows the lengths of its blocks."""
    return array[da.ones(array.shape[0], chunks=array.chunks[:1], dtype=bool)]


def network(**params):
    return BackpropMLPClassifier(
        **{"hidden_layer_sizes": 12, "activation": "tanh", "max_iter": 10, "random_state": 0}
        | params
    )


def assert_same_objective(classifier, rows, plain_rows, rtol=1e-12):
    """Cost and gradient are the plain classifier's, relative to the gradient's norm."""
    cost, gradients = classifier.cost_gradient(*rows)
    expected_cost, expected = classifier.to_local().cost_gradient(*plain_rows)
    assert cost == pytest.approx(expected_cost, rel=rtol)
    assert classifier.cost(*rows) == pytest.approx(expected_cost, rel=rtol)
    size = np.sqrt(sum(np.sum(gradient**2) for gradient in expected))
    for gradient, expected_gradient in zip(gradients, expected, strict=True):
        np.testing.assert_allclose(gradient, expected_gradient, rtol=0, atol=rtol * size)


def test_no_client_is_an_error():
    # The first test of the file: no other one has started a cluster yet.
    with pytest.raises(
        ValueError, match=r"from distributed import Client\n    client = Client\(\)"
    ):
        DaskBackpropMLPClassifier().fit(chunked(DIGITS, 300), chunked(LABELS, 300))


# The objective


def test_a_cost_that_overflows_is_an_error_and_not_nan(client):
    rows = chunked(DIGITS, 300), chunked(LABELS, 300)
    classifier = DaskBackpropMLPClassifier(network(max_iter=1)).fit(*rows)
    classifier.estimator_.coefs_[1][:] *= 1e308
    for method in (classifier.cost, classifier.cost_gradient):
        with pytest.raises(FloatingPointError, match=r"The cost .* the numbers overflow"):
            method(*rows)


@pytest.mark.parametrize("class_weight", [None, "balanced", {3: 2.0, 7: 0.5}])
@pytest.mark.parametrize("output_activation", ["logistic", "softmax"])
def test_cost_and_gradient_do_not_depend_on_where_the_rows_are(
    client, class_weight, output_activation
):
    estimator = network(
        class_weight=class_weight, output_activation=output_activation, solver="lbfgs", max_iter=1
    )
    rows = [chunked(array, 100, 250) for array in (DIGITS, LABELS, WEIGHTS)]
    classifier = DaskBackpropMLPClassifier(estimator).fit(*rows)
    assert_same_objective(classifier, rows, (DIGITS, LABELS, WEIGHTS))


@pytest.mark.parametrize(
    "alter",
    [
        pytest.param(of_unknown_length, id="unknown lengths"),
        pytest.param(lambda a: chunked(np.asarray(a), 0, 250, 0), id="empty partitions"),
        pytest.param(lambda a: chunked(np.asarray(a), *[30] * 19), id="many partitions"),
        pytest.param(lambda a: chunked(np.asarray(a)), id="one partition"),
        pytest.param(lambda a: a.rechunk((200, 20)[: a.ndim]), id="cut through the columns"),
        pytest.param(lambda a: a.persist(), id="persisted"),
    ],
)
def test_cost_and_gradient_do_not_depend_on_the_partitions(client, alter):
    rows = [alter(chunked(array, 300)) for array in (DIGITS, LABELS, WEIGHTS)]
    classifier = DaskBackpropMLPClassifier(
        network(class_weight="balanced", solver="lbfgs", max_iter=1)
    ).fit(*rows)
    assert_same_objective(classifier, rows, (DIGITS, LABELS, WEIGHTS))


@pytest.mark.parametrize("kind", [csr_matrix, csr_array])
def test_sparse_blocks_are_not_made_dense(client, kind):
    X = chunked(DIGITS, 100, 250).map_blocks(kind, dtype=np.float64)
    assert issparse(X.blocks[0].compute())
    y = chunked(LABELS, 100, 250)
    classifier = DaskBackpropMLPClassifier(network(solver="lbfgs", max_iter=1)).fit(X, y)
    assert_same_objective(classifier, (X, y), (kind(DIGITS), LABELS))


def test_float32_blocks_are_computed_in_float32(client):
    X = chunked(DIGITS.astype(np.float32), 100, 250)
    y = chunked(LABELS, 100, 250)
    classifier = DaskBackpropMLPClassifier(network()).fit(X, y)
    assert classifier.to_local().coefs_[0].dtype == np.float32
    probabilities = classifier.predict_proba(X)
    assert probabilities.dtype == probabilities.compute().dtype == np.float32
    assert_same_objective(classifier, (X, y), (DIGITS.astype(np.float32), LABELS), rtol=1e-6)


def test_blocks_of_both_precisions_are_computed_in_float64(client):
    X = da.concatenate([chunked(DIGITS[:300].astype(np.float32)), chunked(DIGITS[300:])])
    y = chunked(LABELS, 300)
    classifier = DaskBackpropMLPClassifier(network(solver="lbfgs", max_iter=1)).fit(X, y)
    assert classifier.to_local().coefs_[0].dtype == np.float64
    assert_same_objective(classifier, (X, y), (DIGITS, LABELS))


@pytest.mark.parametrize("class_weight", [None, "balanced"])
def test_multilabel_targets(client, class_weight):
    X, Y = make_multilabel_classification(200, 8, n_classes=3, random_state=0)
    # The second partition has one label alone, the third none at all.
    order = np.lexsort(Y.T)
    X, Y = X[order], Y[order]
    rows = chunked(X, 120, 30), chunked(Y, 120, 30)
    classifier = DaskBackpropMLPClassifier(
        network(class_weight=class_weight, solver="lbfgs", max_iter=1)
    )
    classifier.fit(*rows)
    assert_same_objective(classifier, rows, (X, Y))
    local = classifier.to_local()
    np.testing.assert_array_equal(classifier.predict(rows[0]).compute(), local.predict(X))
    assert classifier.score(*rows) == pytest.approx(local.score(X, Y), rel=1e-12)


def test_a_partition_may_have_no_weight(client):
    weights = WEIGHTS.copy()
    weights[100:350] = 0.0
    rows = [chunked(array, 100, 250) for array in (DIGITS, LABELS, weights)]
    classifier = DaskBackpropMLPClassifier(network(solver="lbfgs", max_iter=1)).fit(*rows)
    assert_same_objective(classifier, rows, (DIGITS, LABELS, weights))


# Training


@pytest.mark.parametrize("solver", sorted(METHODS))
@pytest.mark.parametrize("params", [{}, {"class_weight": "balanced", "n_init": 2}])
def test_ten_iterations_give_the_plain_classifiers_probabilities(client, solver, params):
    estimator = network(solver=solver, **params)
    rows = [chunked(array, 100, 250) for array in (DIGITS, LABELS, WEIGHTS)]
    classifier = DaskBackpropMLPClassifier(estimator).fit(*rows)
    plain = clone(estimator).fit(DIGITS, LABELS, WEIGHTS)
    np.testing.assert_allclose(
        classifier.predict_proba(rows[0]).compute(), plain.predict_proba(DIGITS), atol=1e-9
    )
    local = classifier.to_local()
    assert (local.n_iter_, local.n_fun_, local.t_) == (plain.n_iter_, plain.n_fun_, plain.t_)
    np.testing.assert_allclose(local.loss_curve_, plain.loss_curve_, rtol=1e-10)


def test_a_class_may_be_in_one_partition_alone(client):
    order = np.argsort(LABELS, kind="stable")
    rows = [chunked(array[order], 150, 150, 150) for array in (DIGITS, LABELS)]
    classifier = DaskBackpropMLPClassifier(network()).fit(*rows)
    plain = network().fit(DIGITS[order], LABELS[order])
    np.testing.assert_array_equal(classifier.classes_, np.arange(10))
    np.testing.assert_allclose(
        classifier.predict_proba(rows[0]).compute(),
        plain.predict_proba(DIGITS[order]),
        atol=1e-9,
    )


def test_a_single_class(client):
    classifier = DaskBackpropMLPClassifier(network(solver="lbfgs")).fit(
        chunked(DIGITS, 300), chunked(np.full(len(DIGITS), "only"), 300)
    )
    np.testing.assert_array_equal(classifier.predict_proba(chunked(DIGITS)).compute(), 1.0)


def test_dataframes_keep_their_names_and_labels(client, dd):
    names = [f"pixel {number}" for number in range(64)]
    labels = np.array(["zero", "one", "two", "three", *"456789"])[LABELS]
    frame = pd.DataFrame(DIGITS, columns=names).assign(label=labels, weight=WEIGHTS)
    rows = dd.from_pandas(frame, npartitions=4)
    X, y, weight = rows[names], rows["label"], rows["weight"]
    classifier = DaskBackpropMLPClassifier(network()).fit(X, y, weight)
    plain = network().fit(frame[names], labels, WEIGHTS)
    np.testing.assert_array_equal(classifier.feature_names_in_, names)
    assert classifier.n_features_in_ == 64
    np.testing.assert_array_equal(classifier.classes_, plain.classes_)
    probabilities = classifier.predict_proba(X)
    np.testing.assert_allclose(
        probabilities.compute(), plain.predict_proba(frame[names]), atol=1e-9
    )
    np.testing.assert_array_equal(classifier.predict(X).compute(), plain.predict(frame[names]))
    expected = plain.score(frame[names], labels, WEIGHTS)
    assert classifier.score(X, y, weight) == pytest.approx(expected, rel=1e-12)


def test_training_goes_on_with_warm_start(client):
    rows = [chunked(array, 100, 250) for array in (DIGITS, LABELS)]
    classifier = DaskBackpropMLPClassifier(network(max_iter=4, warm_start=True)).fit(*rows)
    plain = network(max_iter=4, warm_start=True).fit(DIGITS, LABELS)
    classifier.set_params(estimator__max_iter=5, estimator__alpha=0.3).fit(*rows)
    plain.set_params(max_iter=5, alpha=0.3).fit(DIGITS, LABELS)
    local = classifier.to_local()
    assert (local.n_iter_, len(local.loss_curve_)) == (5, 9)
    np.testing.assert_allclose(local.loss_curve_, plain.loss_curve_, rtol=1e-10)
    with pytest.raises(ValueError, match="where `y` has the same classes"):
        classifier.fit(rows[0], rows[1] // 2)
    with pytest.raises(ValueError, match="features"):
        classifier.fit(rows[0][:, :50], rows[1])


@pytest.mark.parametrize("params", [{}, {"early_stopping": True, "n_iter_no_change": 3}])
@pytest.mark.parametrize("scoring", [None, "loss"])
def test_validation_rows_are_followed_where_they_are(client, params, scoring):
    estimator = network(scoring=scoring, max_iter=12, **params)
    train, rest = slice(0, 400), slice(400, None)
    rows = [chunked(array[train], 100, 250) for array in (DIGITS, LABELS, WEIGHTS)]
    validation = [chunked(array[rest], 150) for array in (DIGITS, LABELS, WEIGHTS)]
    keywords = ("X_val", "y_val", "sample_weight_val")
    classifier = DaskBackpropMLPClassifier(estimator).fit(
        *rows, **dict(zip(keywords, validation, strict=True))
    )
    held_out = {
        name: array[rest] for name, array in zip(keywords, (DIGITS, LABELS, WEIGHTS), strict=True)
    }
    plain = estimator.fit(DIGITS[train], LABELS[train], WEIGHTS[train], **held_out)
    local = classifier.to_local()
    np.testing.assert_allclose(local.validation_scores_, plain.validation_scores_, rtol=1e-9)
    np.testing.assert_allclose(
        local.validation_loss_curve_, plain.validation_loss_curve_, rtol=1e-9
    )
    assert local.best_validation_score_ == pytest.approx(plain.best_validation_score_)


def test_nothing_that_grows_with_the_rows_is_gathered(client, monkeypatch):
    sizes = []
    gather = distributed.Client.gather

    def size(value):
        if isinstance(value, ExactSum):
            return sum(map(size, (*(value._entries or ()), *value._levels)))
        if isinstance(value, (tuple, list)):
            return sum(map(size, value))
        return np.size(value)

    def measured(self, futures, *args, **kwargs):
        values = gather(self, futures, *args, **kwargs)
        sizes.extend(map(size, values))
        return values

    monkeypatch.setattr(distributed.Client, "gather", measured)
    X = chunked(DIGITS, 250, 250)
    classifier = DaskBackpropMLPClassifier(network(hidden_layer_sizes=1, max_iter=3))
    classifier.fit(X, chunked(LABELS, 250, 250))
    classifier.score(X, chunked(LABELS, 250, 250))
    local = classifier.to_local()
    n_params = sum(theta.size for theta in local.thetas_)
    assert n_params < 100 < len(DIGITS)
    # The largest results are a cost with its gradient, and the sums that coordinates are made of.
    assert n_params + 1 <= max(sizes) < len(DIGITS)


def disturb(monkeypatch, error):
    """Let the fourth iteration end in an error."""
    after = Monitor.__call__

    def disturbed(self, iteration):
        if iteration.number == 4:
            raise error
        return after(self, iteration)

    monkeypatch.setattr(Monitor, "__call__", disturbed)


def test_ctrl_c_keeps_the_last_finished_iteration(client, monkeypatch):
    rows = [chunked(array, 250, 250) for array in (DIGITS, LABELS)]
    three = DaskBackpropMLPClassifier(network(max_iter=3)).fit(*rows).to_local()
    disturb(monkeypatch, KeyboardInterrupt)
    with pytest.warns(UserWarning, match="interrupted after 3 iterations"):
        interrupted = DaskBackpropMLPClassifier(network()).fit(*rows).to_local()
    assert interrupted.loss_curve_ == three.loss_curve_
    for coef, expected in zip(interrupted.coefs_, three.coefs_, strict=True):
        np.testing.assert_array_equal(coef, expected)


@pytest.mark.parametrize("warm_start", [False, True])
def test_a_fit_that_fails_leaves_the_classifier_as_it_was(client, monkeypatch, warm_start):
    rows = [chunked(array, 250, 250) for array in (DIGITS, LABELS)]
    classifier = DaskBackpropMLPClassifier(network(warm_start=warm_start)).fit(*rows)
    before, parameters = classifier.estimator_, copy.deepcopy(classifier.estimator_.coefs_)
    record = list(before.loss_curve_)
    disturb(monkeypatch, LookupError)
    with pytest.raises(LookupError):
        classifier.fit(*rows)
    assert classifier.estimator_ is before
    assert before.loss_curve_ == record
    assert all(map(np.array_equal, before.coefs_, parameters))


@pytest.mark.slow
@pytest.mark.parametrize("solver", ["cg", "adam"])
@pytest.mark.parametrize("n_partitions", [4, 20])
def test_the_loss_of_a_worker_does_not_change_the_result(monkeypatch, n_partitions, solver):
    estimator = network(solver=solver, **read_by(solver, {"batch_size": 20}))
    cut = [len(DIGITS) // n_partitions] * (n_partitions - 1)
    rows = [chunked(array, *cut) for array in (DIGITS, LABELS)]
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=":0"
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        undisturbed = DaskBackpropMLPClassifier(estimator, client=client).fit(*rows)
        processes = client.run(os.getpid)
        after = Monitor.__call__
        killed = []

        def kill_one_worker(self, iteration):
            if iteration.number == 4:
                pid = list(processes.values())[len(killed)]
                os.kill(pid, signal.SIGKILL)
                killed.append(pid)
            return after(self, iteration)

        monkeypatch.setattr(Monitor, "__call__", kill_one_worker)
        disturbed = DaskBackpropMLPClassifier(estimator, client=client).fit(*rows)
    assert len(killed) == 1
    for coef, expected in zip(
        disturbed.estimator_.coefs_, undisturbed.estimator_.coefs_, strict=True
    ):
        np.testing.assert_array_equal(coef, expected)


# The estimator around it


def test_predictions_are_computed_when_they_are_asked_for(client):
    rows = chunked(DIGITS, 100, 250), chunked(LABELS, 100, 250)
    classifier = DaskBackpropMLPClassifier(network()).fit(*rows)
    plain = classifier.to_local()
    empty = chunked(DIGITS, 0, 100)
    for method in ("predict", "predict_proba", "predict_log_proba", "decision_function"):
        expected = getattr(plain, method)(DIGITS)
        for X in (rows[0], of_unknown_length(rows[0]), empty):
            result = getattr(classifier, method)(X)
            assert isinstance(result, da.Array)
            assert result.dtype == expected.dtype
            assert result.shape[1:] == expected.shape[1:]
            np.testing.assert_allclose(result.compute(), expected, rtol=0, atol=1e-12)
        # Rows in memory need no cluster.
        np.testing.assert_array_equal(getattr(classifier, method)(DIGITS), expected)
    assert classifier.score(DIGITS, LABELS) == plain.score(DIGITS, LABELS)


def test_binary_decisions_are_one_number_a_row(client):
    rows = chunked(DIGITS, 100, 250), chunked(LABELS > 4, 100, 250)
    classifier = DaskBackpropMLPClassifier(network()).fit(*rows)
    z = classifier.decision_function(rows[0])
    assert z.shape == z.compute().shape == (len(DIGITS),)
    np.testing.assert_array_equal(z.compute() > 0, classifier.predict(rows[0]).compute())


def test_the_local_classifier_is_independent(client):
    rows = chunked(DIGITS, 100, 250), chunked(LABELS, 100, 250)
    classifier = DaskBackpropMLPClassifier(network()).fit(*rows)
    local = classifier.to_local()
    assert type(local) is BackpropMLPClassifier
    local.coefs_[0][:] = 0.0
    assert np.any(classifier.estimator_.coefs_[0])
    with pytest.raises(NotFittedError):
        DaskBackpropMLPClassifier().to_local()


def test_parameters_reach_the_estimator_and_clones_share_the_client(client):
    classifier = DaskBackpropMLPClassifier(network(alpha=3.0), client=client)
    assert classifier.get_params()["estimator__alpha"] == 3.0
    twin = clone(classifier).set_params(estimator__alpha=0.5)
    assert twin.client is client
    assert (twin.estimator.alpha, classifier.estimator.alpha) == (0.5, 3.0)
    rows = chunked(DIGITS, 100, 250), chunked(LABELS, 100, 250)
    restored = pickle.loads(pickle.dumps(classifier.fit(*rows)))
    assert restored.client is None
    np.testing.assert_array_equal(restored.predict(DIGITS), classifier.predict(DIGITS))


def test_the_given_estimator_is_not_fitted(client):
    estimator = network()
    DaskBackpropMLPClassifier(estimator).fit(chunked(DIGITS, 300), chunked(LABELS, 300))
    assert not hasattr(estimator, "coefs_")


def test_a_search_with_the_plain_classifier_runs_on_the_cluster(client):
    search = GridSearchCV(network(), {"alpha": [0.1, 10.0]}, cv=3)
    here = clone(search).fit(DIGITS, LABELS)
    with joblib.parallel_config(backend="dask"):
        there = clone(search).fit(DIGITS, LABELS)
    np.testing.assert_array_equal(
        here.cv_results_["mean_test_score"], there.cv_results_["mean_test_score"]
    )


# Wrong input

X_DASK = chunked(DIGITS, 100, 250)
Y_DASK = chunked(LABELS, 100, 250)
WITH_NAN = chunked(np.where(np.arange(len(DIGITS))[:, np.newaxis] == 300, np.nan, DIGITS), 100, 250)


@pytest.fixture(scope="module")
def fitted(client):
    return DaskBackpropMLPClassifier(network(solver="lbfgs")).fit(X_DASK, Y_DASK)


def _own_scorer(estimator, X, y):
    return estimator.score(X, y)


def _strings_after_the_first(labels, block_info=None):
    first = not block_info or block_info[0]["chunk-location"] == (0,)
    return labels if first else labels.astype(str)


@pytest.mark.parametrize(
    ("params", "arguments", "kind", "message"),
    [
        ({}, {"X": DIGITS}, TypeError, "X must be a Dask array or dataframe .* got ndarray"),
        ({}, {"y": LABELS}, TypeError, "y must be a Dask array or dataframe .* got ndarray"),
        ({}, {"X": X_DASK[:, 0]}, TypeError, "X must be .* with 2 dimensions; got Array with 1"),
        ({}, {"y": Y_DASK[:500]}, ValueError, "y must have 600 rows, as X has; got 500"),
        (
            {},
            {"y": of_unknown_length(chunked(LABELS, 9))},
            ValueError,
            "y must have 3 partitions, as X has; got 2",
        ),
        (
            {},
            {"y": of_unknown_length(chunked(LABELS, 100, 249))},
            ValueError,
            "inconsistent numbers of samples",
        ),
        (
            {},
            {"sample_weight": chunked(WEIGHTS[:, np.newaxis], 100, 250)},
            TypeError,
            "sample_weight must be .* with 1 dimensions; got Array with 2",
        ),
        ({}, {"sample_weight": -da.ones_like(Y_DASK)}, ValueError, "Negative values"),
        (
            {},
            {"sample_weight": da.full(600, "much", chunks=Y_DASK.chunks)},
            ValueError,
            "sample_weight is not allowed: could not convert string to float",
        ),
        ({}, {"sample_weight": da.zeros_like(Y_DASK)}, ValueError, "finite sum above 0"),
        ({}, {"X": WITH_NAN}, ValueError, "Input X contains NaN"),
        ({}, {"X": X_DASK[:0], "y": Y_DASK[:0]}, ValueError, "X must have at least one row"),
        (
            {},
            {"y": Y_DASK.map_blocks(_strings_after_the_first)},
            ValueError,
            "y must hold numbers or strings, not both",
        ),
        ({"alpha": -1.0}, {}, ValueError, "'alpha' parameter"),
        ({"early_stopping": True}, {}, ValueError, "X_val and y_val, Dask collections"),
        ({}, {"X_val": X_DASK}, ValueError, "X_val and y_val must be given together"),
        ({}, {"sample_weight_val": Y_DASK}, ValueError, "sample_weight_val needs X_val"),
        (
            {"scoring": _own_scorer},
            {"X_val": X_DASK, "y_val": Y_DASK},
            ValueError,
            "scoring .* must be None, a name or made by .*make_scorer",
        ),
        ({}, {"X_val": X_DASK, "y_val": Y_DASK + 5}, ValueError, "not among the classes"),
        ({}, {"X_val": X_DASK[:, :9], "y_val": Y_DASK}, ValueError, "expecting 64 features"),
    ],
)
def test_wrong_input_is_named_and_changes_nothing(client, fitted, params, arguments, kind, message):
    classifier = copy.copy(fitted)
    classifier.estimator = clone(fitted.estimator)
    before = classifier.predict_proba(DIGITS)
    classifier.set_params(**{f"estimator__{name}": value for name, value in params.items()})
    with pytest.raises(kind, match=message):
        classifier.fit(**{"X": X_DASK, "y": Y_DASK} | arguments)
    np.testing.assert_array_equal(classifier.predict_proba(DIGITS), before)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (np.nan, "sample_weight must hold finite numbers; got nan"),
        (np.inf, "sample_weight must hold finite numbers; got inf"),
        (1j, "sample_weight is not allowed: Complex data not supported"),
        ("much", "sample_weight is not allowed: could not convert string to float"),
        (object(), "sample_weight is not allowed: float() argument must be"),
    ],
    ids=["nan", "infinity", "complex", "text", "object"],
)
def test_weights_of_a_partition_are_refused_by_name_as_those_of_all_rows(bad, message):
    weights = np.array([bad, 1.0], dtype=object if type(bad) is object else None)
    for check, rows in ((row_weights, np.zeros((2, 1))), (partition_weights, 2)):
        with (
            sklearn.config_context(assume_finite=True),
            pytest.raises(ValueError, match=re.escape(message)),
        ):
            check(weights, rows)


@pytest.mark.parametrize("weight", [1e-45, 1e36])
@pytest.mark.parametrize("solver", METHODS)
def test_weights_that_float32_rows_cannot_be_computed_with_are_refused(client, solver, weight):
    """Weights times class weights count, whichever of the two they come from."""
    X = X_DASK.astype(np.float32)
    message = r"largest value from 1e-20 to 1e\+20 where X is float32"
    weights = weight * da.ones(len(LABELS), chunks=Y_DASK.chunks)
    classifier = DaskBackpropMLPClassifier(network(solver=solver, max_iter=1))
    with pytest.raises(ValueError, match=message):
        classifier.fit(X, Y_DASK, weights)
    assert not hasattr(classifier, "estimator_")
    classifier.fit(X, Y_DASK)
    for method in (classifier.cost, classifier.cost_gradient):
        with pytest.raises(ValueError, match=message):
            method(X, Y_DASK, weights)
    by_class = dict.fromkeys(range(10), weight)
    classifier = DaskBackpropMLPClassifier(network(solver=solver, class_weight=by_class))
    with pytest.raises(ValueError, match=message):
        classifier.fit(X, Y_DASK)
    classifier.fit(X, Y_DASK, da.full(len(LABELS), 1.0 / weight, chunks=Y_DASK.chunks))


def _statistics(factor, block):
    weighted = block.X * block.sample_weight[:, np.newaxis]
    return factor * block.sample_weight.sum(), (weighted.T @ block.X, len(block.Y))


def test_a_function_of_blocks_is_summed_over_the_partitions(client, fitted):
    problem, _ = fitted._pose_fitted(X_DASK, Y_DASK, chunked(WEIGHTS, 100, 250))
    for function in (partial(_statistics, 1.0), _count_rows):
        with open_objective(problem, 1.0) as objective:
            found = objective.sum_over_blocks(function)
        if function is _count_rows:
            assert found == len(LABELS)
            continue
        total, (products, n_rows) = found
        assert total == pytest.approx(WEIGHTS.sum(), rel=1e-13)
        assert n_rows == len(LABELS)
        np.testing.assert_allclose(products, (DIGITS * WEIGHTS[:, np.newaxis]).T @ DIGITS)


def _count_rows(block):
    return len(block.Y)


@pytest.mark.parametrize("limit", [0, 1_000_000])
def test_parameters_that_go_with_the_tasks_or_ahead_of_them_lead_to_the_same(
    client, fitted, monkeypatch, limit
):
    _, theta = fitted._pose_fitted(X_DASK, Y_DASK, None)
    expected = fitted.cost_gradient(X_DASK, Y_DASK)
    monkeypatch.setattr(backprop_mlp._dask.rows, "_SENT_WITH_TASKS", limit)
    assert (len(theta) > limit) == (limit == 0)
    cost, gradients = fitted.cost_gradient(X_DASK, Y_DASK)
    assert cost == expected[0]
    for found, gradient in zip(gradients, expected[1], strict=True):
        np.testing.assert_array_equal(found, gradient)


def test_this_process_has_one_blas_thread_while_it_waits_for_workers(client, fitted):
    """More would spin, and take time from workers on the same machine."""
    problem, _ = fitted._pose_fitted(X_DASK, Y_DASK, None)
    with threadpool_limits(2, user_api="blas"):
        with open_objective(problem, 1.0):
            pools = ThreadpoolController().select(user_api="blas").info()
            assert {pool["num_threads"] for pool in pools} <= {1}
        pools = ThreadpoolController().select(user_api="blas").info()
        assert {pool["num_threads"] for pool in pools} <= {2}


def test_partitions_with_other_features_are_rejected(client, dd):
    frames = [
        dask.delayed(pd.DataFrame)(DIGITS[:300], columns=list(range(64))),
        dask.delayed(pd.DataFrame)(DIGITS[300:, :50], columns=list(range(50))),
    ]
    meta = pd.DataFrame(DIGITS[:0], columns=list(range(64)))
    X = dd.from_delayed(frames, meta=meta, verify_meta=False)
    with pytest.raises(ValueError, match="Partitions of X must have the same features"):
        DaskBackpropMLPClassifier(network()).fit(X, chunked(LABELS, 300))


def test_other_parameters_are_rejected(client):
    with pytest.raises(ValueError, match="'estimator' parameter"):
        DaskBackpropMLPClassifier(LABELS).fit(X_DASK, Y_DASK)
