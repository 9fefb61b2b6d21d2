"""The regressor on Dask collections, next to the same in memory."""

import pickle

import numpy as np
import pytest
from sklearn.datasets import load_diabetes
from sklearn.metrics import r2_score
from sklearn.preprocessing import scale

from backprop_mlp import BackpropMLPRegressor

da = pytest.importorskip("dask.array")
pytest.importorskip("distributed")

from dask_data import chunked  # noqa: E402

from backprop_mlp.dask import DaskBackpropMLPRegressor  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, y = load_diabetes(return_X_y=True)
X, y = scale(X)[:300], y[:300]
Y = np.column_stack([y, 1e6 * X[:, 2] + 1e9])
WEIGHTS = np.random.default_rng(0).integers(0, 3, len(y)).astype(float)
LOSSES = ["squared_error", "huber", "poisson", "gamma", "quantile"]


def regressor(**params):
    defaults = {"hidden_layer_sizes": 5, "activation": "tanh", "max_iter": 6, "random_state": 0}
    return BackpropMLPRegressor(**defaults | params)


def parts(*arrays):
    return [chunked(array, 80, 120) for array in arrays]


@pytest.mark.parametrize("target", [y, Y], ids=["one output", "two outputs"])
def test_mean_and_scale_are_those_of_all_partitions(client, target):
    fitted = DaskBackpropMLPRegressor(regressor()).fit(*parts(X, target, WEIGHTS))
    expected = regressor().fit(X, target, WEIGHTS)
    np.testing.assert_allclose(fitted.y_mean_, expected.y_mean_, rtol=1e-12)
    np.testing.assert_allclose(fitted.y_scale_, expected.y_scale_, rtol=1e-9)


@pytest.mark.parametrize("loss", LOSSES)
def test_a_fit_is_that_in_memory(client, loss):
    fitted = DaskBackpropMLPRegressor(regressor(loss=loss)).fit(*parts(X, y, WEIGHTS))
    expected = regressor(loss=loss).fit(X, y, WEIGHTS)
    assert fitted.loss_ == pytest.approx(expected.loss_, rel=1e-9)
    np.testing.assert_allclose(fitted.predict(X), expected.predict(X), rtol=1e-6)
    assert fitted.cost(*parts(X, y, WEIGHTS)) == pytest.approx(fitted.loss_, rel=1e-12)


@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_mini_batches_of_one_partition_take_the_steps_in_memory(client, solver):
    rows = [da.from_array(array, chunks=array.shape) for array in (X, Y)]
    fitted = DaskBackpropMLPRegressor(regressor(solver=solver)).fit(*rows)
    expected = regressor(solver=solver).fit(X, Y)
    np.testing.assert_allclose(fitted.predict(X), expected.predict(X), rtol=1e-12)


@pytest.mark.parametrize("target", [y, Y], ids=["one output", "two outputs"])
def test_predictions_are_lazy_and_of_the_shape_of_y(client, target):
    fitted = DaskBackpropMLPRegressor(regressor()).fit(*parts(X, target))
    predicted = fitted.predict(chunked(X, 80, 120))
    assert (predicted.shape, predicted.dtype) == (target.shape, np.float64)
    np.testing.assert_array_equal(predicted.compute(), fitted.to_local().predict(X))


@pytest.mark.parametrize("loss", ["squared_error", "poisson"])
@pytest.mark.parametrize("target", [y, Y], ids=["one output", "two outputs"])
def test_the_score_is_r2(client, target, loss):
    fitted = DaskBackpropMLPRegressor(regressor(loss=loss)).fit(*parts(X, target))
    expected = r2_score(target, fitted.to_local().predict(X), sample_weight=WEIGHTS)
    assert fitted.score(*parts(X, target, WEIGHTS)) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("scoring", [None, "loss", "neg_mean_absolute_error"])
def test_validation_rows_are_scored(client, scoring):
    model = regressor(scoring=scoring, early_stopping=True)
    rows, val = parts(X, y), parts(X[::-1], y[::-1])
    fitted = DaskBackpropMLPRegressor(model).fit(*rows, X_val=val[0], y_val=val[1])
    expected = model.fit(X, y, X_val=X[::-1], y_val=y[::-1])
    np.testing.assert_allclose(fitted.validation_scores_, expected.validation_scores_, rtol=1e-6)


def test_a_warm_start_keeps_mean_and_scale(client):
    model = DaskBackpropMLPRegressor(regressor(warm_start=True)).fit(*parts(X, y))
    mean, cost = model.y_mean_, model.loss_
    again = pickle.loads(pickle.dumps(model))
    again.fit(*parts(X, y + 5.0))
    np.testing.assert_array_equal(again.y_mean_, mean)
    assert model.fit(*parts(X, y)).loss_ < cost


def test_a_partition_of_equal_numbers_is_one_of_many(client):
    target = y.copy()
    target[:80] = 7.0
    fitted = DaskBackpropMLPRegressor(regressor()).fit(*parts(X, target))
    assert fitted.y_scale_[0] == pytest.approx(target.std(), rel=1e-12)


def test_numbers_outside_of_a_loss_are_refused(client):
    with pytest.raises(ValueError, match="y must be > 0 with loss='gamma'"):
        DaskBackpropMLPRegressor(regressor(loss="gamma")).fit(*parts(X, y - y.mean()))


def test_dataframes_are_rows_too(client):
    dd = pytest.importorskip("dask.dataframe", exc_type=ImportError)
    pd = pytest.importorskip("pandas")
    frame = dd.from_pandas(pd.DataFrame(X, columns=list("abcdefghij")).assign(y=y), npartitions=3)
    fitted = DaskBackpropMLPRegressor(regressor()).fit(frame[list("abcdefghij")], frame["y"])
    np.testing.assert_allclose(fitted.y_mean_, y.mean(), rtol=1e-12)
    assert list(fitted.feature_names_in_) == list("abcdefghij")
