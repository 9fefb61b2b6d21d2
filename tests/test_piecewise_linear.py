"""The piecewise-linear encoding: knots, ramps, gaps, weights."""

import re
import tracemalloc

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from sklearn.linear_model import LinearRegression
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

from backprop_mlp import PiecewiseLinearEncoder, _piecewise_linear

RNG = np.random.default_rng(0)
X = np.column_stack(
    [RNG.normal(size=90), RNG.exponential(size=90), RNG.integers(2, size=90), np.full(90, 3.0)]
)


def ramps_of(encoder, X):
    return encoder.transform(X)[:, X.shape[1] :]


def test_the_first_columns_are_the_standardised_ones():
    Z = PiecewiseLinearEncoder().fit_transform(X)
    np.testing.assert_allclose(Z[:, :4], StandardScaler().fit_transform(X), atol=1e-12)


def test_ramps_take_no_memory_but_for_the_result():
    x = RNG.normal(size=(20_000, 1))
    encoder = PiecewiseLinearEncoder(n_bins=40).fit(x)
    tracemalloc.start()
    n_bytes = encoder.transform(x).nbytes
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1.5 * n_bytes


def test_however_many_ramps_are_made_at_once_they_are_the_same(monkeypatch):
    encoder = PiecewiseLinearEncoder(n_bins=9).fit(X)
    together = encoder.transform(X)
    monkeypatch.setattr(_piecewise_linear, "RAMPS_AT_ONCE", 25)
    np.testing.assert_array_equal(encoder.transform(X), together)


def test_a_ramp_runs_from_0_to_1_between_its_knots():
    encoder = PiecewiseLinearEncoder(n_bins=3).fit(X[:, :1])
    (knots,) = encoder.knots_
    below, above = knots[0] - 5.0, knots[-1] + 5.0
    middle = (knots[0] + knots[1]) / 2.0
    ramps = ramps_of(encoder, np.array([[below], [middle], [knots[1]], [above]]))
    raw = ramps / encoder.ramp_factor_ + encoder.ramp_mean_
    expected = [[0.0, 0.0, 0.0], [0.5, 0.0, 0.0], [1.0, 0.0, 0.0], [1.0, 1.0, 1.0]]
    np.testing.assert_allclose(raw, expected, atol=1e-12)


def test_any_piecewise_linear_function_is_a_linear_one_of_the_ramps():
    """Interpolation between the knots is an independent oracle."""
    x = X[:, :1]
    encoder = PiecewiseLinearEncoder(n_bins=6).fit(x)
    (knots,) = encoder.knots_
    y = np.interp(x[:, 0], knots, RNG.normal(size=len(knots)))
    Z = ramps_of(encoder, x)
    np.testing.assert_allclose(LinearRegression().fit(Z, y).predict(Z), y, atol=1e-10)


@pytest.mark.parametrize("scale", [0.5, 2.0])
def test_ramps_are_centred_and_their_mean_variance_is_the_square_of_scale(scale):
    ramps = ramps_of(PiecewiseLinearEncoder(n_bins=5, scale=scale).fit(X), X)
    np.testing.assert_allclose(ramps.mean(axis=0), 0.0, atol=1e-12)
    np.testing.assert_allclose(ramps.var(axis=0).mean(), scale**2, rtol=1e-12)


def test_all_ramps_have_the_same_part_in_their_mean_variance():
    """However many a column has."""
    columns = np.column_stack([np.arange(len(X)) % 3, X[:, 0]])
    encoder = PiecewiseLinearEncoder(n_bins=5).fit(columns)
    assert [len(knots) for knots in encoder.knots_] == [3, 6]
    variances = ramps_of(encoder, columns).var(axis=0)
    np.testing.assert_allclose(variances.mean(), encoder.scale**2, rtol=1e-12)


