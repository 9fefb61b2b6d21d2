"""The regressor on Dask collections, next to the same in memory."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_diabetes
from sklearn.exceptions import UndefinedMetricWarning
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


def test_small_counts_end_where_they_do_in_memory(client):
    rates = 1e-4 * y / y.mean()
    model = regressor(loss="poisson", alpha=0.0, tol=1e-3, max_iter=100)
    fitted = DaskBackpropMLPRegressor(model).fit(*parts(X, rates, WEIGHTS))
    expected = clone(model).fit(X, rates, WEIGHTS)
    assert 10 < fitted.n_iter_ == expected.n_iter_ < 100
    assert fitted.converged_


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


# Rows that do not count, and numbers far away


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("normalize_y", [True, False])
@pytest.mark.parametrize("target", [y, Y], ids=["one output", "two outputs"])
@pytest.mark.parametrize("loss", LOSSES)
def test_a_number_of_weight_zero_changes_nothing(client, loss, target, normalize_y, dtype):
    """Also where no row of a partition has weight."""
    weights = WEIGHTS.copy()
    weights[:80] = 0.0
    moved = target.copy()
    moved[weights == 0.0] = -1e200
    model = regressor(loss=loss, normalize_y=normalize_y)
    rows = X.astype(dtype)
    found, expected = (
        DaskBackpropMLPRegressor(model).fit(
            *parts(rows, numbers, weights),
            **dict(
                zip(
                    ["X_val", "y_val", "sample_weight_val"],
                    parts(rows, numbers, weights),
                    strict=True,
                )
            ),
        )
        for numbers in (moved, target)
    )
    for W, other in zip(found.coefs_, expected.coefs_, strict=True):
        np.testing.assert_array_equal(W, other)
    np.testing.assert_array_equal(found.y_scale_, expected.y_scale_)
    assert found.validation_scores_ == expected.validation_scores_
    assert found.cost(*parts(rows, moved, weights)) == expected.cost(*parts(rows, target, weights))
    assert found.score(*parts(X, moved, weights)) == expected.score(*parts(X, target, weights))


@pytest.mark.parametrize("shift", [1e3, 1e7, 1e12])
def test_the_score_is_r2_wherever_y_lies(client, shift):
    fitted = DaskBackpropMLPRegressor(regressor()).fit(*parts(X, Y))
    expected = r2_score(Y + shift, fitted.to_local().predict(X), sample_weight=WEIGHTS)
    assert fitted.score(*parts(X, Y + shift, WEIGHTS)) == pytest.approx(expected, rel=1e-6)


def with_numbers(first, second):
    numbers = y.copy()
    numbers[:2] = first, second
    return numbers


SCORED = {
    "constant": np.full(len(y), 100.0),
    "an output that is constant": np.column_stack([y, np.ones(len(y))]),
    "zero and below": with_numbers(0.0, -1.0),
    "far away": with_numbers(1e25, 3.0),
    "the largest numbers": with_numbers(1.7e308, -1.7e308),
    "tiny": 1e-100 * y,
    "integers": y.astype(int),
    "a column": y[:, np.newaxis],
}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("target", SCORED.values(), ids=list(SCORED))
def test_any_numbers_are_scored_as_in_memory(client, target, loss, dtype):
    """Also those that the loss can't be trained on, or not in this precision."""
    trained = Y - 1e9 if target.shape[1:] == (2,) else y
    rows = X.astype(dtype)
    fitted = DaskBackpropMLPRegressor(regressor(loss=loss)).fit(*parts(rows, np.abs(trained) + 1))
    expected = fitted.to_local().score(rows, target, WEIGHTS)
    assert fitted.score(*parts(rows, target, WEIGHTS)) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("numbers", [[7.0, 7.0], [7.0, 8.0]])
def test_two_rows_are_scored_as_in_memory(client, numbers):
    fitted = DaskBackpropMLPRegressor(regressor()).fit(*parts(X, y))
    expected = fitted.to_local().score(X[:2], np.array(numbers))
    rows = (chunked(array, 1) for array in (X[:2], np.array(numbers)))
    assert fitted.score(*rows) == pytest.approx(expected, rel=1e-9)


