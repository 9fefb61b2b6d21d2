"""Tables as they come: columns of every kind, or a refusal that names the column."""

import datetime
import pickle

import numpy as np
import pandas as pd
import pytest
import sklearn
from scipy.sparse import csr_matrix
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.utils.fixes import parse_version

from backprop_mlp import (
    BackpropMLPClassifier,
    BackpropMLPRegressor,
    make_tabular_classifier,
    make_tabular_regressor,
)

N = 80
RNG = np.random.default_rng(0)
NUMBERS = RNG.normal(size=N)
COLOURS = RNG.choice(["red", "green", "blue"], N)
Y = np.where(NUMBERS + 2.0 * (COLOURS == "red") > 0.5, "yes", "no")


def with_gaps(values, every=5):
    return [None if row % every == 0 else value for row, value in enumerate(values)]


FRAME = pd.DataFrame(
    {
        "number": NUMBERS,
        "count": RNG.integers(0, 9, N),
        "gaps": with_gaps(NUMBERS),
        "constant": np.ones(N),
        "flag": NUMBERS > 0.0,
        "colour": COLOURS,
        "category": pd.Categorical(with_gaps(COLOURS)),
        "id": [f"row {row}" for row in range(N)],
        "empty": np.full(N, np.nan),
        "nullable": pd.array(with_gaps(range(N)), dtype="Int64"),
        "nullable flag": pd.array(with_gaps(NUMBERS > 0.0), dtype="boolean"),
        "nullable text": pd.array(with_gaps(COLOURS), dtype="string"),
        "mixture": pd.Series([1, "a", None, 2.5] * (N // 4), dtype=object),
    }
)


def model(**params):
    network = BackpropMLPClassifier(8, max_iter=20)
    return make_tabular_classifier(
        **{"estimator": network, "n_folds": 2, "random_state": 0} | params
    )


@pytest.fixture(scope="module")
def fitted():
    return model().fit(FRAME, Y)


def test_a_frame_with_columns_of_every_kind_fits_without_preparation(fitted):
    assert fitted.score(FRAME, Y) > 0.9
    np.testing.assert_array_equal(fitted.classes_, ["no", "yes"])
    np.testing.assert_allclose(fitted.predict_proba(FRAME).sum(axis=1), 1.0, rtol=1e-6)


def test_every_column_becomes_what_its_name_says(fitted):
    names = fitted["columns"].get_feature_names_out().tolist()
    assert {"number", "gaps", "missingindicator_gaps", "flag", "nullable"} <= set(names)
    assert {"colour_red", "category_missing", "mixture_a", "mixture_1"} <= set(names)
    # No value of "id" is there twice.
    assert [name for name in names if name.startswith("id")] == ["id_infrequent_sklearn"]


def test_rows_of_another_kind_are_predicted(fitted):
    new = FRAME.head(3).assign(colour=["violet", None, "red"], number=[np.nan, 1.0, 1e9])
    assert np.isfinite(fitted.predict_proba(new)).all()


def test_columns_are_found_by_their_names(fitted):
    shuffled = FRAME[FRAME.columns[::-1]]
    np.testing.assert_array_equal(fitted.predict_proba(shuffled), fitted.predict_proba(FRAME))


@pytest.mark.skipif(
    parse_version(sklearn.__version__) < parse_version("1.8"),
    reason="older versions of scikit-learn do not know the columns of every version of polars",
)
def test_polars_fits_as_pandas_does():
    pl = pytest.importorskip("polars", reason="polars comes with the extra test")
    plain = FRAME[["number", "count", "gaps", "constant", "flag", "colour"]]
    columns = {name: values.tolist() for name, values in plain.items()}
    columns["gaps"] = with_gaps(NUMBERS)
    polars = pl.DataFrame(columns).with_columns(pl.col("colour").cast(pl.Categorical))
    expected = model().fit(plain, Y).predict_proba(plain)
    np.testing.assert_array_equal(model().fit(polars, Y).predict_proba(polars), expected)


def test_polars_dates_are_refused_by_name():
    pl = pytest.importorskip("polars", reason="polars comes with the extra test")
    for values in ([datetime.date(2020, 1, 1)] * N, [[1, 2]] * N):
        with pytest.raises(ValueError, match="Column 'when' must hold numbers or categories"):
            model().fit(pl.DataFrame({"x": NUMBERS.tolist(), "when": values}), Y)


@pytest.mark.parametrize(
    "values",
    [
        pd.date_range("2020-01-01", periods=N),
        pd.date_range("2020-01-01", periods=N, tz="UTC"),
        pd.period_range("2020-01", periods=N, freq="M"),
        pd.to_timedelta(range(N), unit="D"),
        pd.Series([datetime.date(2020, 1, 1)] * N, dtype=object),
        pd.Series([[1, 2]] * N),
        NUMBERS * 1j,
    ],
    ids=["dates", "zone", "periods", "durations", "objects", "lists", "complex"],
)
def test_what_is_neither_number_nor_category_is_refused_by_name(values):
    with pytest.raises(ValueError, match="Column 'when' must hold numbers or categories; got"):
        model().fit(FRAME.assign(when=values), Y)


def test_infinity_is_refused_by_name():
    with pytest.raises(ValueError, match="Column 'number' must hold finite numbers"):
        model().fit(FRAME.assign(number=np.inf), Y)


def test_a_number_that_becomes_a_word_is_refused_by_name(fitted):
    with pytest.raises(ValueError, match="Column 'number' must hold numbers, as in training"):
        fitted.predict(FRAME.assign(number="many"))


@pytest.mark.parametrize(
    "X",
    [np.column_stack([NUMBERS, NUMBERS**2]), FRAME[["number", "colour"]].to_numpy(dtype=object)],
    ids=["floats", "objects"],
)
def test_arrays_fit(X):
    assert model().fit(X, Y).score(X, Y) > 0.6


def test_sparse_rows_are_refused():
    with pytest.raises(TypeError, match="a dense array; got a sparse matrix"):
        model().fit(csr_matrix(NUMBERS[:, np.newaxis]), Y)


def test_both_sets_of_networks_vote(fitted):
    Z = fitted[:-1].transform(FRAME)
    members = fitted["networks"].estimators_
    expected = np.mean([member.predict_proba(Z) for member in members], axis=0)
    np.testing.assert_allclose(fitted.predict_proba(FRAME), expected, rtol=1e-6)


def test_steps_can_be_replaced():
    plain = model().set_params(networks__ramps="drop").fit(FRAME, Y)
    assert len(plain["networks"].estimators_) == 1
    assert plain.score(FRAME, Y) > 0.9


def test_the_same_seed_gives_the_same_model(fitted):
    again = clone(fitted).fit(FRAME, Y)
    np.testing.assert_array_equal(again.predict_proba(FRAME), fitted.predict_proba(FRAME))
    parallel = model(n_jobs=2).fit(FRAME, Y)
    np.testing.assert_array_equal(parallel.predict_proba(FRAME), fitted.predict_proba(FRAME))


def test_a_pickle_predicts_the_same(fitted):
    again = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(again.predict_proba(FRAME), fitted.predict_proba(FRAME))


# Weights


NOISE = pd.DataFrame({"number": NUMBERS})


@pytest.mark.parametrize("labels", [(1, 2), ("no", "yes"), (0, 1), (2.0, -1.0)], ids=str)
@pytest.mark.parametrize("heavy", [0, 1])
@pytest.mark.parametrize("given", ["made with", "set later"])
def test_class_weights_name_the_labels(labels, heavy, given):
    y = np.resize(labels, N)
    weights = {labels[heavy]: 50.0}
    if given == "made with":
        weighed = model(estimator=BackpropMLPClassifier(3, max_iter=20, class_weight=weights))
    else:
        weighed = model().set_params(
            networks__plain__estimator__class_weight=weights,
            networks__ramps__networks__estimator__class_weight=weights,
        )
    before = weighed.get_params()
    assert set(weighed.fit(NOISE, y).predict(NOISE)) == {labels[heavy]}
    assert weighed.get_params()["networks__plain__estimator__class_weight"] == weights
    assert weighed.get_params().keys() == before.keys()


def test_class_weights_of_other_labels_are_refused():
    network = BackpropMLPClassifier(3, max_iter=20, class_weight={"maybe": 2.0})
    with pytest.raises(ValueError, match=r"class_weight names labels .*'no' 'yes'.*'maybe'"):
        model(estimator=network).fit(FRAME, Y)


def test_class_weights_of_words_are_those_of_their_codes():
    words, codes = {"yes": 3.0, "no": 0.5}, {1: 3.0, 0: 0.5}
    expected = model(estimator=BackpropMLPClassifier(3, max_iter=20, class_weight=codes))
    weighed = model(estimator=BackpropMLPClassifier(3, max_iter=20, class_weight=words))
    np.testing.assert_array_equal(
        weighed.fit(FRAME, Y).predict_proba(FRAME),
        expected.fit(FRAME, (Y == "yes").astype(int)).predict_proba(FRAME),
    )


def test_a_fit_that_fails_leaves_the_voters_as_they_were():
    voters = clone(model()["networks"]).fit(NUMBERS[:, np.newaxis], Y)
    before = dict(vars(voters))
    with pytest.raises(ValueError, match="class_weight"):
        voters.set_params(plain__estimator__class_weight={3: 1.0}).fit(NUMBERS[:, np.newaxis], Y)
    assert vars(voters) == before


@pytest.mark.parametrize(
    ("params", "kind", "message"),
    [
        ({"n_folds": 1}, ValueError, "n_folds must be an integer >= 2; got 1"),
        ({"n_folds": 2.5}, ValueError, "n_folds must be an integer >= 2; got 2.5"),
        ({"estimator": LogisticRegression()}, TypeError, "estimator must be a BackpropMLPClass"),
        ({"random_state": "seed"}, ValueError, "seed"),
    ],
)
def test_wrong_arguments_are_named(params, kind, message):
    with pytest.raises(kind, match=message):
        make_tabular_classifier(**params)


# Numbers to predict


RENT = 500.0 + 100.0 * NUMBERS + 300.0 * (COLOURS == "red")


def regressor(**params):
    network = BackpropMLPRegressor(8, max_iter=40)
    return make_tabular_regressor(
        **{"estimator": network, "n_folds": 2, "random_state": 0} | params
    )


def test_a_regressor_takes_the_same_frame():
    fitted = regressor().fit(FRAME, RENT)
    assert fitted.score(FRAME, RENT) > 0.9
    Z = fitted[:-1].transform(FRAME)
    members = fitted["networks"].estimators_
    expected = np.mean([member.predict(Z) for member in members], axis=0)
    np.testing.assert_allclose(fitted.predict(FRAME), expected, rtol=1e-6)


def test_a_regressor_refuses_dates_by_name():
    with pytest.raises(ValueError, match="Column 'when' must hold numbers or categories"):
        regressor().fit(FRAME.assign(when=pd.date_range("2020-01-01", periods=N)), RENT)


def test_the_units_of_y_do_not_matter():
    fitted, scaled = regressor().fit(FRAME, RENT), regressor().fit(FRAME, RENT / 1024.0)
    np.testing.assert_allclose(scaled.predict(FRAME) * 1024.0, fitted.predict(FRAME), rtol=1e-4)


def test_a_classifier_is_no_regressor():
    with pytest.raises(TypeError, match="estimator must be a BackpropMLPRegressor or None"):
        make_tabular_regressor(estimator=BackpropMLPClassifier())