UNEVEN = np.where(RNG.random(500) < 0.1, 0.0, 10.0 ** RNG.uniform(-6.0, 0.0, size=500))
COLUMNS = {
    "plain": RNG.normal(size=500),
    "ties": RNG.integers(9, size=500) ** 2.0,
    "mostly one value": np.where(RNG.random(500) < 0.9, 0.0, RNG.exponential(size=500)),
    "gaps": np.where(RNG.random(500) < 0.3, np.nan, RNG.normal(size=500)),
    "wide": RNG.standard_cauchy(size=500) ** 3.0,
    "far from 0": 1e9 + 64.0 * RNG.integers(100, size=500),
    "far from 0, next to each other": 1e9 + 1e-5 * RNG.random(500),
}


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("weights", [None, UNEVEN], ids=["even", "uneven"])
@pytest.mark.parametrize("x", COLUMNS.values(), ids=COLUMNS)
def test_the_fitted_moments_are_those_of_the_ramps_in_double_precision(x, weights, dtype):
    x = x.astype(dtype)
    encoder = PiecewiseLinearEncoder(n_bins=7).fit(x[:, np.newaxis], sample_weight=weights)
    knots = encoder.knots_[0].astype(np.float64)
    known = ~np.isnan(x)
    w = None if weights is None else weights[known]
    ramps = (x[known, np.newaxis].astype(np.float64) - knots[:-1]) / np.diff(knots)
    ramps = ramps.clip(0.0, 1.0)
    mean = np.average(ramps, axis=0, weights=w) if len(knots) else []
    np.testing.assert_allclose(encoder.ramp_mean_, mean, rtol=0.0, atol=1e-13)
    if len(knots):
        variance = np.average((ramps - mean) ** 2, axis=0, weights=w).mean()
        np.testing.assert_allclose(encoder.ramp_factor_, 0.5 / np.sqrt(variance), rtol=1e-11)


@pytest.mark.parametrize("scale", [0.5, 2.0])
def test_weighted_rows_with_gaps_have_centred_ramps_of_the_variance_that_scale_promises(scale):
    rows = np.column_stack(list(COLUMNS.values()))
    encoder = PiecewiseLinearEncoder(n_bins=7, scale=scale).fit(rows, sample_weight=UNEVEN)
    ramps = np.ma.masked_invalid(ramps_of(encoder, rows))
    mean = np.ma.average(ramps, axis=0, weights=UNEVEN)
    variance = np.ma.average((ramps - mean) ** 2, axis=0, weights=UNEVEN)
    np.testing.assert_allclose(mean, 0.0, atol=1e-12 * scale)
    np.testing.assert_allclose(variance.mean(), scale**2, rtol=1e-11)


@pytest.mark.parametrize("weights", [[1.0, 1e-20, 1e-20], [1e-20, 1e-20, 1.0]], ids=["low", "high"])
def test_light_values_next_to_a_heavy_one_have_their_variance(weights):
    encoder = PiecewiseLinearEncoder().fit([[0.0], [1.0], [2.0]], sample_weight=weights)
    low, middle, high = weights
    variance = (low * (middle + high) + (low + middle) * high) / 2.0
    assert encoder.ramp_factor_ == pytest.approx(0.5 / np.sqrt(variance), rel=1e-12)


def test_each_bin_holds_as_many_rows_but_for_one():
    (knots,) = PiecewiseLinearEncoder(n_bins=9).fit(X[:, :1]).knots_
    counts, _ = np.histogram(X[:, 0], knots)
    assert counts.max() - counts.min() <= 2


def test_a_constant_column_is_zero_whatever_it_holds_later():
    encoder = PiecewiseLinearEncoder().fit(np.c_[np.arange(9.0), np.full(9, -1e308)])
    later = encoder.transform(np.c_[np.zeros(3), [1e308, 0.0, np.nan]])
    np.testing.assert_array_equal(later[:, 1], [0.0, 0.0, np.nan])


def test_constant_columns_and_those_of_two_values_have_no_ramps():
    encoder = PiecewiseLinearEncoder(n_bins=4).fit(X)
    assert [len(knots) for knots in encoder.knots_] == [5, 5, 0, 0]
    np.testing.assert_array_equal(encoder.transform(X)[:, 3], 0.0)


def test_columns_without_ramps_do_not_move_those_of_the_others():
    Z = PiecewiseLinearEncoder(n_bins=4).fit_transform(X[:, [3, 2, 0, 1]])
    expected = PiecewiseLinearEncoder(n_bins=4).fit_transform(X)
    np.testing.assert_array_equal(Z[:, 4:], expected[:, 4:])


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("known", [2023.0, 0.1, np.nan], ids=str)
def test_a_column_that_does_not_vary_in_training_is_0_whatever_number_it_holds_later(known, dtype):
    rows = np.column_stack([X[:, 0], np.full(len(X), known)]).astype(dtype)
    encoder = PiecewiseLinearEncoder(n_bins=3).fit(rows)
    later = rows.copy()
    later[:, 1] = 50_000.0
    Z = encoder.transform(later)
    np.testing.assert_array_equal(Z[:, 1], 0.0)
    np.testing.assert_array_equal(np.delete(Z, 1, 1), np.delete(encoder.transform(rows), 1, 1))


