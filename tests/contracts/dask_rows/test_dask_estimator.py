"""The estimator around training on Dask: score, fitted attributes, client, callbacks."""

import asyncio
import copy
import pickle
import threading

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

pytest.importorskip("distributed")

from dask_data import DIGITS, LABELS, WEIGHTS, chunked, network
from distributed import Client

from backprop_mlp.dask import DaskBackpropMLPClassifier

pytestmark = pytest.mark.filterwarnings(
    "ignore::sklearn.exceptions.ConvergenceWarning", "ignore:Sending large graph"
)

ROWS = chunked(DIGITS, 100, 250), chunked(LABELS, 100, 250)


@pytest.fixture(scope="module")
def fitted(client):
    return DaskBackpropMLPClassifier(network(solver="lbfgs"), client=client).fit(*ROWS)


# Score


@pytest.mark.parametrize("part", [slice(0, 100), slice(100, 350), slice(50, 600)])
def test_a_partition_without_weight_does_not_count_in_the_score(fitted, part):
    weights = WEIGHTS.copy()
    weights[part] = 0.0
    expected = fitted.estimator_.score(DIGITS, LABELS, weights)
    found = fitted.score(*ROWS, chunked(weights, 100, 250))
    assert found == pytest.approx(expected, rel=1e-12)


def test_a_score_without_any_weight_is_an_error(fitted):
    with pytest.raises(ValueError, match="sample_weight must have a finite sum above 0; got 0"):
        fitted.score(*ROWS, chunked(0.0 * WEIGHTS, 100, 250))
    with pytest.raises(ValueError, match="X must have at least one row; got 1 empty"):
        fitted.score(ROWS[0][:0], ROWS[1][:0])


# Predictions


@pytest.mark.parametrize("other", [bool, np.int8, np.int64, "boolean", "Float32"])
def test_predictions_of_dataframes_have_the_dtype_that_they_announce(client, other):
    dd = pytest.importorskip("dask.dataframe", exc_type=ImportError)
    pd = pytest.importorskip("pandas")
    columns = {
        "pixel": DIGITS[:, 20].astype(np.float32),
        "other": pd.array(LABELS > 4).astype(other),
    }
    frame = pd.DataFrame(columns)
    plain = network().fit(frame, LABELS)
    classifier = DaskBackpropMLPClassifier(network(), client=client)
    X, y = dd.from_pandas(frame, npartitions=3), dd.from_pandas(pd.Series(LABELS), npartitions=3)
    probabilities = classifier.fit(X, y).predict_proba(X)
    expected = plain.predict_proba(frame).dtype
    assert probabilities.dtype == probabilities.compute().dtype == expected


# Workers


@pytest.mark.parametrize("params", [{}, {"solver": "adam"}, {"class_weight": "balanced"}])
def test_the_result_does_not_depend_on_the_workers(client, params):
    """Bit by bit: neither on their number nor on their threads."""
    rows = [chunked(array, *[40] * 14) for array in (DIGITS, LABELS, WEIGHTS)]
    here = DaskBackpropMLPClassifier(network(**params), client=client).fit(*rows)
    with Client(
        processes=False,
        n_workers=1,
        threads_per_worker=3,
        dashboard_address=None,
        set_as_default=False,
    ) as other:
        there = DaskBackpropMLPClassifier(network(**params), client=other).fit(*rows)
    assert here.loss_curve_ == there.loss_curve_
    assert all(map(np.array_equal, here.coefs_, there.coefs_))


# Fitted attributes


def public_fitted(estimator):
    return {name for name in dir(estimator) if name.endswith("_") and not name.startswith("_")}


def test_every_fitted_attribute_is_the_estimators(fitted):
    names = public_fitted(fitted.estimator_)
    assert {"coefs_", "thetas_", "loss_curve_", "n_iter_", "converged_", "classes_"} <= names
    assert names <= public_fitted(fitted)
    for name in names - {"thetas_"}:  # made when it is asked for
        assert getattr(fitted, name) is getattr(fitted.estimator_, name)
    assert all(map(np.array_equal, fitted.thetas_, fitted.estimator_.thetas_))


