"""Tables as they come: columns of every kind, or a refusal that names the column."""

import datetime
import pickle
import re
import warnings
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
import sklearn
from scipy.sparse import csr_matrix
from sklearn.base import clone
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, GroupKFold, KFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.fixes import parse_version

from backprop_mlp import (
    BackpropMLPClassifier,
    BackpropMLPRegressor,
    make_tabular_classifier,
    make_tabular_regressor,
)
from backprop_mlp._estimator.columns import floats_of
from backprop_mlp._estimator.rare_categories import categories_of_training

# FRAME has such a column, and says nothing else.
pytestmark = pytest.mark.filterwarnings("ignore:Most rows of column:UserWarning")

N = 80
RNG = np.random.default_rng(0)
NUMBERS = RNG.normal(size=N)
COLOURS = RNG.choice(["red", "green", "blue"], N)
Y = np.where(NUMBERS + 2.0 * (COLOURS == "red") > 0.5, "yes", "no")
RENT = 500.0 + 100.0 * NUMBERS + 300.0 * (COLOURS == "red")
DATES = pd.date_range("2020-01-01", periods=N)

KNOWS_POLARS = pytest.mark.skipif(
    parse_version(sklearn.__version__) < parse_version("1.8"),
    reason="older versions of scikit-learn do not know the columns of every version of polars",
)


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


def columns_of(frame):
    """The first step of the pipeline, fitted."""
    return make_tabular_classifier()["columns"].fit(frame)


def model(**params):
    network = BackpropMLPClassifier(8, max_iter=5)
    return make_tabular_classifier(
        **{"estimator": network, "n_folds": 2, "random_state": 0} | params
    )


@pytest.fixture(scope="module")
def fitted():
    return model().fit(FRAME, Y)


def with_one_alpha(**params):
    """Less to train, where it is the table that matters."""
    return model(**params).set_params(
        networks__plain__alphas=[1.0], networks__ramps__networks__alphas=[1.0]
    )


def test_a_frame_with_columns_of_every_kind_fits_without_preparation(fitted):
    assert fitted.score(FRAME, Y) > 0.9
    np.testing.assert_array_equal(fitted.classes_, ["no", "yes"])
    np.testing.assert_allclose(fitted.predict_proba(FRAME).sum(axis=1), 1.0, rtol=1e-6)


def test_every_column_becomes_what_its_name_says(fitted):
    names = fitted["columns"].get_feature_names_out().tolist()
    numbers = [name.removeprefix("numbers__") for name in names if name.startswith("numbers__")]
    assert numbers[:5] == ["number", "count", "gaps", "constant", "flag"]
    assert {"nullable", "nullable flag"} < set(numbers)
    gaps = [name.removeprefix("gaps__") for name in names if name.startswith("gaps__")]
    with_gap = ("gaps", "empty", "nullable", "nullable flag")
    assert gaps == [f"missingindicator_{name}" for name in with_gap]
    words = [name.removeprefix("categories__") for name in names[len(numbers) + len(gaps) :]]
    assert {"colour='red'", "category is missing", "mixture='a'", "mixture='1'"} < set(words)
    # No value of "id" is there twice.
    assert [name for name in words if name.startswith("id")] == ["id='infrequent_sklearn'"]


def test_the_networks_see_standardised_columns_in_float32(fitted):
    Z = fitted[:-1].transform(FRAME)
    assert Z.dtype == np.float32
    np.testing.assert_allclose(Z.mean(axis=0), 0.0, atol=1e-6)
    std = Z.std(axis=0)
    np.testing.assert_allclose(std[std > 0.0], 1.0, rtol=1e-5)


def test_rows_of_another_kind_are_predicted(fitted):
    new = FRAME.head(3).assign(colour=["violet", None, "red"], number=[np.nan, 1.0, 1e9])
    assert np.isfinite(fitted.predict_proba(new)).all()


def test_columns_are_found_by_their_names(fitted):
    shuffled = FRAME[FRAME.columns[::-1]]
    np.testing.assert_array_equal(fitted.predict_proba(shuffled), fitted.predict_proba(FRAME))


@pytest.mark.parametrize(
    "labels",
    [
        [2, 0, 1],
        [1, 2, 3],
        [10, 20, 30],
        [0.5, 1.5, 2.5],
        pd.MultiIndex.from_product([["a"], ["b", "c", "d"]]),
    ],
    ids=["shuffled", "from 1", "tens", "floats", "tuples"],
)
def test_labels_that_are_no_strings_are_not_taken_for_positions(labels):
    digits = np.resize(["1", "2", "3", "4"], N)
    columns = {"digits": digits, "number": NUMBERS, "colour": COLOURS}
    expected = columns_of(pd.DataFrame(columns))
    frame = pd.DataFrame(columns).set_axis(labels, axis=1)
    prepared = columns_of(frame)
    positions = {part: places for part, _, places in prepared.transformers_}
    assert positions == {"numbers": [1], "gaps": [1], "categories": [0, 2]}
    np.testing.assert_array_equal(
        prepared.transform(frame), expected.transform(pd.DataFrame(columns))
    )


def test_what_is_left_after_a_column_was_taken_out_fits():
    frame = pd.DataFrame(np.column_stack([RENT, NUMBERS, NUMBERS**2]))
    rent = frame.pop(0)
    assert regressor().fit(frame, rent).predict(frame).shape == (N,)


def test_a_name_that_is_there_twice_is_said():
    frame = pd.DataFrame(np.column_stack([NUMBERS, NUMBERS]), columns=["a", "a"])
    with pytest.raises(
        Exception, match=r"unique column names[^|]*'a' 2 times|each column; got 'a'"
    ):
        model().fit(frame, Y)