@pytest.mark.parametrize("known", [0.1, -0.1])
def test_a_mean_that_is_rounded_does_not_make_a_column_vary(known):
    stds = [PiecewiseLinearEncoder().fit(np.full((n, 1), known)).std_ for n in range(2, 100)]
    np.testing.assert_array_equal(stds, np.inf)


def test_a_column_that_varies_in_rows_with_zero_weight_alone_does_not_vary():
    weights = np.arange(90) % 2
    rows = np.column_stack([X[:, 0], np.where(weights, 3.0, X[:, 1])])
    Z = PiecewiseLinearEncoder().fit(rows, sample_weight=weights).transform(rows)
    np.testing.assert_array_equal(Z[:, 1], 0.0)


def test_a_column_that_varies_in_a_row_of_next_to_no_weight_alone_does_not_vary():
    rows = np.array([[0.0], [0.0], [0.0], [0.0], [1.0]])
    encoder = PiecewiseLinearEncoder().fit(rows, sample_weight=[1.0, 1.0, 1.0, 1.0, 1e-323])
    np.testing.assert_array_equal(encoder.transform(rows), 0.0)


def test_few_values_are_knots_themselves():
    values = np.array([0.0, 1.0, 5.0, 7.0])
    encoder = PiecewiseLinearEncoder(n_bins=16).fit(np.repeat(values, 3)[:, np.newaxis])
    np.testing.assert_array_equal(encoder.knots_[0], values)


@pytest.mark.parametrize("share", [0.2, 0.5, 0.8, 0.97])
@pytest.mark.parametrize("common", [0.0, 2.0])
def test_a_value_that_many_rows_share_leaves_the_other_knots_to_the_others(share, common):
    rng = np.random.default_rng(1)
    is_common = rng.random(1500) < share
    x = np.where(is_common, common, rng.exponential(size=1500) + 1.0)
    (knots,) = PiecewiseLinearEncoder(n_bins=8).fit(x[:, np.newaxis]).knots_
    others = x[~is_common]
    # The end is a knot anyway; any other value is one of the nine.
    n_bins = 8 if common == 0.0 else 7
    quantiles = np.quantile(others, np.linspace(0.0, 1.0, n_bins + 1), method="inverted_cdf")
    expected = np.sort([common, *(quantiles[1:] if common == 0.0 else quantiles)])
    np.testing.assert_array_equal(knots, expected)


def test_values_that_fill_a_bin_of_what_is_left_are_knots_as_well():
    """100 of 3 are less than a third of all, but more than that of the rows without 0."""
    x = np.r_[np.zeros(500), np.full(100, 3.0), np.arange(4.0, 94.0)][:, np.newaxis]
    (knots,) = PiecewiseLinearEncoder(n_bins=3).fit(x).knots_
    np.testing.assert_array_equal(knots, [0.0, 3.0, 48.0, 93.0])


@pytest.mark.parametrize("n_bins", [10**20, 10**400])
def test_of_more_bins_than_numpy_counts_every_value_is_a_knot(n_bins):
    (knots,) = PiecewiseLinearEncoder(n_bins=n_bins).fit(X[:, :1]).knots_
    np.testing.assert_array_equal(knots, np.unique(X[:, 0]))


@pytest.mark.parametrize("seed", range(20))
def test_three_values_or_more_have_between_three_knots_and_one_more_than_bins(seed):
    rng = np.random.default_rng(seed)
    x = rng.geometric(rng.uniform(0.02, 0.8), size=200).astype(float)
    n_bins = int(rng.integers(2, 12))
    (knots,) = PiecewiseLinearEncoder(n_bins=n_bins).fit(x[:, np.newaxis]).knots_
    n_values = len(np.unique(x))
    assert min(3, n_values) <= max(len(knots), 2) <= n_bins + 1
    assert (np.diff(knots) > 0.0).all()
    assert np.isin(knots, x).all()


def test_a_column_that_is_mostly_its_smallest_number_bends_among_the_others():
    x = np.repeat([0.0, 1.0, 2.0, 3.0, 10.0], [6, 1, 1, 1, 1])
    (knots,) = PiecewiseLinearEncoder(n_bins=2).fit(x[:, np.newaxis]).knots_
    np.testing.assert_array_equal(knots, [0.0, 2.0, 10.0])


