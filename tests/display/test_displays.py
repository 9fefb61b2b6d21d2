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


@pytest.mark.parametrize("ax", [True, 1, "ax", np.array(5), [None], plt])
def test_what_is_no_axis_is_refused_by_name_without_a_new_figure(displays, ax):
    for display, _ in displays:
        with pytest.raises(TypeError, match=r"ax must be .*matplotlib\.axes\.Axes, or None; got"):
            display.plot(ax=ax)
        assert plt.get_fignums() == []


def artists(value):
    """What a fitted attribute holds, alone or in lists."""
    if isinstance(value, list | matplotlib.container.BarContainer):
        return [artist for entry in value for artist in artists(entry)]
    return [value]


def test_every_curve_image_and_bar_is_kept_under_what_matplotlib_calls_it(displays):
    kinds = {
        "lines_": matplotlib.lines.Line2D,
        "marks_": matplotlib.lines.Line2D,
        "image_": matplotlib.image.AxesImage,
        "images_": matplotlib.image.AxesImage,
        "bars_": matplotlib.patches.Rectangle,
        "colorbar_": matplotlib.colorbar.Colorbar,
        "colorbars_": matplotlib.colorbar.Colorbar,
    }
    for display, _ in displays:
        display.plot()
        fitted = {name: value for name, value in vars(display).items() if name.endswith("_")}
        assert fitted.keys() - kinds.keys() <= {"figure_", "ax_", "scale_"}
        documented = type(display).__doc__
        assert all(f"\n    {name} : " in documented for name in fitted)
        kept = {name: artists(fitted[name]) for name in kinds.keys() & fitted.keys()}
        assert all(isinstance(one, kinds[name]) for name, held in kept.items() for one in held)
        held = {artist for held in kept.values() for artist in held}
        for ax in np.ravel(display.ax_):
            assert held.issuperset(ax.images)
            # Lines of the activations' pictures only part units, and mark the outputs' zero.
            assert held.issuperset(ax.lines) or isinstance(display, NetworkActivationsDisplay)


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