def test_numbers_that_are_predicted_exactly_score_one(client):
    fitted = DaskBackpropMLPRegressor(regressor()).fit(*parts(X, y))
    assert fitted.score(*parts(X, fitted.to_local().predict(X))) == 1.0
    same = np.tile(X[:1], (4, 1))
    rows = (chunked(array, 2) for array in (same, fitted.to_local().predict(same)))
    assert fitted.score(*rows) == 1.0


@pytest.mark.parametrize("weights", [np.r_[1.0, 0.0, 0.0], None], ids=["of weight", "at all"])
def test_one_row_has_no_score(client, weights):
    fitted = DaskBackpropMLPRegressor(regressor()).fit(*parts(X, y))
    n = 1 if weights is None else 3
    arrays = [X[:n], y[:n]] if weights is None else [X[:n], y[:n], weights]
    for score in (
        lambda: fitted.score(*(chunked(array, 2) for array in arrays)),
        lambda: fitted.to_local().score(*arrays),
    ):
        with pytest.warns(UndefinedMetricWarning, match="less than two samples"):
            assert np.isnan(score())


def test_other_outputs_than_those_of_training_are_refused(client):
    fitted = DaskBackpropMLPRegressor(regressor()).fit(*parts(X, y))
    with pytest.raises(ValueError, match="as many outputs as in training: 1; got 2"):
        fitted.score(*parts(X, Y))


@pytest.mark.parametrize("magnitude", [1e-200, 1e200])
def test_y_may_be_of_any_magnitude(client, magnitude):
    target = y.copy()
    target[:80] = 7.0
    fitted = DaskBackpropMLPRegressor(regressor()).fit(*parts(X, magnitude * target))
    assert fitted.y_scale_[0] == pytest.approx(magnitude * target.std(), rel=1e-12)


def test_predictions_in_float32_keep_the_digits_of_y(client):
    rows = X.astype(np.float32)
    fitted = DaskBackpropMLPRegressor(regressor()).fit(*parts(rows, 1e8 + y))
    predicted = fitted.predict(chunked(rows, 80, 120))
    assert predicted.dtype == predicted.compute().dtype == np.float64
    expected = regressor().fit(rows, y).predict(rows)
    np.testing.assert_allclose(predicted.compute() - 1e8, expected, atol=1e-2 * y.std())


def test_no_weight_at_all_is_refused(client):
    with pytest.raises(ValueError, match="sum above 0"):
        DaskBackpropMLPRegressor(regressor()).fit(*parts(X, y, np.zeros(len(y))))


# Errors


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("X_val", X[:, :2], "X_val has 2 features"),
        ("X_val", np.where(X > 1.0, np.nan, X), "Input X_val contains NaN"),
        ("y_val", np.where(y > 100.0, np.nan, y), "Input y_val contains NaN"),
        ("y_val", Y, "y_val must be of shape"),
        ("y_val", y[:100], "y_val must have 300 rows, as X_val has; got 100"),
        ("sample_weight_val", -np.ones(len(y)), "`sample_weight_val`"),
    ],
)
def test_errors_name_the_validation_rows(client, name, value, said):
    given = dict(zip(["X_val", "y_val"], parts(X, y), strict=True)) | {name: chunked(value, 80)}
    if name == "X_val":
        given["y_val"] = chunked(y, 80)
    with pytest.raises(ValueError, match=said):
        DaskBackpropMLPRegressor(regressor()).fit(*parts(X, y), **given)


def test_data_in_memory_are_sent_to_the_plain_estimators(client):
    with pytest.raises(TypeError, match="use BackpropMLPClassifier or BackpropMLPRegressor"):
        DaskBackpropMLPRegressor(regressor()).fit(X, y)


def test_a_warm_start_leaves_the_random_state_of_the_user(client):
    rng = np.random.RandomState(0)
    model = DaskBackpropMLPRegressor(regressor(warm_start=True, random_state=rng))
    before = rng.get_state()[1].copy()
    for _ in range(2):
        model.fit(*parts(X, y))
        np.testing.assert_array_equal(rng.get_state()[1], before)
        assert rng.get_state()[2] == np.random.RandomState(0).get_state()[2]