def test_a_value_with_exactly_a_bins_share_is_left_out_of_the_others_quantiles():
    x = np.array([0.0, 1.0, 2.0, 3.0, 3.0, 3.0])
    (knots,) = PiecewiseLinearEncoder(n_bins=2).fit(x[:, np.newaxis]).knots_
    np.testing.assert_array_equal(knots, [0.0, 1.0, 3.0])


def test_a_value_with_less_than_a_bins_share_is_a_knot_only_where_a_quantile_hits_it():
    x = [*range(50), *np.full(24, 60), *range(61, 79), *np.full(8, 100)]
    (knots,) = PiecewiseLinearEncoder(n_bins=4).fit(np.c_[x]).knots_
    np.testing.assert_array_equal(knots, [0, 24, 49, 61, 100])


def test_columns_in_which_no_value_fills_a_bin_have_quantiles_as_knots():
    x = np.repeat(RNG.normal(size=60), 2)
    (knots,) = PiecewiseLinearEncoder(n_bins=7).fit(x[:, np.newaxis]).knots_
    expected = np.quantile(x, np.linspace(0.0, 1.0, 8), method="inverted_cdf")
    np.testing.assert_array_equal(knots, expected)


def test_a_single_ramp_would_be_the_column_itself():
    encoder = PiecewiseLinearEncoder(n_bins=1).fit(X)
    assert [len(knots) for knots in encoder.knots_] == [0, 0, 0, 0]


@pytest.mark.parametrize(("n_rows", "n_bins"), [(799, 4), (800, 16), (1999, 16), (2000, 48)])
def test_auto_grows_with_the_rows(n_rows, n_bins):
    x = np.arange(n_rows, dtype=float)[:, np.newaxis]
    encoder = PiecewiseLinearEncoder().fit(x)
    assert encoder.n_bins_ == n_bins
    assert len(encoder.knots_[0]) == n_bins + 1


def test_auto_counts_the_rows_with_weight_alone():
    weights = np.repeat([1.0, 0.0], [799, 10])
    encoder = PiecewiseLinearEncoder().fit(np.arange(809.0)[:, np.newaxis], sample_weight=weights)
    assert encoder.n_bins_ == 4


def test_missing_values_change_nothing_else_and_stay_missing():
    gaps = X.copy()
    gaps[::7, 1] = np.nan
    encoder = PiecewiseLinearEncoder(n_bins=3).fit(gaps)
    known = PiecewiseLinearEncoder(n_bins=3).fit(gaps[~np.isnan(gaps[:, 1]), 1:2])
    np.testing.assert_array_equal(encoder.knots_[1], known.knots_[0])
    Z = pd.DataFrame(encoder.transform(gaps), columns=encoder.get_feature_names_out())
    missing = Z.isna().any()
    assert set(missing.index[missing]) == {"x1", "x1_ramp1", "x1_ramp2", "x1_ramp3"}
    assert Z["x1_ramp1"].isna().sum() == len(gaps[::7])


def test_a_column_without_any_value_is_missing_everywhere():
    Z = PiecewiseLinearEncoder().fit_transform(np.full((5, 1), np.nan))
    assert Z.shape == (5, 1)
    assert np.isnan(Z).all()


def test_whole_weights_are_repeated_rows():
    weights = RNG.integers(4, size=len(X))
    weighted = PiecewiseLinearEncoder(n_bins=4).fit(X, sample_weight=weights)
    repeated = PiecewiseLinearEncoder(n_bins=4).fit(np.repeat(X, weights, axis=0))
    np.testing.assert_allclose(weighted.transform(X), repeated.transform(X), rtol=1e-11, atol=1e-12)


def test_whole_weights_are_repeated_rows_where_a_value_fills_a_bin():
    values = np.arange(12.0)[:, np.newaxis]
    weights = [30, 1, 2, 3, 1, 1, 9, 2, 3, 1, 1, 2]
    weighted = PiecewiseLinearEncoder(n_bins=5).fit(values, sample_weight=weights)
    repeated = PiecewiseLinearEncoder(n_bins=5).fit(np.repeat(values, weights, axis=0))
    np.testing.assert_array_equal(weighted.knots_[0], repeated.knots_[0])
    assert {0.0, 6.0} < set(weighted.knots_[0])