def test_assigned_weights_are_the_estimators(client):
    model = DaskBackpropMLPClassifier(network(solver="lbfgs", max_iter=2), client=client).fit(*ROWS)
    model.coefs_ = [np.zeros_like(W) for W in model.coefs_]
    assert model.estimator_.coefs_ is model.coefs_
    plain = network(solver="lbfgs", max_iter=2).fit(DIGITS, LABELS)
    plain.coefs_ = model.coefs_
    plain.intercepts_ = model.intercepts_
    assert model.cost(*ROWS) == pytest.approx(plain.cost(DIGITS, LABELS), rel=1e-12)
    np.testing.assert_array_equal(
        model.predict_proba(ROWS[0]).compute(), plain.predict_proba(DIGITS)
    )
    twin = copy.copy(model)
    twin.coefs_ = [W + 1.0 for W in model.coefs_]
    assert not any(W.any() for W in model.coefs_)
    del twin.coefs_
    assert not hasattr(twin, "coefs_")
    model.fit(*ROWS)
    assert all(W.any() for W in model.coefs_)


@pytest.mark.parametrize("name", ["coefs_", "intercepts_"])
@pytest.mark.parametrize("scheduler", ["synchronous", "threads", None])
def test_weights_that_are_changed_later_do_not_change_predictions(client, scheduler, name):
    model = DaskBackpropMLPClassifier(network(solver="lbfgs", max_iter=2), client=client).fit(*ROWS)
    expected = model.predict_proba(DIGITS)
    lazy = model.predict_proba(ROWS[0])
    hidden, output = getattr(model, name)
    hidden[...] = 1.0  # in place
    getattr(model, name)[1] = 2.0 + output
    np.testing.assert_allclose(lazy.compute(scheduler=scheduler), expected, rtol=1e-10)
    assert np.abs(model.predict_proba(ROWS[0]).compute() - expected).max() > 1e-3


def test_nothing_else_of_the_estimator_is_an_attribute():
    unfitted = DaskBackpropMLPClassifier(network())
    for name in ("coefs_", "classes_", "thetas_", "n_features_in_", "alpha", "_memory"):
        assert not hasattr(unfitted, name)
    assert public_fitted(unfitted) == set()
    with pytest.raises(AttributeError, match=r"'DaskBackpropMLPClassifier' object .* 'coefs_'"):
        _ = unfitted.coefs_
    with pytest.raises(NotFittedError):
        check_is_fitted(unfitted)


def test_copies_have_the_fitted_attributes_and_clones_have_none(fitted):
    check_is_fitted(fitted, "coefs_")
    assert not hasattr(fitted, "feature_names_in_")
    assert not hasattr(fitted, "alpha")
    for twin in (copy.copy(fitted), copy.deepcopy(fitted), pickle.loads(pickle.dumps(fitted))):
        np.testing.assert_array_equal(twin.coefs_[0], fitted.coefs_[0])
        assert twin.loss_curve_ == fitted.loss_curve_
    assert not hasattr(clone(fitted), "coefs_")


# The client


@pytest.mark.parametrize("method", ["fit", "score", "cost", "cost_gradient"])
def test_an_error_says_how_to_make_a_client(client, fitted, method):
    local = copy.copy(fitted)
    with Client(client.cluster, set_as_default=False) as gone:
        local.client = gone
    two_lines = r"\n    from distributed import Client\n    client = Client\(\)\n"
    with pytest.raises(ValueError, match=f"(?s)closed one.*{two_lines}"):
        getattr(local, method)(*ROWS)


