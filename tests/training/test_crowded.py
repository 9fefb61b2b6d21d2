"""Robust losses whose units rows far away have made too large: they are warned of."""

import warnings

import numpy as np
import pytest
from sklearn.compose import TransformedTargetRegressor
from sklearn.metrics import r2_score
from sklearn.preprocessing import RobustScaler

from backprop_mlp import BackpropMLPRegressor, BackpropMLPRegressorCV

RNG = np.random.default_rng(0)
X = RNG.normal(size=(1500, 2))
NOISE = RNG.normal(size=1500)
SEVERITIES = np.exp(X[:, 0] + 2.0 * NOISE)
CLAIMS = np.where(RNG.random(1500) < 0.7, 0.0, np.exp(NOISE))


def quantile(q, **params):
    params = {"alpha": 5.0, "random_state": 0} | params
    return BackpropMLPRegressor(10, loss="quantile", quantile=q, **params)


def warned(model, y):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(X, y)
    return [str(w.message) for w in caught if "crowded" in str(w.message)]


def share_below(model, y):
    return np.mean(y <= model.predict(X))


def test_low_quantiles_of_a_long_tail_are_warned_of_and_the_advice_mends_them():
    """Of lognormal numbers the deviation is hundreds of times what tells small ones apart."""
    model = quantile(0.05)
    (message,) = warned(model, SEVERITIES)
    assert share_below(model, SEVERITIES) < 0.03
    assert "RobustScaler" in message
    assert "normalize_y=False" in message
    advised = TransformedTargetRegressor(
        quantile(0.05, normalize_y=False), transformer=RobustScaler()
    )
    assert warned(advised, SEVERITIES) == []
    assert 0.04 < share_below(advised, SEVERITIES) < 0.06


@pytest.mark.parametrize("q", [0.25, 0.5, 0.95])
def test_quantiles_of_a_long_tail_that_are_right_are_not_warned_of(q):
    model = quantile(q)
    assert warned(model, SEVERITIES) == []
    assert share_below(model, SEVERITIES) == pytest.approx(q, abs=0.03)


@pytest.mark.parametrize("q", [0.01, 0.5, 0.8, 0.99])
@pytest.mark.parametrize("y", [NOISE, CLAIMS, np.round(NOISE), np.ones(1500)], ids=str)
def test_equal_numbers_and_usual_ones_are_not_crowded(y, q):
    assert warned(quantile(q, max_iter=3), y) == []


def test_one_row_far_away_is_enough():
    y = np.append(NOISE[1:], 1e4)
    assert len(warned(quantile(0.05), y)) == 1
    assert warned(BackpropMLPRegressor(10, alpha=5.0), y) == []


def test_a_huber_threshold_that_outliers_have_inflated_is_warned_of_and_the_advice_mends_it():
    y = X[:, 0] + 0.1 * NOISE
    y[:30] += 1000.0
    network = BackpropMLPRegressor(20, loss="huber", random_state=0)
    (message,) = warned(network, y)
    assert "huber_threshold: that is 189 in y's units" in message
    assert r2_score(y[30:], network.predict(X[30:])) < 0.0
    advised = TransformedTargetRegressor(
        network.set_params(normalize_y=False), transformer=RobustScaler()
    )
    assert warned(advised, y) == []
    assert r2_score(y[30:], advised.predict(X[30:])) > 0.9


@pytest.mark.parametrize("y", [NOISE, CLAIMS, np.round(NOISE), np.ones(1500)], ids=str)
def test_a_huber_threshold_that_fits_is_not_warned_of(y):
    assert warned(BackpropMLPRegressor(10, loss="huber", alpha=5.0, max_iter=3), y) == []


def test_a_huber_threshold_that_is_too_large_by_itself_is_to_be_lowered():
    network = BackpropMLPRegressor(10, loss="huber", alpha=5.0, max_iter=3)
    (message,) = warned(network.set_params(huber_threshold=30.0), NOISE)
    assert "30 deviations" in message
    assert "a few rows far away" not in message
    assert "Lower huber_threshold" in message
    assert warned(network.set_params(huber_threshold=10.0), NOISE) == []


def test_small_numbers_that_are_not_normalised_are_warned_of_by_their_column():
    y = np.column_stack([NOISE, 1e-6 * NOISE])
    (message,) = warned(quantile(0.5, normalize_y=False, max_iter=3), y)
    assert message.startswith("y of output 1 is crowded")
    assert warned(quantile(0.5, max_iter=3), y) == []


def test_a_constant_model_of_a_crowded_y_is_not_called_a_strong_penalty(recwarn):
    y = X[:, 0] + 0.1 * NOISE
    y[:30] += 1000.0
    network = BackpropMLPRegressor(10, loss="huber", alpha=1e5, max_iter=500, random_state=0)
    assert np.ptp(network.fit(X, y).predict(X)) < 1e-3
    assert ["crowded" in str(warning.message) for warning in recwarn] == [True]


def test_the_first_chunk_of_a_stream_is_looked_at_alone(recwarn):
    network = quantile(0.05, solver="adam")
    for _ in range(2):
        network.partial_fit(X, SEVERITIES)
    assert ["crowded" in str(warning.message) for warning in recwarn] == [True]


@pytest.mark.parametrize("refit", [True, False, "folds"])
def test_a_search_warns_once(refit):
    network = quantile(0.05, max_iter=5)
    search = BackpropMLPRegressorCV(network, alphas=[1.0, 10.0], cv=3, refit=refit)
    assert len(warned(search, SEVERITIES)) == 1
