"""The search over a regressor's alpha: what it chooses by, and what it averages."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_diabetes
from sklearn.metrics import mean_pinball_loss, r2_score
from sklearn.model_selection import KFold
from sklearn.preprocessing import scale

from backprop_mlp import BackpropMLPRegressor, BackpropMLPRegressorCV

X, y = load_diabetes(return_X_y=True)
X, y = scale(X)[:120], y[:120]
Y = np.column_stack([y, 3.0 * X[:, 2] - 1.0])
WEIGHTS = np.random.default_rng(1).integers(0, 4, len(y)).astype(float)
ALPHAS = [1.0, 10.0, 100.0]

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def search(alphas=ALPHAS, cv=2, refit="folds", **params):
    defaults = {"hidden_layer_sizes": 4, "activation": "tanh", "max_iter": 8, "random_state": 0}
    network = BackpropMLPRegressor(**defaults | params)
    return BackpropMLPRegressorCV(network, alphas=alphas, cv=cv, refit=refit)


def test_the_held_out_loss_is_the_loss_in_units_of_all_rows():
    fitted = search().fit(X, Y)
    z = (fitted.oof_prediction_ - Y) / Y.std(axis=0)
    at_alpha = search(refit=False).fit(X, Y)
    expected = 0.5 * ((at_alpha.oof_prediction_ - Y) / Y.std(axis=0)) ** 2
    assert fitted.best_score_ == pytest.approx(-expected.sum(axis=1).mean(), rel=1e-12)
    assert z.shape == Y.shape


def test_row_weights_count_in_the_held_out_loss():
    fitted = search(refit=False).fit(X, y, WEIGHTS)
    squares = 0.5 * (fitted.oof_prediction_ - y) ** 2
    expected = np.average(squares, weights=WEIGHTS) / fitted.y_scale_[0] ** 2
    assert fitted.best_score_ == pytest.approx(-expected, rel=1e-12)


@pytest.mark.parametrize("loss", ["squared_error", "huber", "poisson", "gamma", "quantile"])
def test_every_loss_can_choose(loss):
    fitted = search(ALPHAS[:2], loss=loss).fit(X, y)
    assert fitted.alpha_ in ALPHAS
    assert fitted.set_params(scoring="loss").score(X, y) < 0.0


def test_a_quantile_is_chosen_by_its_own_loss():
    fitted = search(loss="quantile", quantile=0.9, refit=False).fit(X, y)
    pinball = mean_pinball_loss(y, fitted.oof_prediction_, alpha=0.9) / y.std()
    assert -fitted.best_score_ == pytest.approx(pinball, abs=0.003 / 4)


def test_the_units_of_y_change_no_choice():
    there, moved = search().fit(X, y), search().fit(X, 1e6 * y + 1e9)
    assert there.alpha_ == moved.alpha_
    np.testing.assert_allclose(moved.scores_, there.scores_, rtol=1e-6)


@pytest.mark.parametrize("target", [y, Y], ids=["one output", "two outputs"])
def test_the_networks_of_the_folds_are_averaged(target):
    fitted = search().fit(X, target)
    mean = np.mean([network.predict(X) for network in fitted.estimators_], axis=0)
    np.testing.assert_allclose(fitted.predict(X), mean, rtol=1e-12)
    assert {network.alpha for network in fitted.estimators_} >= {fitted.alpha_}
    again = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(again.predict(X), fitted.predict(X))


def test_a_refitted_network_is_trained_on_all_rows():
    fitted = search(refit=True).fit(X, y)
    alone = clone(fitted.estimator).set_params(alpha=fitted.alpha_).fit(X, y)
    np.testing.assert_array_equal(fitted.predict(X), alone.predict(X))
    assert fitted.score(X, y) == pytest.approx(r2_score(y, alone.predict(X)), rel=1e-12)


def test_the_loss_of_the_path_is_that_of_its_fits():
    fitted = search(alphas=[1.0], cv=KFold(3), refit=False).fit(X, y)
    expected = np.empty_like(y)
    for train, test in KFold(3).split(X):
        expected[test] = (
            clone(fitted.estimator).set_params(alpha=1.0).fit(X[train], y[train]).predict(X[test])
        )
    np.testing.assert_array_equal(fitted.oof_prediction_, expected)


def test_any_scorer_chooses():
    fitted = search(refit=True).set_params(scoring="neg_mean_absolute_error").fit(X, y)
    assert fitted.score(X, y) == pytest.approx(-np.abs(fitted.predict(X) - y).mean(), rel=1e-12)


def test_a_search_without_a_network_can_not_predict():
    assert not hasattr(search(refit=False).fit(X, y), "predict")


def test_a_search_that_fails_leaves_the_estimator_as_it_was():
    fitted = search().fit(X, y)
    before = dict(vars(fitted))
    with pytest.raises(ValueError, match="y must be > 0 with loss='gamma'"):
        fitted.set_params(estimator__loss="gamma").fit(X, -y)
    after = dict(vars(fitted))
    assert all(after[name] is before[name] for name in before if name != "estimator")


UNCOUNTED = np.where(np.arange(len(y)) % 7 == 0, 0.0, 1.0)


@pytest.mark.parametrize("scoring", [None, "loss", "neg_mean_squared_error"])
@pytest.mark.parametrize(
    ("loss", "anything"), [("squared_error", 1e200), ("poisson", -3.0), ("gamma", 0.0)]
)
def test_rows_of_weight_0_may_hold_any_y(loss, anything, scoring):
    model = search(ALPHAS[:2], loss=loss).set_params(scoring=scoring)
    there, here = clone(model), clone(model)
    changed = np.where(UNCOUNTED > 0.0, y, anything)
    there.fit(X, y, UNCOUNTED)
    here.fit(X, changed, UNCOUNTED)
    assert here.alpha_ == there.alpha_
    np.testing.assert_array_equal(here.predict(X), there.predict(X))
    np.testing.assert_allclose(here.scores_, there.scores_, rtol=1e-12)
    if scoring != "neg_mean_squared_error":
        assert here.score(X, changed, UNCOUNTED) == there.score(X, y, UNCOUNTED)