@KNOWS_POLARS
def test_polars_fits_as_pandas_does():
    pl = pytest.importorskip("polars", reason="polars comes with the extra test")
    plain = FRAME[["number", "count", "gaps", "constant", "flag", "colour"]]
    columns = {name: values.tolist() for name, values in plain.items()}
    columns["gaps"] = with_gaps(NUMBERS)
    polars = pl.DataFrame(columns).with_columns(pl.col("colour").cast(pl.Categorical))
    expected = with_one_alpha().fit(plain, Y).predict_proba(plain)
    fitted = with_one_alpha().fit(polars, Y)
    np.testing.assert_array_equal(fitted.predict_proba(polars), expected)


def test_polars_dates_are_refused_by_name():
    pl = pytest.importorskip("polars", reason="polars comes with the extra test")
    for values in ([datetime.date(2020, 1, 1)] * N, [[1, 2]] * N):
        with pytest.raises(ValueError, match="Column 'when' must hold numbers or categories"):
            model().fit(pl.DataFrame({"x": NUMBERS.tolist(), "when": values}), Y)


def objects(values):
    return pd.Series(list(values), dtype=object)


NEITHER = {
    "dates": DATES,
    "zone": pd.date_range("2020-01-01", periods=N, tz="UTC"),
    "periods": pd.period_range("2020-01", periods=N, freq="M"),
    "no periods": pd.PeriodIndex([pd.NaT] * N, freq="M"),
    "durations": pd.to_timedelta(range(N), unit="D"),
    "no durations": pd.to_timedelta([pd.NaT] * N),
    "intervals": pd.interval_range(DATES[0], periods=N, freq="D"),
    "objects": objects([datetime.date(2020, 1, 1)] * N),
    "dates with gaps": objects(with_gaps(DATES)),
    "objects of periods": objects(pd.period_range("2020-01", periods=N, freq="M")),
    "times": objects([datetime.time(12)] * N),
    "objects of durations": objects([datetime.timedelta(1)] * N),
    "durations of numpy among words": objects([np.timedelta64(1, "D"), "a"] * (N // 2)),
    "categories of dates": pd.Categorical(DATES),
    "lists": objects([[1, 2]] * N),
    "arrays": objects([np.arange(2)] * N),
    "arrays of one": objects([np.arange(1)] * N),
    "series": objects([pd.Series([1, 2])] * N),
    "sets among words": objects([frozenset({1}), "a"] * (N // 2)),
    "complex": NUMBERS * 1j,
    "objects of complex": objects(NUMBERS * 1j),
}
NEITHERS = pytest.mark.parametrize("values", NEITHER.values(), ids=NEITHER)


@NEITHERS
def test_what_is_neither_number_nor_category_is_refused_by_name(values):
    with pytest.raises(ValueError, match="Column 'when' must hold numbers or categories; got"):
        model().fit(FRAME.assign(when=values), Y)


@pytest.fixture(scope="module")
def of_two_columns():
    return with_one_alpha().fit(FRAME[["number", "colour"]], Y)


@pytest.mark.parametrize("column", ["number", "colour"])
@NEITHERS
def test_what_is_neither_number_nor_category_is_refused_at_a_prediction_too(
    values, column, of_two_columns
):
    with pytest.raises(ValueError, match=f"Column '{column}' must hold numbers"):
        of_two_columns.predict(FRAME.assign(**{column: values}))


ARROW = {
    "time": [datetime.time(12)] * N,
    "date": [datetime.date(2020, 1, 1)] * N,
    "duration": [datetime.timedelta(1)] * N,
    "list": [[1, 2]] * N,
    "struct": [{"a": 1}] * N,
}


@pytest.mark.parametrize("values", ARROW.values(), ids=ARROW)
def test_arrow_columns_are_refused_as_others_are(values):
    pa = pytest.importorskip(
        "pyarrow", reason="pyarrow comes with the extra test", exc_type=ImportError
    )
    column = pd.arrays.ArrowExtensionArray(pa.array(values))
    with pytest.raises(ValueError, match="Column 'when' must hold numbers or categories; got"):
        model().fit(FRAME.assign(when=column), Y)


GAPPY = {
    "Int64": with_gaps([2**53 + 2 * row for row in range(N)]),
    "Float64": with_gaps(NUMBERS.tolist()),
    "boolean": with_gaps([row % 3 == 0 for row in range(N)]),
}


@pytest.mark.parametrize("library", ["pandas", "arrow", "polars"])
@pytest.mark.parametrize("kind", GAPPY)
def test_declared_numbers_are_the_floats_of_their_entries(kind, library):
    values = GAPPY[kind]
    if library == "polars":
        pl = pytest.importorskip("polars")
        frame = pl.DataFrame({"a": pl.Series(values, strict=False)})
    elif library == "arrow":
        pa = pytest.importorskip("pyarrow", reason="as above", exc_type=ImportError)
        frame = pd.DataFrame({"a": pd.arrays.ArrowExtensionArray(pa.array(values))})
    else:
        frame = pd.DataFrame({"a": pd.array(values, dtype=kind)})
    expected = [[np.nan if value is None else float(value)] for value in values]
    np.testing.assert_array_equal(floats_of(frame), expected)


@pytest.mark.parametrize("kind", [Decimal, Fraction, np.float32, "arrow"], ids=str)
def test_numbers_of_other_kinds_are_numbers(kind):
    counts = with_gaps([row % 7 for row in range(N)])
    if kind == "arrow":
        pa = pytest.importorskip("pyarrow", reason="as above", exc_type=ImportError)
        decimals = [None if count is None else Decimal(count) for count in counts]
        values = pd.arrays.ArrowExtensionArray(pa.array(decimals))
    else:
        values = objects(None if count is None else kind(count) for count in counts)
    frame = pd.DataFrame({"count": values})
    expected = columns_of(pd.DataFrame({"count": counts})).transform(
        pd.DataFrame({"count": counts})
    )
    np.testing.assert_array_equal(columns_of(frame).transform(frame), expected)


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (objects([None, np.nan, pd.NA, pd.NaT] * (N // 4)), "categories"),
        (np.full(N, np.nan), "numbers"),
        (pd.array([None] * N, dtype="Int64"), "numbers"),
        (objects(["a", pd.NaT, None, "b"] * (N // 4)), "categories"),
        (pd.array([None] * N, dtype="string"), "categories"),
        (pd.Categorical([None] * N), "categories"),
        (pd.Categorical([1, 2] * (N // 2)), "categories"),
        (pd.cut(NUMBERS, 3), "categories"),
        (objects([b"a", b"b"] * (N // 2)), "categories"),
        (objects([np.True_, None, np.False_, True] * (N // 4)), "numbers"),
    ],
    ids=[
        "gaps",
        "gaps of floats",
        "gaps of integers",
        "NaT in words",
        "string",
        "empty category",
        "codes",
        "intervals",
        "bytes",
        "truths",
    ],
)
def test_a_column_is_what_its_dtype_or_its_values_say(values, kind):
    names = columns_of(pd.DataFrame({"x": values})).get_feature_names_out()
    assert {name.split("__")[0] for name in names} - {"gaps"} == {kind}


def test_an_empty_arrow_column_of_decimals_holds_numbers():
    pa = pytest.importorskip("pyarrow", reason="as above", exc_type=ImportError)
    values = pd.arrays.ArrowExtensionArray(pa.array([None] * N, pa.decimal128(9, 2)))
    names = columns_of(pd.DataFrame({"x": values})).get_feature_names_out()
    assert names.tolist() == ["numbers__x", "gaps__missingindicator_x"]


@pytest.mark.parametrize("known", [[Decimal(1), Decimal(2)], ["a", Decimal(2)]], ids=str)
def test_a_signalling_nan_is_a_gap_as_any_other(known):
    gaps, signals = (
        pd.DataFrame({"x": objects([*known, gap] * 9)}) for gap in (None, Decimal("sNaN"))
    )
    prepared = columns_of(signals)
    np.testing.assert_array_equal(
        prepared.get_feature_names_out(), columns_of(gaps).get_feature_names_out()
    )
    np.testing.assert_array_equal(prepared.transform(signals), prepared.transform(gaps))


def test_integers_among_categories_are_the_same_with_gaps_which_make_floats_of_them():
    codes = np.resize([1, 2, 3, 40], N)
    prepared = columns_of(pd.DataFrame({"code": pd.Categorical(codes)}))
    expected = prepared.transform(pd.DataFrame({"code": pd.Categorical(codes)}))
    for values in (pd.Categorical(codes.astype(float)), codes.astype(str), codes.astype("f4")):
        np.testing.assert_array_equal(prepared.transform(pd.DataFrame({"code": values})), expected)


@pytest.mark.parametrize("word", ["missing", "None", "nan", "<NA>"])
def test_no_word_is_taken_for_a_missing_value(word):
    frame = pd.DataFrame({"x": [word, None, "a", "b"] * 5})
    Z = columns_of(frame).transform(frame)
    assert Z.shape == (20, 4)
    np.testing.assert_array_equal(Z.sum(axis=0), 5.0)


# Names of columns


CLASHES = pd.DataFrame(
    {
        "a": np.resize(["b", "b_c", "missing", None], N),
        "a_b": np.resize(["c", "is missing", None], N),
        "a_b_c": NUMBERS,
        "a='b'": with_gaps(NUMBERS),
        "missingindicator_a='b'": NUMBERS,
        "a is missing": COLOURS,
    }
)


def test_no_name_is_there_twice():
    prepared = columns_of(CLASHES)
    names = prepared.get_feature_names_out().tolist()
    assert len(set(names)) == len(names) == prepared.transform(CLASHES).shape[1]


@pytest.mark.parametrize("library", ["pandas", pytest.param("polars", marks=KNOWS_POLARS)])
def test_every_step_can_give_frames(library):
    pytest.importorskip(library, reason="polars comes with the extra test")
    named = with_one_alpha().set_output(transform=library).fit(CLASHES, Y)
    plain = with_one_alpha().fit(CLASHES, Y)
    prepared = named[:-1].transform(CLASHES)
    assert list(prepared.columns) == named[:-1].get_feature_names_out().tolist()
    expected = plain[:-1].transform(CLASHES)
    np.testing.assert_allclose(prepared.to_numpy(), expected, rtol=1e-6, atol=1e-6)
    np.testing.assert_array_equal(named.predict(CLASHES), plain.predict(CLASHES))


# Columns that do not vary in training


SILENT = {
    "number": (np.full(N, 2023.0), 20240.0),
    "number with rounding": (1e9 + 1e-7 * np.arange(N), 2e9),
    "flag": (np.ones(N, dtype=bool), False),
    "empty": (np.full(N, np.nan), 50_000.0),
    "empty objects": (objects([None] * N), 50_000.0),
    "empty objects, then words": (objects([None] * N), "words"),
    "empty objects, then both": (objects([np.nan] * N), objects([1.5, "words"] * (N // 2))),
    "category": (np.full(N, "only"), "another"),
    "missing category": (pd.array([None] * N, dtype="string"), "known"),
}


@pytest.mark.parametrize(("then", "later"), SILENT.values(), ids=SILENT)
@pytest.mark.parametrize("kind", ["classes", "numbers"])
def test_a_column_that_does_not_vary_in_training_says_nothing_later(then, later, kind):
    made, y, method = (
        (with_one_alpha(), Y, "predict_proba")
        if kind == "classes"
        else (regressor(), RENT, "predict")
    )
    table = FRAME[["number", "colour"]].assign(silent=then)
    predict = getattr(made.fit(table, y), method)
    np.testing.assert_array_equal(predict(table.assign(silent=later)), predict(table))


LATE = [None] * 54 + ["note", "other"] * 13


@pytest.mark.parametrize(
    "container",
    [
        objects,
        lambda values: pd.array(values, dtype="string"),
        pytest.param("polars", marks=KNOWS_POLARS),
        "array",
    ],
    ids=["objects", "strings", "polars", "array"],
)
def test_words_that_only_the_last_rows_have_stop_no_fold(container):
    frame = pd.DataFrame({"number": NUMBERS})
    if container == "polars":
        pl = pytest.importorskip("polars", reason="polars comes with the extra test")
        frame = pl.DataFrame({"number": NUMBERS, "note": LATE})
    elif container == "array":
        frame = np.column_stack([NUMBERS.astype(object), np.array(LATE, dtype=object)])
    else:
        frame["note"] = container(LATE)
    scores = cross_val_score(with_one_alpha(), frame, Y, cv=KFold(3), error_score="raise")
    assert (scores > 0.6).all()


@KNOWS_POLARS
def test_a_null_column_of_polars_is_ignored_whatever_comes_later():
    pl = pytest.importorskip("polars", reason="polars comes with the extra test")
    frame = pl.DataFrame({"number": NUMBERS, "note": [None] * N})
    fitted = with_one_alpha().fit(frame, Y)
    expected = fitted.predict_proba(frame)
    for later in (pl.lit("word"), pl.lit(3), pl.lit(2.5)):
        np.testing.assert_array_equal(
            fitted.predict_proba(frame.with_columns(note=later)), expected
        )


def test_words_in_a_column_of_one_number_are_refused_by_name():
    fitted = with_one_alpha().fit(FRAME[["number", "constant", "empty"]], Y)
    for name in ("constant", "empty"):
        with pytest.raises(ValueError, match=f"Column '{name}' must hold numbers, as in training"):
            fitted.predict(FRAME.assign(**{name: "word"}))


def test_a_table_of_such_columns_alone_fits():
    table = pd.DataFrame({name: then for name, (then, _) in SILENT.items()})
    later = table.assign(number=0.0, category="another")
    fitted = with_one_alpha().fit(table, Y)
    np.testing.assert_array_equal(fitted.predict_proba(later), fitted.predict_proba(table))


def test_columns_that_vary_are_scaled_as_scikit_learn_scales_them(fitted):
    prepared = fitted["columns"].transform(FRAME)
    varies = np.ptp(prepared, axis=0) > 0.0
    expected = StandardScaler().fit_transform(prepared)
    np.testing.assert_array_equal(fitted["scaler"].transform(prepared), expected)
    np.testing.assert_array_equal(np.isfinite(fitted["scaler"].scale_), varies)


def test_columns_may_be_centred_alone():
    model = with_one_alpha().set_params(scaler__with_std=False).fit(FRAME, Y)
    assert model["scaler"].scale_ is None


# Categories most of which are rare


WITH_A_MARK = ["?" if row % 10 == 0 else f"{row}.5" for row in range(N)]
"""Numbers of a file in which gaps are written "?"."""

RARE = {
    "numbers as words": WITH_A_MARK,
    "numbers and words": ["?", *range(N - 1)],
    "dates as words": DATES.strftime("%Y-%m-%d"),
    "two rows each": [f"id {row // 2}" for row in range(N)],
    "declared": pd.Categorical(WITH_A_MARK),
    "just over half": ["frequent"] * (N // 2 - 1) + [f"{row}" for row in range(N // 2 + 1)],
}


def what_is_said_of(table):
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        columns_of(table)
    return [str(warning.message) for warning in said]


@pytest.mark.parametrize("values", RARE.values(), ids=RARE)
def test_a_column_of_mostly_rare_categories_is_named(values):
    (said,) = what_is_said_of(pd.DataFrame({"colour": COLOURS, "words": values}))
    assert said.startswith("Most rows of column 'words' hold categories, such as ")
    assert "pandas.to_numeric(..., errors='coerce')" in said


THREES = [f"value {row // 3}" for row in range(90)]
"""30 categories of three rows."""


@pytest.mark.parametrize(
    ("words", "are_rare"),
    [
        ([f"value {row % 58}" for row in range(3 * 58)], False),
        ([f"value {row % 59}" for row in range(3 * 59)], True),
        ([*THREES, *map(str, range(84))], False),
        ([*THREES, *map(str, range(85))], True),
    ],
    ids=["just half are others", "more are others", "29 of 30 are half", "29 of 30 are less"],
)
def test_categories_beyond_the_29_most_frequent_are_as_rare(words, are_rare):
    said = what_is_said_of(pd.DataFrame({"words": words}))
    assert ["'words'" in message for message in said] == [True] * are_rare


@pytest.mark.parametrize(
    "values",
    [
        COLOURS,
        [None] * N,
        ["frequent"] * (N // 2) + list(range(N // 2)),
        [None, "a", 1, 2] * 20,
        [f"id {row // 3}" for row in range(N)],
        [None] * 10 + [f"id {row}" for row in range(9)],
    ],
    ids=["colours", "empty", "half", "mixture", "three rows each", "mostly gaps"],
)
def test_nothing_is_said_of_columns_with_frequent_categories(values):
    assert not what_is_said_of(pd.DataFrame({"words": pd.Series(values, dtype=object)}))


def test_a_long_text_is_a_short_example_of_rare_categories():
    table = pd.DataFrame({"words": [f"{row} {'word ' * 1000}" for row in range(N)]})
    (said,) = what_is_said_of(table)
    assert "such as '0 word" in said
    assert len(said) < 600


def test_one_warning_names_some_columns_with_rare_categories():
    table = pd.DataFrame(dict.fromkeys("abcdef", WITH_A_MARK))
    (said,) = what_is_said_of(table)
    assert "columns 'a', 'b', 'c' and 3 more" in said
    (said,) = what_is_said_of(table[["a", "b", "c"]])
    assert "columns 'a', 'b', 'c' hold" in said


@pytest.mark.parametrize(
    ("container", "named"),
    [
        (lambda table: table.to_numpy(dtype=object), "column 1"),
        (lambda table: table.set_axis([1, 0], axis=1), "column 0"),
        (
            # `from_pandas` would need Arrow, which may be newer than NumPy.
            lambda table: pytest.importorskip("polars").DataFrame(table.to_dict("list")),
            "column 'words'",
        ),
    ],
    ids=["array", "integers as names", "polars"],
)
def test_columns_with_rare_categories_are_called_as_the_table_calls_them(container, named):
    table = container(pd.DataFrame({"number": NUMBERS, "words": WITH_A_MARK}))
    with pytest.warns(UserWarning, match=f"Most rows of {named} hold"):
        categories_of_training(table)


def test_a_fit_says_once_that_categories_are_rare_and_predictions_say_nothing():
    table = FRAME[["number"]].assign(words=WITH_A_MARK)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        with_one_alpha().fit(table, Y).predict(table)
    assert sum("hold categories" in str(warning.message) for warning in said) == 1


# What a prediction may bring


@pytest.mark.parametrize(("n_values", "n_columns"), [(29, 29), (30, 30), (31, 30), (50, 30)])
def test_a_column_of_categories_becomes_30_columns_at_most(n_values, n_columns):
    frame = pd.DataFrame({"x": [f"value {row % n_values}" for row in range(200)]})
    prepared = columns_of(frame)
    assert prepared.transform(frame).shape == (200, n_columns)
    unseen = prepared.transform(pd.DataFrame({"x": ["unseen"]}))
    # As the others, if there are others than the 29 most frequent.
    assert unseen.sum() == (n_values > 29)


def test_numbers_that_float32_does_not_hold_are_refused_with_their_column(fitted):
    frame = FRAME.assign(count=1e100)
    with pytest.raises(ValueError, match=r"finite in float32 .* column 1 of the scaled ones"):
        fitted.predict(frame)
    named = with_one_alpha().set_output(transform="pandas").fit(FRAME, Y)
    with pytest.raises(ValueError, match="column 'numbers__count' of the scaled ones"):
        named.predict(frame)


@pytest.mark.parametrize("what", ["row", "column"])
def test_no_rows_and_no_columns_are_refused(what, fitted):
    empty = FRAME.iloc[:0] if what == "row" else FRAME[[]]
    for frame in (empty, empty.to_numpy()):
        with pytest.raises(ValueError, match=f"X must have at least one {what}; got none"):
            model().fit(frame, Y[: len(frame)])
    if what == "row":
        with pytest.raises(ValueError, match="X must have at least one row; got none"):
            fitted.predict(empty)


def test_infinity_is_refused_by_name():
    message = r"Column 'number' must hold finite numbers; got infinity\. .* put nan"
    with pytest.raises(ValueError, match=message):
        model().fit(FRAME.assign(number=np.inf), Y)


@pytest.mark.parametrize("value", [1e160, -1e300])
def test_a_number_whose_square_overflows_is_refused_by_name(value, fitted):
    frame = FRAME.assign(number=value * np.abs(NUMBERS))
    for call in (fitted.predict, lambda X: model().fit(X, Y)):
        with pytest.raises(ValueError, match="Column 'number' must hold numbers between"):
            call(frame)


@pytest.mark.parametrize("value", [10**400, Fraction(10**400)], ids=["int", "fraction"])
def test_a_number_that_no_float_can_hold_is_refused_by_name(value, fitted):
    frame = FRAME.assign(number=objects([value, 1] * (N // 2)))
    for call in (fitted.predict, lambda X: model().fit(X, Y), lambda X: regressor().fit(X, RENT)):
        with pytest.raises(ValueError, match="Column 'number' must hold numbers between"):
            call(frame)


def test_a_number_that_becomes_a_word_is_refused_by_name(fitted):
    with pytest.raises(ValueError, match="Column 'number' must hold numbers, as in training"):
        fitted.predict(FRAME.assign(number="many"))


@pytest.mark.parametrize(
    "X",
    [np.column_stack([NUMBERS, NUMBERS**2]), FRAME[["number", "colour"]].to_numpy(dtype=object)],
    ids=["floats", "objects"],
)
def test_arrays_fit(X):
    assert with_one_alpha().fit(X, Y).score(X, Y) > 0.6


def test_sparse_rows_are_refused():
    with pytest.raises(TypeError, match="a dense array; got a sparse matrix"):
        model().fit(csr_matrix(NUMBERS[:, np.newaxis]), Y)


def test_both_sets_of_networks_vote(fitted):
    Z, networks = fitted[:-1].transform(FRAME), fitted["networks"]
    P = [member.predict_proba(Z) for member in networks.estimators_]
    expected = np.average(P, axis=0, weights=networks.weights_)
    np.testing.assert_allclose(fitted.predict_proba(FRAME), expected, rtol=1e-6)


@pytest.mark.parametrize("make", [make_tabular_classifier, make_tabular_regressor])
@pytest.mark.parametrize(("given", "plain", "ramps"), [(None, (64, 32), (100,)), (7, 7, 7)])
def test_each_set_has_layers_of_its_own_unless_an_estimator_is_given(make, given, plain, ramps):
    kind = {
        make_tabular_classifier: BackpropMLPClassifier,
        make_tabular_regressor: BackpropMLPRegressor,
    }[make]
    params = make(estimator=None if given is None else kind(given)).get_params()
    name = "estimator__hidden_layer_sizes"
    assert params[f"networks__plain__{name}"] == plain
    assert params[f"networks__ramps__networks__{name}"] == ramps


@pytest.mark.parametrize("params", [{}, {"weights": [3.0, 1.0]}, {"ramps": "drop"}])
def test_what_they_say_out_of_fold_is_the_mean_of_the_two_as_they_vote(params):
    whole = with_one_alpha()
    networks = whole["networks"].set_params(**params)
    assert not hasattr(networks, "oof_proba_")
    whole.fit(FRAME, Y)
    plain = networks.named_estimators_["plain"].oof_proba_
    if "ramps" in params:
        np.testing.assert_array_equal(networks.oof_proba_, plain)
        return
    ramps = networks.named_estimators_["ramps"][-1].oof_proba_
    share = 0.75 if params else networks.weights_[0]
    np.testing.assert_allclose(networks.oof_proba_, share * plain + (1.0 - share) * ramps)


def test_there_is_nothing_out_of_fold_of_a_voter_that_keeps_nothing():
    whole = with_one_alpha().set_params(networks__ramps=DummyClassifier()).fit(FRAME, Y)
    assert not hasattr(whole["networks"], "oof_proba_")


def test_steps_can_be_replaced():
    plain = with_one_alpha().set_params(networks__ramps="drop").fit(FRAME, Y)
    assert len(plain["networks"].estimators_) == 1
    assert plain.score(FRAME, Y) > 0.9


@pytest.mark.parametrize("error", [LookupError, KeyboardInterrupt])
@pytest.mark.parametrize("method", ["fit", "fit_transform"])
@pytest.mark.parametrize("make", [make_tabular_classifier, make_tabular_regressor])
def test_a_fit_that_fails_leaves_what_was_fitted(make, method, error, monkeypatch):
    def fail(*args):
        raise error

    X = np.random.default_rng(0).normal(size=(40, 2))
    y = (X[:, 0] > 0.0).astype(int)
    table = make(n_folds=2, random_state=0)
    # What a step is made of is fitted in place, too.
    table.set_params(scaler=make_pipeline(StandardScaler())).fit(X, y)
    before = table.predict(X)
    monkeypatch.setattr("backprop_mlp._base_cv.choose_alpha", fail)
    with pytest.raises(error):
        getattr(table, method)(1000.0 + 100.0 * X, y)
    np.testing.assert_array_equal(table.predict(X), before)
    # Steps that are no estimators have nothing to keep.
    with pytest.raises(error):
        table.set_params(float32="passthrough").fit(X, y)


def test_the_same_seed_gives_the_same_model():
    first, again, parallel = (
        with_one_alpha(n_jobs=n_jobs).fit(FRAME, Y).predict_proba(FRAME)
        for n_jobs in (None, None, 2)
    )
    np.testing.assert_array_equal(again, first)
    np.testing.assert_array_equal(parallel, first)


def test_both_sets_have_seeds_of_their_own_drawn_from_random_state():
    seeds = [
        model(random_state=seed).get_params()[f"networks__{name}__random_state"]
        for seed in (0, 1)
        for name in ("plain", "ramps__networks")
    ]
    assert len(set(seeds)) == 4


def test_a_pickle_predicts_the_same(fitted):
    again = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(again.predict_proba(FRAME), fitted.predict_proba(FRAME))


# Weights


NOISE = pd.DataFrame({"number": NUMBERS})


@pytest.mark.parametrize("labels", [(1, 2), ("no", "yes"), (0, 1), (2.0, -1.0)], ids=str)
@pytest.mark.parametrize("heavy", [0, 1])
@pytest.mark.parametrize("given", ["made with", "set later"])
@pytest.mark.parametrize("container", [dict, lambda weights: [weights]], ids=["dict", "list"])
def test_class_weights_name_the_labels(labels, heavy, given, container):
    y = np.resize(labels, N)
    weights = container({labels[heavy]: 50.0})
    if given == "made with":
        network = BackpropMLPClassifier(3, max_iter=5, class_weight=weights)
        weighed = with_one_alpha(estimator=network)
    else:
        weighed = with_one_alpha().set_params(
            networks__plain__estimator__class_weight=weights,
            networks__ramps__networks__estimator__class_weight=weights,
        )
    before = weighed.get_params()
    assert set(weighed.fit(NOISE, y).predict(NOISE)) == {labels[heavy]}
    assert weighed.get_params()["networks__plain__estimator__class_weight"] == weights
    assert weighed.get_params().keys() == before.keys()


def test_class_weights_of_other_labels_are_refused():
    network = BackpropMLPClassifier(3, max_iter=5, class_weight={"maybe": 2.0})
    with pytest.raises(ValueError, match=r"class_weight names labels .*'no' 'yes'.*'maybe'"):
        model(estimator=network).fit(FRAME, Y)


def test_class_weights_of_words_are_those_of_their_codes():
    words, codes = {"yes": 3.0, "no": 0.5}, {1: 3.0, 0: 0.5}
    expected = with_one_alpha(estimator=BackpropMLPClassifier(3, max_iter=5, class_weight=codes))
    weighed = with_one_alpha(estimator=BackpropMLPClassifier(3, max_iter=5, class_weight=words))
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


RAMPS = ("encoder", "networks")


def test_row_weights_reach_all_that_asks_for_them():
    weights = np.repeat([1.0, 0.0], N // 2)
    with sklearn.config_context(enable_metadata_routing=True):
        weighed = regressor().set_params(
            networks__plain__alphas=[1.0], networks__ramps__networks__alphas=[1.0]
        )
        steps = weighed.get_params()
        for name in ("scaler", "networks__plain", *("networks__ramps__" + n for n in RAMPS)):
            steps[name].set_fit_request(sample_weight=True)
        fitted = clone(weighed).fit(FRAME, RENT, sample_weight=weights)
        other = clone(weighed).fit(FRAME, RENT - 50.0 * (weights == 0.0), sample_weight=weights)
        even = clone(weighed).fit(FRAME, RENT, sample_weight=np.ones(N))
    np.testing.assert_allclose(other.predict(FRAME), fitted.predict(FRAME), rtol=1e-6)
    assert not np.allclose(even.predict(FRAME), fitted.predict(FRAME), rtol=1e-2)
    prepared = fitted["columns"].transform(FRAME)
    np.testing.assert_allclose(fitted["scaler"].mean_, prepared[: N // 2].mean(axis=0))


@pytest.mark.parametrize("name", ["sample_weight", "networks__sample_weight"])
@pytest.mark.parametrize("kind", ["classes", "numbers"])
def test_weights_without_routing_are_told_which_steps_to_ask(kind, name):
    """scikit-learn's error advises a name of a step, which ends in the same error."""
    made, y = (model(), Y) if kind == "classes" else (regressor(), RENT)
    with pytest.raises(ValueError, match="by metadata routing only") as error:
        made.fit(FRAME, y, **{name: np.ones(N)})
    steps = re.findall(r"'([\w]+)'", str(error.value))
    assert len(steps) == 4
    with sklearn.config_context(enable_metadata_routing=True):
        for step in steps:
            made.get_params()[step].set_fit_request(sample_weight=True)
        made.fit(FRAME, y, sample_weight=np.ones(N))


def test_weights_of_votes_without_a_pipeline_need_no_routing():
    made = regressor().set_params(networks__ramps="drop")
    made.fit(FRAME, RENT, networks__sample_weight=np.ones(N))


def test_a_column_that_varies_in_rows_with_zero_weight_alone_says_nothing_later():
    weights = np.repeat([1.0, 0.0], N // 2)
    table = NOISE.assign(silent=np.where(weights > 0.0, 1.0, NUMBERS))
    with sklearn.config_context(enable_metadata_routing=True):
        model = regressor()
        steps = model.get_params()
        for name in ("scaler", "networks__plain", *("networks__ramps__" + n for n in RAMPS)):
            steps[name].set_fit_request(sample_weight=True)
        model.fit(table, RENT, sample_weight=weights)
    expected = model.predict(table)
    np.testing.assert_array_equal(model.predict(table.assign(silent=1e6)), expected)


@pytest.mark.parametrize("kind", ["classes", "numbers"])
def test_models_are_scored_and_searched_with_metadata_routing_as_without(kind):
    made = (with_one_alpha() if kind == "classes" else regressor()).set_params(
        networks__plain__alphas=[1.0], networks__ramps="drop"
    )
    y = Y if kind == "classes" else RENT
    table = FRAME[["number", "colour"]]

    def scores():
        searched = GridSearchCV(made, {"networks__plain__alphas": [[1.0]]}, cv=2).fit(table, y)
        # scikit-learn 1.6 does not take None.
        of_folds = cross_val_score(made, table, y, cv=2, params={})
        return [made.fit(table, y).score(table, y), searched.best_score_, *of_folds]

    expected = scores()
    with sklearn.config_context(enable_metadata_routing=True):
        assert scores() == expected
        weights = np.arange(N) % 3
        made["networks"].set_score_request(sample_weight=True)
        weighed = made.fit(table, y).score(table, y, sample_weight=weights)
    assert weighed == made.score(table, y, sample_weight=weights) != expected[0]


@pytest.mark.parametrize("kind", ["classes", "numbers"])
def test_groups_reach_the_searches(kind):
    groups = np.arange(N) % 4
    made, y = (with_one_alpha(), Y) if kind == "classes" else (regressor(), RENT)
    made.set_params(networks__plain__cv=GroupKFold(4), networks__ramps__networks__cv=GroupKFold(4))
    with sklearn.config_context(enable_metadata_routing=True):
        fitted = made.fit(FRAME, y, groups=groups)
    assert fitted["networks"].estimators_[0].scores_.shape[1] == 4


@pytest.mark.parametrize(
    ("params", "kind", "message"),
    [
        ({"n_folds": 1}, ValueError, "n_folds must be an integer >= 2; got 1"),
        ({"n_folds": 2.5}, ValueError, "n_folds must be an integer >= 2; got 2.5"),
        ({"estimator": LogisticRegression()}, TypeError, "estimator must be a BackpropMLPClass"),
        ({"random_state": "seed"}, ValueError, "'random_state' parameter .* Got 'seed'"),
        ({"random_state": -1}, ValueError, "'random_state' parameter .* Got -1"),
        ({"n_jobs": 0}, ValueError, "'n_jobs' parameter .* Got 0"),
    ],
)
def test_wrong_arguments_are_named(params, kind, message):
    with pytest.raises(kind, match=message):
        make_tabular_classifier(**params)


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"alpha": -1.0}, "'alpha' parameter"),
        ({"early_stopping": True}, "early_stopping of the estimator must be False"),
        ({"dropout": 0.5}, "dropout needs mini-batches"),
        ({"batch_norm": True}, "batch_norm needs mini-batches"),
        ({"activation": ["relu", "tanh"]}, "activation must be .* 1 hidden layers"),
        ({"hidden_layer_sizes": [3, -1]}, "hidden_layer_sizes must hold integers > 0"),
    ],
)
def test_keywords_of_the_estimator_are_refused_where_they_are_given(keywords, message):
    for make, kind in (
        (make_tabular_classifier, BackpropMLPClassifier),
        (make_tabular_regressor, BackpropMLPRegressor),
    ):
        with pytest.raises(ValueError, match=f"estimator is not allowed: .*{message}"):
            make(estimator=kind(**keywords))


def test_too_many_folds_are_refused_by_the_name_they_were_given():
    for made, y in ((model(n_folds=N), Y), (regressor(n_folds=N + 1), RENT)):
        with pytest.raises(ValueError, match=r"^n_folds, the number of folds, .* got"):
            made.fit(FRAME, y)


@pytest.mark.parametrize(
    ("value", "kind", "message"),
    [
        (np.nan, ValueError, "Input y contains NaN"),
        (pd.NA, ValueError, "Input y contains NaN"),
        (None, ValueError, "Input y contains NaN"),
    ],
)
def test_a_label_that_is_missing_is_refused(value, kind, message):
    labels = np.array(Y, dtype=object)
    labels[3] = value
    with pytest.raises(kind, match=message):
        model().fit(FRAME, labels)


@pytest.mark.parametrize("make", [make_tabular_classifier, make_tabular_regressor])
def test_y_that_is_not_there_is_said(make):
    with pytest.raises(ValueError, match="requires y to be passed, but the target y is None"):
        make().fit(FRAME, None)


@pytest.mark.parametrize("values", [["no", None], [True, None], [1, None], [0.5, None]], ids=str)
def test_nulls_of_polars_are_missing_labels(values):
    pl = pytest.importorskip("polars", reason="polars comes with the extra test")
    made = regressor() if 0.5 in values else model()
    with pytest.raises(ValueError, match="Input y contains NaN"):
        made.fit(FRAME, pl.Series(values * (N // 2)))


def test_several_labels_per_row_are_refused():
    with pytest.raises(ValueError, match="y must hold one label per row"):
        model().fit(FRAME, np.ones((N, 2), dtype=int))


# Numbers to predict


def regressor(**params):
    network = BackpropMLPRegressor(8, max_iter=10)
    return make_tabular_regressor(
        **{"estimator": network, "n_folds": 2, "random_state": 0} | params
    )


@pytest.fixture(scope="module")
def of_numbers():
    return regressor().fit(FRAME, RENT)


def test_a_regressor_takes_the_same_frame(of_numbers):
    assert of_numbers.score(FRAME, RENT) > 0.9
    Z = of_numbers[:-1].transform(FRAME)
    networks = of_numbers["networks"]
    predictions = [member.predict(Z) for member in networks.estimators_]
    expected = np.average(predictions, axis=0, weights=networks.weights_)
    np.testing.assert_allclose(of_numbers.predict(FRAME), expected, rtol=1e-6)


def test_a_regressor_says_what_it_predicts_out_of_fold(of_numbers):
    networks = of_numbers["networks"]
    plain, ramps = networks.estimators_
    out_of_fold = [plain.oof_prediction_, ramps[-1].oof_prediction_]
    expected = np.average(out_of_fold, axis=0, weights=networks.weights_)
    np.testing.assert_allclose(networks.oof_prediction_, expected)


def test_a_regressor_refuses_dates_by_name():
    with pytest.raises(ValueError, match="Column 'when' must hold numbers or categories"):
        regressor().fit(FRAME.assign(when=pd.date_range("2020-01-01", periods=N)), RENT)


def test_the_units_of_y_do_not_matter(of_numbers):
    scaled = regressor().fit(FRAME, RENT / 1024.0).predict(FRAME) * 1024.0
    np.testing.assert_allclose(scaled, of_numbers.predict(FRAME), rtol=1e-4)


def test_a_classifier_is_no_regressor():
    with pytest.raises(TypeError, match="estimator must be a BackpropMLPRegressor or None"):
        make_tabular_regressor(estimator=BackpropMLPClassifier())


@pytest.mark.parametrize("kind", ["array", "numbers", "categories", "both"])
def test_a_fitted_model_is_drawn_as_a_diagram(kind):
    """Be there columns of both kinds or not."""
    columns = {"numbers": ["number"], "categories": ["colour"]}.get(kind, ["number", "colour"])
    table = FRAME[["number"]].to_numpy() if kind == "array" else FRAME[columns]
    assert "PiecewiseLinearEncoder" in model().fit(table, Y)._repr_html_()


def lazy_frame():
    return pytest.importorskip("polars", reason="it comes with the extra test").LazyFrame({"a": []})


NO_TABLES = [
    (lambda: {"a": [1, 2], "b": [3, 4]}, r"got dict\. Make a dataframe"),
    (lambda: [{"a": 1}, {"a": 2}], r"got list\. Make a dataframe"),
    (lazy_frame, r"got LazyFrame\. Its collect\(\) gives"),
    (lambda: pd.Series([1, 2]), r"got Series of shape \(2,\)"),
    (lambda: np.array([1, 2]), r"got ndarray of shape \(2,\)"),
    (lambda: np.array(5), r"got ndarray of shape \(\)"),
    (lambda: np.zeros((2, 2, 2)), r"got ndarray of shape \(2, 2, 2\)"),
    (lambda: [[1, 2], [3]], "got list"),
    (list, "got list"),
    (lambda: 5, "got int"),
    (lambda: None, "got NoneType"),
    (lambda: "table.csv", "got str"),
]


@pytest.mark.parametrize(("make_rows", "message"), NO_TABLES)
def test_what_is_no_table_is_refused_in_words_of_its_own(fitted, make_rows, message):
    message = f"X must be a dataframe, or an array of shape .*; {message}"
    with pytest.raises(ValueError, match=message):
        model().fit(make_rows(), ["yes", "no"])
    with pytest.raises(ValueError, match=message):
        fitted.predict(make_rows())


def test_columns_of_one_name_are_refused_before_scikit_learn_reads_them(fitted):
    twice = pd.DataFrame(np.ones((N, 2)), columns=["a", "a"])
    for call in (lambda: model().fit(twice, Y), lambda: fitted.predict(twice)):
        with pytest.raises(ValueError, match="a name of its own for each column; got 'a' twice"):
            call()


def test_masked_entries_are_refused():
    masked = np.ma.masked_less(np.ones((N, 2)), 2.0)
    with pytest.raises(ValueError, match=r"X must not hold masked entries.* filled\(np.nan\)"):
        model().fit(masked, Y)
    model().fit(masked.filled(np.nan), Y)


@pytest.mark.parametrize("kind", [np.asarray, lambda frame: frame.to_numpy().tolist()])
def test_rows_without_names_are_refused_where_training_had_some(fitted, kind):
    message = r"a dataframe with the columns of training, \['number', .*; got columns that are num"
    with pytest.raises(ValueError, match=message):
        fitted.predict(kind(FRAME))
