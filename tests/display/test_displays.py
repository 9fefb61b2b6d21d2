"""What all Displays share: where they draw, and what they need for it."""

import sys

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from backprop_mlp import (
    BackpropMLPClassifier,
    GradientCheckDisplay,
    HiddenUnitsDisplay,
    ImageGridDisplay,
    LearningRateRange,
    LearningRateRangeDisplay,
    LossCurveDisplay,
    NetworkActivationsDisplay,
    check_gradient,
)

matplotlib = pytest.importorskip("matplotlib", reason="pictures need matplotlib")
plt = pytest.importorskip("matplotlib.pyplot")


@pytest.fixture
def displays(fitted, iris):
    """A picture of each kind, not yet drawn, and how many axes it has."""
    costs = np.array([2.0, 1.0, 9.0])
    return [
        (ImageGridDisplay(np.zeros((3, 2, 5))), 1),
        (HiddenUnitsDisplay(np.zeros((3, 2, 5))), 1),
        (NetworkActivationsDisplay([[0.5, 2.0], [0.2], [0.9]], ["tanh", "logistic"], ["yes"]), 3),
        (NetworkActivationsDisplay([[0.5, 2.0], [0.2], [0.9]], [None, None], ["yes"]), 3),
        (LossCurveDisplay({"a": [3.0, 2.0], "b": [3.0, 1.0]}), 1),
        (LossCurveDisplay({None: [3.0, 2.0], "b": [3.0, 1.0]}, {None: [3.0, 2.0]}), 1),
        (LearningRateRangeDisplay(LearningRateRange(np.array([0.1, 0.2, 0.4]), costs, costs)), 1),
        (GradientCheckDisplay(check_gradient(fitted, *iris)), 2),
    ]


def test_plot_draws_on_the_axes_that_it_is_given(displays):
    for display, n_axes in displays:
        figure, axes = plt.subplots(1, n_axes)
        assert display.plot(ax=axes) is display
        assert display.figure_ is figure
        assert np.array_equal(np.ravel(display.ax_), np.ravel(axes))
        assert plt.get_fignums() == [figure.number]
        plt.close(figure)


def test_plot_without_axes_makes_a_new_figure(displays):
    for display, _ in displays:
        first = display.plot().figure_
        assert display.plot().figure_ is not first


def test_plot_without_matplotlib_names_the_extra(displays, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.delitem(sys.modules, "matplotlib.pyplot")
    for display, _ in displays:
        with pytest.raises(ImportError, match=r'pip install "backprop-mlp\[plot\]"') as error:
            display.plot()
        assert type(display).__name__ in str(error.value)


def test_nothing_that_is_missing_is_written_as_none(displays):
    for display, _ in displays:
        texts = [text.get_text() for text in display.plot().figure_.findobj(matplotlib.text.Text)]
        assert any(texts) or isinstance(display, ImageGridDisplay)
        assert not [text for text in texts if "None" in text]


@pytest.mark.parametrize("display", [LossCurveDisplay, HiddenUnitsDisplay])
def test_an_estimator_that_is_not_fitted_is_refused(display):
    with pytest.raises(NotFittedError):
        display.from_estimator(BackpropMLPClassifier())
    with pytest.raises(NotFittedError):
        display.from_estimator(make_pipeline(StandardScaler(), BackpropMLPClassifier()))
