"""Costs are drawn at the iterations after which they were measured."""

from types import MappingProxyType

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from backprop_mlp import BackpropMLPClassifier, LossCurveDisplay

pytest.importorskip("matplotlib", reason="pictures need matplotlib")
plt = pytest.importorskip("matplotlib.pyplot")

X, y = load_iris(return_X_y=True)
NAN = np.nan


def points(line):
    return np.asarray(line.get_xdata()), np.asarray(line.get_ydata())


def test_a_curve_has_one_point_per_iteration(fitted):
    (line,) = LossCurveDisplay.from_estimator(fitted).lines_
    iterations, costs = points(line)
    np.testing.assert_array_equal(iterations, np.arange(1, fitted.n_iter_ + 1))
    np.testing.assert_array_equal(costs, fitted.loss_curve_)


def with_validation(random_state):
    """A network that was trained with validation rows."""
    network = BackpropMLPClassifier(6, tol=0.01, random_state=random_state)
    return network.fit(X[::2], y[::2], X_val=X[1::2], y_val=y[1::2])


def test_validation_is_dashed_in_the_colour_of_its_training_curve(fitted):
    estimators = {"a": with_validation(0), "b": fitted, "c": with_validation(1)}
    display = LossCurveDisplay.from_estimator(estimators)
    assert [line.get_label() for line in display.lines_] == [
        "a training",
        "a validation",
        "b training",
        "c training",
        "c validation",
    ]
    assert [line.get_linestyle() for line in display.lines_] == ["-", "--", "-", "-", "--"]
    a, a_validation, b, c, c_validation = display.lines_
    assert a.get_color() == a_validation.get_color()
    assert c.get_color() == c_validation.get_color()
    assert len({line.get_color() for line in (a, b, c)}) == 3
    assert len({line.get_marker() for line in (a, b, c)}) == 3
    np.testing.assert_array_equal(points(c)[1], estimators["c"].loss_curve_)
    np.testing.assert_array_equal(points(c_validation)[1], estimators["c"].validation_loss_curve_)


def test_one_curve_needs_no_legend_and_several_are_named(fitted):
    assert LossCurveDisplay.from_estimator(fitted).ax_.get_legend() is None
    display = LossCurveDisplay.from_estimator({"shallow": fitted, "deep": fitted})
    assert [text.get_text() for text in display.ax_.get_legend().get_texts()] == ["shallow", "deep"]
    display = LossCurveDisplay.from_estimator(with_validation(0))
    assert [line.get_label() for line in display.lines_] == ["training", "validation"]


def test_any_mapping_names_estimators(fitted):
    display = LossCurveDisplay.from_estimator(MappingProxyType({"a": fitted, "b": fitted}))
    assert [line.get_label() for line in display.lines_] == ["a", "b"]


def test_line_keywords_reach_matplotlib_in_their_short_form_too(fitted):
    (line,) = LossCurveDisplay.from_estimator(fitted, c="red", ls=":", lw=3).lines_
    assert (line.get_color(), line.get_linestyle(), line.get_linewidth()) == ("red", ":", 3)


def test_other_estimators_and_pipelines_are_drawn(fitted):
    other = MLPClassifier(5, max_iter=3, random_state=0)
    pipeline = make_pipeline(StandardScaler(), other)
    with pytest.warns(match="Maximum iterations"):
        pipeline.fit(X, y)
    display = LossCurveDisplay.from_estimator({"theirs": pipeline, "ours": fitted})
    np.testing.assert_array_equal(points(display.lines_[0])[1], other.loss_curve_)


def validation_line(validation, marked=False):
    """The line of a validation curve; curves are marked where there are several estimators."""
    training = np.geomspace(3.0, 0.1, 40)
    curves = {"a": training, "b": training} if marked else {"a": training}
    display = LossCurveDisplay(curves, {"a": validation}).plot(ax=plt.figure().add_subplot())
    display.figure_.canvas.draw()
    return display.lines_[1]


@pytest.mark.parametrize("marked", [False, True])
def test_validation_is_drawn_at_the_iterations_that_had_validation_rows(marked):
    costs = np.linspace(0.6, 0.3, 20)
    later = validation_line(np.r_[np.full(20, NAN), costs], marked)
    np.testing.assert_array_equal(points(later), [np.arange(21, 41), costs])
    earlier = validation_line(np.r_[costs, np.full(20, NAN)], marked)
    np.testing.assert_array_equal(points(earlier), [np.arange(1, 21), costs])


def test_a_shorter_validation_curve_starts_at_the_first_iteration():
    line = validation_line([0.5, 0.4, 0.3])
    np.testing.assert_array_equal(points(line), [[1, 2, 3], [0.5, 0.4, 0.3]])


def test_the_line_has_a_gap_where_nothing_was_measured():
    line = validation_line([NAN, 0.5, 0.4, NAN, NAN, 0.3, 0.2, NAN])
    iterations, costs = points(line)
    np.testing.assert_array_equal(iterations, [2, 3, 4, 5, 6, 7])
    np.testing.assert_array_equal(costs, [0.5, 0.4, NAN, NAN, 0.3, 0.2])


@pytest.mark.parametrize("gaps", [[], [0, 1, 2], [1, 2, 30], range(0, 40, 2), range(3, 39)])
def test_markers_stand_at_measured_iterations(gaps):
    curve = np.linspace(0.6, 0.3, 40)
    curve[list(gaps)] = NAN
    line = validation_line(curve, marked=True)
    iterations, costs = points(line)
    marked = iterations[line.get_markevery()]
    assert np.isfinite(costs[line.get_markevery()]).all()
    assert marked[0] == iterations[0]
    assert line.get_marker() == "o"
    if not len(gaps):
        assert 10 <= len(marked) <= 14


@pytest.mark.parametrize("marked", [False, True])
def test_a_lone_measurement_is_seen(marked):
    """No line reaches it, so that it needs a marker, where other curves have none too."""
    curve = np.linspace(0.6, 0.3, 40)
    curve[[*range(20), 23, 25, 27]] = NAN
    line = validation_line(curve, marked)
    assert line.get_marker() not in ("None", "", None)
    shown = points(line)[0][line.get_markevery()]
    assert {25, 27} <= set(shown)
    assert marked or set(shown) == {25, 27}


def test_one_iteration_is_seen():
    (line,) = LossCurveDisplay({"": [2.0]}).plot().lines_
    assert (line.get_marker(), line.get_markevery()) == (".", [0])


def test_a_curve_without_any_measurement_has_no_line_and_no_legend():
    display = LossCurveDisplay({"": [3.0, 2.0]}, {"": [NAN, NAN]}).plot()
    assert len(display.lines_) == 1
    assert display.ax_.get_legend() is None


def test_a_curve_without_a_name_is_labelled_by_what_it_shows():
    display = LossCurveDisplay({None: [3.0, 2.0], 0.1: [3.0, 1.0]}, {None: [3.0, 2.5]}).plot()
    labels = [line.get_label() for line in display.lines_]
    assert labels == ["training", "validation", "0.1 training"]