@pytest.mark.parametrize("unit", [5e-324, 2.0**-100, 2.0**100, 2.0**1021])
def test_the_unit_of_weights_does_not_matter(unit):
    weights = RNG.integers(4, size=len(X)).astype(float)
    expected = PiecewiseLinearEncoder(n_bins=4).fit(X, sample_weight=weights)
    encoder = PiecewiseLinearEncoder(n_bins=4).fit(X, sample_weight=weights * unit)
    np.testing.assert_allclose(encoder.transform(X), expected.transform(X), rtol=1e-11, atol=1e-12)


def test_rows_whose_weight_vanishes_next_to_the_largest_are_ignored():
    x = np.array([[1.0, np.nan], [2.0, 3.0]])
    encoder = PiecewiseLinearEncoder().fit(x, sample_weight=[1e308, 5e-324])
    np.testing.assert_array_equal(encoder.mean_, [1.0, 0.0])


@pytest.mark.parametrize("factor", [1e-300, 1e-3, 1e150])
def test_units_do_not_matter(factor):
    expected = PiecewiseLinearEncoder(n_bins=4).fit_transform(X)
    Z = PiecewiseLinearEncoder(n_bins=4).fit_transform(X * factor)
    np.testing.assert_allclose(Z, expected, atol=1e-9)


def test_float32_stays_float32():
    encoder = PiecewiseLinearEncoder(n_bins=4)
    Z = encoder.fit_transform(X.astype(np.float32))
    assert Z.dtype == encoder.knots_[0].dtype == np.float32
    np.testing.assert_allclose(Z, PiecewiseLinearEncoder(n_bins=4).fit_transform(X), atol=2e-4)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_numbers_up_to_the_largest_are_encoded_and_those_that_span_more_are_refused(dtype):
    largest = np.finfo(dtype).max
    for start, stop in [(-0.49, 0.5), (0.0, 1.0), (-1.0, 0.0)]:
        x = (np.linspace(start, stop, 9, dtype=dtype) * largest)[:, np.newaxis]
        Z = PiecewiseLinearEncoder(n_bins=3).fit_transform(x)
        expected = PiecewiseLinearEncoder(n_bins=3).fit_transform(x / largest)
        np.testing.assert_allclose(Z, expected, rtol=1e-4, atol=1e-5)
    x = (np.linspace(-0.6, 0.6, 9, dtype=dtype) * largest)[:, np.newaxis]
    with pytest.raises(ValueError, match=f"largest number of {np.dtype(dtype)} .* in column 0"):
        PiecewiseLinearEncoder(n_bins=3).fit(x)


def test_float32_rows_between_knots_of_float64_have_their_ramps():
    wide = np.linspace(-1e39, 1e39, 9)[:, np.newaxis]
    encoder = PiecewiseLinearEncoder(n_bins=2).fit(wide)
    rows = np.array([[-3e38], [0.0], [3e38]])
    Z = encoder.transform(rows.astype(np.float32))
    np.testing.assert_allclose(Z, encoder.transform(rows), rtol=1e-6)


def test_numbers_whose_distance_from_a_knot_overflows_have_the_ramps_of_the_outer_one():
    encoder = PiecewiseLinearEncoder(n_bins=2).fit(np.float32([[-1e38], [0.0], [1e38]]))
    ramps = ramps_of(encoder, np.float32([[-3.3e38], [-1e38], [1e38], [3.3e38]]))
    np.testing.assert_array_equal(ramps[[0, 3]], ramps[[1, 2]])


@pytest.mark.filterwarnings("error")
def test_what_comes_out_is_finite_or_an_error_names_the_column():
    tiny = np.array([[0.0, 0.0], [1.0, 1e-30], [2.0, 2e-30]], np.float32)
    encoder = PiecewiseLinearEncoder().fit(pd.DataFrame(tiny, columns=["a", "b"]))
    rows = pd.DataFrame(np.float32([[0.0, 1e30]]), columns=["a", "b"])
    with pytest.raises(
        ValueError, match=r"X must not be farther .* float32 .* 1e\+30 in column 'b'"
    ):
        encoder.transform(rows)
    with pytest.raises(ValueError, match=r"scale must be smaller, .* float64; got 1e\+308"):
        PiecewiseLinearEncoder(scale=1e308).fit(X * 1e-3)
    encoder = PiecewiseLinearEncoder(scale=1e100).fit(X)
    with pytest.raises(ValueError, match=r"scale must be smaller, .* float32; got 1e\+100"):
        encoder.transform(X.astype(np.float32))


