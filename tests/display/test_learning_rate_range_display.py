"""The picture of the learning-rate range test shows what the test recorded."""

import sys
from dataclasses import replace

import numpy as np
import pytest
from sklearn.datasets import load_digits, load_iris
from sklearn.exceptions import ConvergenceWarning

from backprop_mlp import (
    BackpropMLPClassifier,
    LearningRateRange,
    LearningRateRangeDisplay,
    learning_rate_range_test,
)

matplotlib = pytest.importorskip("matplotlib", reason="pictures need matplotlib")
matplotlib.use("Agg")
plt = pytest.importorskip("matplotlib.pyplot")

X, y = load_iris(return_X_y=True)
NETWORK = BackpropMLPClassifier(5, solver="sgd", batch_size=20, random_state=0)


@pytest.fixture(scope="module")
def result():
    """The cost falls, is lowest at the rate 0.1, and explodes after it."""
    costs = np.array([3.0, 2.9, 3.2, 1.0, 0.5, 40.0])
    return LearningRateRange(np.geomspace(1e-5, 1.0, 6), costs, costs)


def test_the_costs_are_drawn_over_the_rates(result):
    points, smoothed, suggestion = LearningRateRangeDisplay(result).plot().lines_
    for line, costs in ((points, result.costs), (smoothed, result.smoothed)):
        np.testing.assert_array_equal(line.get_xdata(), result.rates)
        np.testing.assert_array_equal(line.get_ydata(), costs)
    assert list(suggestion.get_xdata()) == [result.suggestion] * 2
    assert points.get_linestyle() == "None"
    assert suggestion.get_label() == f"suggestion: {result.suggestion:.2g}"


def test_the_axis_reaches_over_all_costs_before_the_lowest_only(result):
    ax = LearningRateRangeDisplay(result).plot().ax_
    bottom, top = ax.get_ylim()
    assert bottom == 0.0
    assert 3.2 < top < 40.0
    assert ax.get_xscale() == "log"


def test_costs_above_the_picture_are_marked_at_its_upper_edge(result):
    display = LearningRateRangeDisplay(result).plot()
    (marks,) = display.marks_
    assert list(marks.get_xdata()) == [result.rates[-1]]
    (place,) = marks.get_transform().transform(np.column_stack(marks.get_data()))
    np.testing.assert_allclose(place[1], display.ax_.transAxes.transform((0.0, 1.0))[1])
    np.testing.assert_allclose(place[0], display.ax_.transData.transform((result.rates[-1], 1))[0])
    assert "above the picture" in [text.get_text() for text in display.ax_.get_legend().get_texts()]


def test_where_all_costs_are_seen_none_is_marked(result):
    falling = np.linspace(3.0, 1.0, 6)
    display = LearningRateRangeDisplay(replace(result, costs=falling, smoothed=falling)).plot()
    assert display.marks_ == []
    assert len(display.ax_.get_legend().get_texts()) == 3


def test_the_suggestion_is_a_tenth_of_the_rate_of_the_lowest_smoothed_cost(result):
    assert result.suggestion == pytest.approx(0.01)


@pytest.mark.parametrize("output_activation", ["logistic", "softmax"])
@pytest.mark.parametrize("solver", ["sgd", "adam", "rmsprop"])
def test_training_at_the_suggestion_goes_well(solver, output_activation):
    """It ends not far above the best of many rates, and far below a hundredth of it."""
    digits, labels = (part[:300] for part in load_digits(return_X_y=True))
    digits = digits / 16.0
    network = BackpropMLPClassifier(
        25,
        solver=solver,
        output_activation=output_activation,
        batch_size=50,
        max_iter=10,
        n_iter_no_change=10,
        random_state=0,
    )
    suggestion = learning_rate_range_test(network, digits, labels).suggestion
    costs = []
    for factor in (0.01, 1.0, 0.3, 3.0, 10.0):
        network.set_params(learning_rate_init=factor * suggestion)
        with pytest.warns(ConvergenceWarning):
            costs.append(network.fit(digits, labels).loss_)
    assert costs[1] < 2.0 * min(costs)
    assert costs[1] < 0.3 * costs[0]


def test_from_estimator_makes_the_test_that_it_is_asked_for():
    settings = {"min_rate": 1e-3, "max_rate": 0.5, "n_steps": 12}
    weights = np.linspace(0.5, 2.0, len(y))
    display = LearningRateRangeDisplay.from_estimator(NETWORK, X, y, weights, **settings)
    expected = learning_rate_range_test(NETWORK, X, y, weights, **settings)
    assert len(display.result.rates) == 12
    for drawn, tested in zip(vars(display.result).values(), vars(expected).values(), strict=True):
        np.testing.assert_array_equal(drawn, tested)


def test_plot_draws_on_the_axis_that_it_is_given(result):
    figure, ax = plt.subplots()
    display = LearningRateRangeDisplay(result)
    assert display.plot(ax=ax) is display
    assert (display.figure_, display.ax_) == (figure, ax)
    assert plt.get_fignums() == [figure.number]
    assert display.plot().figure_ is not figure


def test_keywords_reach_the_smoothed_costs(result):
    points, smoothed, _ = LearningRateRangeDisplay(result).plot(lw=5, color="C3").lines_
    assert (smoothed.get_linewidth(), smoothed.get_color()) == (5, "C3")
    assert points.get_color() != "C3"


def test_plot_without_matplotlib_names_the_extra(result, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.delitem(sys.modules, "matplotlib.pyplot")
    with pytest.raises(ImportError, match=r'LearningRateRangeDisplay.*"backprop-mlp\[plot\]"'):
        LearningRateRangeDisplay(result).plot()


@pytest.mark.parametrize(
    ("scale", "rates"),
    [(1e200, {}), (1.0, {"min_rate": 1e300, "max_rate": 1e301})],
    ids=["features", "rates"],
)
def test_a_cost_that_overflows_at_once_is_an_error_that_names_the_rate(scale, rates):
    with pytest.raises(FloatingPointError, match=r"at once, with min_rate=1e[+-]"):
        learning_rate_range_test(NETWORK, scale * X, y, **rates)
