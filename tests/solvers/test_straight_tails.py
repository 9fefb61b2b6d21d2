"""Losses that are straight far from the right prediction: few rows, or none, have curvature."""

import numpy as np
import pytest
from keywords import FULL_BATCH
from sklearn.linear_model import QuantileRegressor
from sklearn.metrics import mean_pinball_loss

from backprop_mlp import BackpropMLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

SOLVERS = pytest.mark.parametrize("solver", FULL_BATCH)


def heavy_tailed(seed):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(300, 4)) * [1.0, 3.0, 0.5, 2.0]
    return X, X @ [0.5, -0.2, 0.3, 0.1] + rng.standard_t(2, size=300)


@SOLVERS
@pytest.mark.parametrize("quantile", [0.1, 0.5, 0.9])
def test_a_linear_quantile_comes_close_to_the_lowest_loss(solver, quantile):
    model = BackpropMLPRegressor((), loss="quantile", quantile=quantile, alpha=0.0, solver=solver)
    exact = QuantileRegressor(quantile=quantile, alpha=0.0)
    for seed in range(8):
        X, y = heavy_tailed(seed)
        found, lowest = (
            mean_pinball_loss(y, regressor.fit(X, y).predict(X), alpha=quantile)
            for regressor in (model.set_params(random_state=seed), exact)
        )
        assert found < 1.002 * lowest


@SOLVERS
@pytest.mark.parametrize("alpha", [0.0, 1e-3])
@pytest.mark.parametrize(
    "params",
    [{"loss": "quantile"}, {"loss": "huber", "huber_threshold": 1e-3}],
    ids=lambda params: params["loss"],
)
def test_a_start_without_curvature_is_left(solver, alpha, params):
    y = np.array([-2.0, -1.0, 1.0, 2.0])
    X = y[:, np.newaxis] + 0.5
    for seed in range(5):
        model = BackpropMLPRegressor(
            (), solver=solver, alpha=alpha, tol=0.0, random_state=seed, **params
        )
        assert model.fit(X, y).score(X, y) > 0.99
