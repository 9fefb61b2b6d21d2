"""The picture of a gradient check shows every coordinate, and marks those that it can't place."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.preprocessing import StandardScaler

from backprop_mlp import (
    BackpropMLPClassifier,
    GradientCheck,
    GradientCheckDisplay,
    check_gradient,
)

plt = pytest.importorskip("matplotlib.pyplot", reason="pictures need matplotlib")

X, y = load_iris(return_X_y=True)


def points(line):
    return np.asarray(line.get_xdata()), np.asarray(line.get_ydata())


def drawn(ax):
    """Points of an axis by label."""
    return {
        line.get_label(): points(line) for line in ax.get_lines() if line.get_marker() != "None"
    }


def test_weights_and_biases_are_drawn_against_their_differences(fitted):
    display = GradientCheckDisplay.from_estimator(fitted, X, y)
    check = display.check
    gradients, errors = (drawn(ax) for ax in display.ax_)
    assert list(gradients) == ["weight", "bias"]
    n_weights = sum(W.size for W in fitted.coefs_)
    np.testing.assert_array_equal(
        gradients["weight"], [check.differences[:n_weights], check.backpropagation[:n_weights]]
    )
    np.testing.assert_array_equal(
        gradients["bias"], [check.differences[n_weights:], check.backpropagation[n_weights:]]
    )
    lowest = display.ax_[1].get_ylim()[0]
    for name, n_before, n_after in (("weight", 0, n_weights), ("bias", n_weights, None)):
        expected = np.abs(check.error[n_before:n_after])
        seen = expected >= lowest
        coordinates, error = errors[name]
        np.testing.assert_array_equal(coordinates, np.flatnonzero(seen) + n_before)
        np.testing.assert_array_equal(error, expected[seen])


def test_what_batch_normalisation_trains_is_neither_weight_nor_bias():
    network = BackpropMLPClassifier(3, "tanh", solver="adam", batch_norm=True)
    gradients = drawn(GradientCheckDisplay.from_estimator(network, X, y).ax_[0])
    found = {name: len(differences) for name, (differences, _) in gradients.items()}
    assert found == {"weight": 4 * 3 + 3 * 3, "bias": 3 + 3, "batch normalisation": 2 * 3}


def test_kinks_are_marked_as_not_counted():
    network = BackpropMLPClassifier(8, "relu", random_state=0)
    scaled = StandardScaler().fit_transform(X)
    display = GradientCheckDisplay.from_estimator(network, scaled, y, step=0.01)
    n_kinks = np.count_nonzero(display.check.at_kink)
    assert n_kinks > 0
    for ax in display.ax_:
        assert len(drawn(ax)["at a kink, not counted"][0]) == n_kinks


@pytest.fixture
def check():
    """Two errors that are seen, then in each group one that is too small and one of zero."""
    error = np.array([1e-9, 2e-10, 1e-30, 0.0, 1e-30, 0.0, 1e-30, 0.0])
    names = ["coefs_[0][0, 0]"] * 4 + ["intercepts_[0][0]"] * 2 + ["coefs_[0][1, 0]"] * 2
    return GradientCheck(
        names=names,
        differences=error,
        backpropagation=np.zeros(8),
        at_kink=np.array([False] * 6 + [True] * 2),
        step=6e-6,
        cost=0.7,
        rounding=np.full(8, 1e-10),
    )


def test_errors_below_the_picture_are_marked_at_its_lower_edge(check):
    display = GradientCheckDisplay(check).plot(color="C5", marker="s")
    ax, marks = display.ax_[1], display.marks_
    assert {line.get_label() for line in marks} == {"below the picture"}
    assert [line.get_marker() for line in marks] == ["v"] * 3
    assert [list(line.get_xdata()) for line in marks] == [[2, 3], [4, 5], [6, 7]]
    lower_edge = ax.transAxes.transform((0.0, 0.0))[1]
    for line in marks:
        places = line.get_transform().transform(np.column_stack(line.get_data()))
        np.testing.assert_allclose(places[:, 1], lower_edge)
        expected = ax.transData.transform([(x, 1e-9) for x in line.get_xdata()])
        np.testing.assert_allclose(places[:, 0], expected[:, 0])
    assert list(drawn(ax)["weight"][0]) == [0, 1]
    texts = [text.get_text() for text in ax.get_legend().get_texts()]
    assert texts == ["below the picture", "rounding floor"]


def test_where_all_errors_are_seen_none_is_marked(check):
    seen = replace(check, differences=np.full(8, 1e-9))
    display = GradientCheckDisplay(seen).plot()
    ax = display.ax_[1]
    assert display.marks_ == []
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["rounding floor"]


def test_a_check_of_kinks_alone_is_drawn():
    check = check_gradient(BackpropMLPClassifier(2, random_state=0), X, y)
    GradientCheckDisplay(replace(check, at_kink=np.ones_like(check.at_kink))).plot()


def test_the_title_tells_the_verdict(fitted):
    good = GradientCheckDisplay.from_estimator(fitted, X, y)
    assert good.ax_[0].get_title() == "Gradient check passed"
    wrong = replace(good.check, backpropagation=2.0 * good.check.backpropagation)
    assert GradientCheckDisplay(wrong).plot().ax_[0].get_title() == "Gradient check FAILED"
    # A step so large that the differences say little decides nothing.
    coarse = GradientCheckDisplay.from_estimator(fitted, X, y, step=0.5)
    assert coarse.ax_[0].get_title() == "Gradient check not decided"


def test_a_check_that_decides_nothing_has_not_failed(check):
    class Undecided(GradientCheck):
        passed = None

    display = GradientCheckDisplay(Undecided(**vars(check))).plot()
    assert display.ax_[0].get_title() == "Gradient check not decided"


def test_the_gradient_check_needs_two_axes(check):
    with pytest.raises(ValueError, match="ax must be 2 axes, or None; got 1"):
        GradientCheckDisplay(check).plot(ax=plt.subplots()[1])