@pytest.mark.parametrize("given", [True, False])
@pytest.mark.parametrize("method", ["fit", "score", "cost", "cost_gradient"])
def test_a_client_that_does_not_wait_is_refused(client, fitted, method, given):
    async def call():
        async with Client(client.scheduler.address, asynchronous=True) as other:
            local = copy.copy(fitted)
            local.client = other if given else None
            with pytest.raises(
                ValueError, match="wait for results; got one with asynchronous=True"
            ):
                getattr(local, method)(*ROWS)

    asyncio.run(call())


# Callbacks


class Calls:
    """Notes its hooks; can't be pickled."""

    def __init__(self):
        self.lock = threading.Lock()
        self.hooks = []
        self.estimators = set()
        self.outputs = []

    def setup(self, estimator, context):
        self.note("setup", estimator, context)

    def teardown(self, estimator, context):
        self.note("teardown", estimator, context)

    def on_fit_task_begin(
        self, estimator, context, *, X=None, y=None, metadata=None, fitted_estimator=None
    ):
        self.note("begin", estimator, context)

    def on_fit_task_end(
        self, estimator, context, *, X=None, y=None, metadata=None, fitted_estimator=None
    ):
        self.note("end", estimator, context)
        if fitted_estimator is not None:
            self.outputs.append(fitted_estimator.decision_function(DIGITS).mean())

    def note(self, hook, estimator, context):
        self.hooks.append((hook, context.task_name, context.task_id))
        self.estimators.add(id(estimator))


@pytest.mark.parametrize("params", [{}, {"n_init": 2}, {"warm_start": True}])
def test_callbacks_of_the_network_are_called_as_by_its_own_fit(client, params):
    pytest.importorskip("sklearn.callback")
    there, here = Calls(), Calls()
    estimator = network(max_iter=3, solver="lbfgs", **params).set_callbacks(there)
    plain = network(max_iter=3, solver="lbfgs", **params).set_callbacks(here)
    classifier = DaskBackpropMLPClassifier(estimator, client=client)
    for _ in range(2):
        classifier.fit(*ROWS)
        plain.fit(DIGITS, LABELS)
    assert there.hooks == here.hooks
    assert there.hooks[0][0] == "setup"
    assert len(there.outputs) >= 2 * 3
    np.testing.assert_allclose(there.outputs, here.outputs, rtol=1e-8)
    # Callbacks know an estimator by its identity.
    assert there.estimators == {id(estimator)}


def test_callbacks_stay_in_this_process(client):
    pytest.importorskip("sklearn.callback")
    calls = Calls()
    estimator = network(max_iter=2).set_callbacks(calls)
    classifier = DaskBackpropMLPClassifier(estimator, client=client).set_callbacks(calls)
    classifier.fit(*ROWS, X_val=ROWS[0], y_val=ROWS[1])
    classifier.predict(ROWS[0]).compute()
    assert classifier.score(*ROWS) > 0.0
    assert classifier.cost(*ROWS) > 0.0
    pickle.dumps(classifier.to_local())


def test_callbacks_of_the_dask_estimator_see_its_fit(client):
    pytest.importorskip("sklearn.callback")
    calls = Calls()
    classifier = DaskBackpropMLPClassifier(network(max_iter=2), client=client)
    assert classifier.set_callbacks(calls) is classifier
    classifier.fit(*ROWS)
    assert [hook for hook, *_ in calls.hooks] == [
        "setup", "begin", "begin", "end", "end", "teardown",
    ]  # fmt: skip
    assert calls.estimators == {id(classifier)}


def test_a_callback_that_fails_is_torn_down_and_leaves_the_classifier(client, fitted):
    pytest.importorskip("sklearn.callback")

    class Failing(Calls):
        def on_fit_task_end(self, estimator, context, **given):
            raise LookupError

    calls = Failing()
    classifier = copy.copy(fitted)
    classifier.client = client
    classifier.estimator = clone(fitted.estimator).set_callbacks(calls)
    with pytest.raises(LookupError):
        classifier.fit(*ROWS)
    assert classifier.estimator_ is fitted.estimator_
    assert calls.hooks[-1][0] == "teardown"