@pytest.mark.parametrize(
    ("rows", "params"),
    [
        (np.c_[[0.0, 10.0, 20.0, 30.0], [-1.5e308, 1.5e308, 0.0, 1.0]], {}),
        (np.c_[X[:, 0], X[:, 0]], {"scale": 1e308}),
        (np.full((3, 2), np.inf), {}),
        (np.zeros((3, 5)), {"n_bins": 0}),
    ],
    ids=["span", "scale", "infinity", "keyword"],
)
def test_a_fit_that_fails_leaves_the_encoder_as_it_was(rows, params):
    frame = pd.DataFrame(X[:, :2], columns=["age", "income"])
    encoder = PiecewiseLinearEncoder(n_bins=2).fit(frame)
    before = dict(vars(encoder))
    with pytest.raises(ValueError, match=r"must|infinity"):
        encoder.set_params(**params).fit(rows)
    assert vars(encoder) == before | params


def test_names_and_frames():
    frame = pd.DataFrame(X[:, :2], columns=["age", "income"])
    encoder = PiecewiseLinearEncoder(n_bins=2).set_output(transform="pandas").fit(frame)
    names = ["age", "income", "age_ramp1", "age_ramp2", "income_ramp1", "income_ramp2"]
    assert encoder.transform(frame).columns.tolist() == names


@pytest.mark.parametrize("values", [X[:, 0], np.ones(len(X))], ids=["ramps", "none"])
def test_a_name_that_a_ramp_may_have_is_refused_whatever_the_values(values):
    frame = pd.DataFrame({"a_ramp2": X[:, 1], "a": values})
    with pytest.raises(ValueError, match=r"no column 'a_ramp2' next to 'a'.* Rename one of them"):
        PiecewiseLinearEncoder(n_bins=4).fit(frame)
    others = frame.rename(columns={"a": "b"}).assign(a_ramp0=1.0, a_ramp=2.0)
    names = PiecewiseLinearEncoder(n_bins=4).fit(others).get_feature_names_out().tolist()
    assert len(set(names)) == len(names)


def test_no_more_names_are_refused_than_there_may_be_ramps():
    frame = pd.DataFrame({"a": X[:, 0], "a_ramp4": X[:, 1]})
    with pytest.raises(ValueError, match="no column 'a_ramp4' next to 'a'"):
        PiecewiseLinearEncoder(n_bins=4).fit(frame)
    names = PiecewiseLinearEncoder(n_bins=3).fit(frame).get_feature_names_out().tolist()
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("name", ["a_ramp", "a_ramp0", "a_ramp01", "a_ramp1_"])
def test_a_name_that_no_ramp_has_is_none_of_theirs(name):
    frame = pd.DataFrame({"a": X[:, 0], name: X[:, 1]})
    names = PiecewiseLinearEncoder(n_bins=2).fit(frame).get_feature_names_out().tolist()
    assert len(set(names)) == len(names)


def test_a_name_of_several_lines_may_be_that_of_a_ramp_too():
    table = pd.DataFrame({"a\nb": [0.0, 1.0, 2.0], "a\nb_ramp1": [0.0, 1.0, 2.0]})
    with pytest.raises(ValueError, match="a ramp would have the same name"):
        PiecewiseLinearEncoder().fit(table)


@pytest.mark.parametrize(
    ("params", "X", "kind", "message"),
    [
        ({"n_bins": 0}, X, ValueError, "'n_bins' parameter"),
        ({"n_bins": "many"}, X, ValueError, "'n_bins' parameter"),
        ({"scale": 0.0}, X, ValueError, "'scale' parameter"),
        ({}, sp.csr_matrix(X), TypeError, "X must be dense.* sparse"),
        ({}, [[np.inf]], ValueError, "infinity"),
        ({}, [[-1e308], [1e308]], ValueError, r"span less .* -1e\+308 to 1e\+308 in column 0"),
    ],
)
def test_wrong_input_is_named(params, X, kind, message):
    with pytest.raises(kind, match=re.compile(message, re.DOTALL)):
        PiecewiseLinearEncoder(**params).fit(X)


def test_rows_without_weight_can_not_be_all():
    with pytest.raises(ValueError, match=r"at least one non-zero|sum above 0"):
        PiecewiseLinearEncoder().fit(X, sample_weight=np.zeros(len(X)))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("params", [{}, {"n_bins": 3}])
def test_every_check_passes(params):
    results = check_estimator(PiecewiseLinearEncoder(**params), on_skip=None, on_fail=None)
    not_passed = {
        result["check_name"]: result["exception"]
        for result in results
        if result["status"] != "passed" and result["check_name"] != "check_array_api_input"
    }
    assert not_passed == {}
