"""Looking into a regressor: pictures, checks, tables, and what scikit-learn asks of it."""

import numpy as np
import pytest
import sklearn
from sklearn.base import clone
from sklearn.datasets import load_diabetes
from sklearn.model_selection import cross_validate
from sklearn.preprocessing import scale
from sklearn.utils import get_tags

from backprop_mlp import (
    BackpropMLPRegressor,
    BackpropMLPRegressorCV,
    HiddenUnitsDisplay,
    LossCurveDisplay,
    NetworkActivationsDisplay,
    check_gradient,
    learning_rate_range_test,
)

pytest.importorskip("matplotlib")

X, y = load_diabetes(return_X_y=True)
X, y = scale(X)[:150], y[:150]
Y = np.column_stack([y, -X[:, 2]])
LOSSES = ["squared_error", "huber", "poisson", "gamma", "quantile"]

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def regressor(solver="cg", **params):
    defaults = {"hidden_layer_sizes": 9, "activation": "tanh", "max_iter": 5, "random_state": 0}
    return BackpropMLPRegressor(**defaults | params, solver=solver)


def test_outputs_that_are_numbers_are_drawn_as_they_are():
    display = NetworkActivationsDisplay.from_estimator(regressor().fit(X, Y), X, row=3)
    widths = [bar.get_width() for bar in display.bars_]
    np.testing.assert_allclose(widths, regressor().fit(X, Y).predict(X[[3]])[0], rtol=1e-12)
    axis = display.ax_[-1]
    assert axis.get_xlabel() == "Prediction"
    assert axis.get_xlim()[1] >= max(widths)
    assert [label.get_text() for label in axis.get_yticklabels()] == ["0", "1"]


def test_one_output_is_drawn_too():
    display = NetworkActivationsDisplay.from_estimator(regressor(loss="poisson").fit(X, y), X)
    assert len(display.bars_) == 1
    assert display.ax_[-1].get_title() == "Outputs: exp"


def test_curves_and_hidden_units_are_drawn():
    model = regressor(hidden_layer_sizes=4).fit(X, y, X_val=X, y_val=y)
    assert len(LossCurveDisplay.from_estimator(model).lines_) == 2
    HiddenUnitsDisplay.from_estimator(model, image_shape=(2, 5))


def test_the_range_test_finds_a_rate():
    result = learning_rate_range_test(regressor("sgd"), X, y)
    assert 1e-6 < result.suggestion < 10.0


@pytest.mark.parametrize("loss", LOSSES)
def test_the_gradient_of_a_fitted_network_is_right(loss):
    check = check_gradient(regressor(loss=loss, max_iter=3).fit(X, y), X, y)
    assert check.passed is not False


def test_batch_norm_and_dropout_are_checked_too():
    model = regressor("adam", batch_norm=True, dropout=0.2)
    assert check_gradient(model, X, Y, random_state=0).passed
    assert check_gradient(model.fit(X, Y), X, Y, random_state=0).passed is not False


def test_the_gradient_of_the_cost_is_laid_out_as_thetas():
    model = regressor().fit(X, Y)
    cost, gradients = model.cost_gradient(X, Y)
    assert cost == pytest.approx(model.loss_, rel=1e-12)
    assert [g.shape for g in gradients] == [theta.shape for theta in model.thetas_]


def test_the_summary_names_the_outputs():
    assert "output         9      2  identity" in str(regressor().fit(X, Y).summary())


def test_activations_end_with_the_predictions():
    model = regressor(loss="gamma").fit(X, y)
    *_, outputs = model.activations(X)
    np.testing.assert_array_equal(outputs[:, 0], model.predict(X))


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("wrap", [clone, BackpropMLPRegressorCV])
def test_a_tag_says_whether_y_must_be_positive(loss, wrap):
    tags = get_tags(wrap(regressor(loss=loss)))
    assert tags.target_tags.positive_only is (loss in ("poisson", "gamma"))


@pytest.mark.parametrize("params", [{"loss": "no such loss"}, {"loss": []}, {"quantile": "half"}])
def test_tags_can_be_asked_for_before_keywords_are_checked(params):
    for estimator in (BackpropMLPRegressor(**params), BackpropMLPRegressorCV("no estimator")):
        assert get_tags(estimator).target_tags.positive_only is False


def test_row_weights_are_routed():
    weights = np.linspace(0.0, 1.0, len(y))
    with sklearn.config_context(enable_metadata_routing=True):
        model = regressor().set_fit_request(sample_weight=True)
        model.set_score_request(sample_weight=True)
        found = cross_validate(
            model, X, y, cv=2, params={"sample_weight": weights}, return_estimator=True
        )
        first = found["estimator"][0]
        expected = regressor().fit(X[75:], y[75:], weights[75:])
        np.testing.assert_array_equal(first.predict(X), expected.predict(X))
        score = expected.score(X[:75], y[:75], weights[:75])
        assert found["test_score"][0] == pytest.approx(score, rel=1e-12)
