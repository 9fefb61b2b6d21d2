"""The Displays: what is drawn is what was recorded, where scikit-learn's Displays draw it."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.exceptions import NotFittedError
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from backprop_mlp import (
    BackpropMLPClassifier,
    GradientCheckDisplay,
    HiddenUnitsDisplay,
    ImageGridDisplay,
    LossCurveDisplay,
    check_gradient,
)

matplotlib = pytest.importorskip("matplotlib", reason="pictures need matplotlib")
plt = pytest.importorskip("matplotlib.pyplot")

X, y = load_iris(return_X_y=True)


@pytest.fixture(scope="module")
def network():
    """Four inputs, six hidden units in two layers, three classes."""
    return BackpropMLPClassifier((6, 6), "tanh", max_iter=20, tol=0.0, random_state=0)


@pytest.fixture(scope="module")
def fitted(network):
    with pytest.warns(match="max_iter=20"):
        return network.fit(X, y)


@pytest.fixture
def displays(fitted):
    """A picture of each kind, not yet drawn, and how many axes it has."""
    return [
        (ImageGridDisplay(np.zeros((3, 2, 5))), 1),
        (HiddenUnitsDisplay(np.zeros((3, 2, 5))), 1),
        (LossCurveDisplay({"a": [3.0, 2.0], "b": [3.0, 1.0]}), 1),
        (GradientCheckDisplay(check_gradient(fitted, X, y)), 2),
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


def test_importing_the_package_does_not_import_matplotlib():
    code = "import sys, backprop_mlp; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# Images


@pytest.mark.parametrize("n_columns", [1, 3, 4, 7])
@pytest.mark.parametrize("shape", [(4, 4), (2, 5), (1, 3)])
def test_every_image_is_found_in_the_grid(shape, n_columns):
    height, width = shape
    images = np.random.default_rng(0).normal(size=(7, height, width))
    display = ImageGridDisplay(images).plot(n_columns=n_columns)
    grid = display.image_.get_array().filled(np.nan)
    for index, image in enumerate(images):
        row, column = divmod(index, n_columns)
        place = grid[row * (height + 1) :, column * (width + 1) :]
        np.testing.assert_array_equal(place[:height, :width], image)
    assert np.isfinite(grid).sum() == images.size


def test_the_grid_is_as_square_as_it_can_be():
    grid = ImageGridDisplay(np.zeros((25, 20, 20))).plot().image_.get_array()
    assert grid.shape == (5 * 21 - 1, 5 * 21 - 1)


def test_pixels_follow_column_by_column_or_row_by_row():
    image = np.arange(6.0).reshape(2, 3)
    for order in ("F", "C"):
        display = ImageGridDisplay.from_rows(
            image.reshape(1, -1, order=order), image_shape=(2, 3), order=order
        )
        np.testing.assert_array_equal(display.images[0], image)


def test_the_default_order_is_that_of_the_exercise():
    """reshape(20, 20) in Octave fills columns first."""
    display = ImageGridDisplay.from_rows(np.arange(9.0).reshape(1, 9))
    np.testing.assert_array_equal(display.images[0], [[0, 3, 6], [1, 4, 7], [2, 5, 8]])


def test_the_hidden_units_are_the_rows_of_theta_without_the_bias(fitted):
    display = HiddenUnitsDisplay.from_estimator(fitted)
    for unit, image in enumerate(display.weights):
        np.testing.assert_array_equal(image.ravel(order="F"), fitted.thetas_[0][unit, 1:])


def test_a_deeper_layer_is_drawn_over_the_units_before_it(fitted):
    display = HiddenUnitsDisplay.from_estimator(fitted, layer=1, image_shape=(2, 3), order="C")
    np.testing.assert_array_equal(display.weights.reshape(6, 6), fitted.coefs_[1].T)


def test_zero_is_in_the_middle_of_the_colours(fitted):
    display = HiddenUnitsDisplay.from_estimator(fitted)
    assert display.image_.norm(0.0) == 0.5
    assert display.image_.norm.vmax == np.abs(fitted.coefs_[0]).max()
    assert display.colorbar_.vmin == -display.colorbar_.vmax


def test_zero_weights_are_drawn_in_the_middle_colour():
    display = HiddenUnitsDisplay(np.zeros((2, 3, 3))).plot()
    assert display.image_.norm(0.0) == 0.5


def test_image_keywords_reach_matplotlib(fitted):
    display = HiddenUnitsDisplay.from_estimator(fitted, colorbar=False, vmin=-3, vmax=3, cmap="bwr")
    assert display.image_.get_clim() == (-3, 3)
    assert display.image_.get_cmap().name == "bwr"
    assert display.colorbar_ is None
    norm = matplotlib.colors.SymLogNorm(0.1)
    assert HiddenUnitsDisplay.from_estimator(fitted, norm=norm).image_.norm is norm


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"image_shape": (2, 3)}, r"height \* width = 4; got \(2, 3\) for 4 pixels"),
        ({"image_shape": (4,)}, r"image_shape must be \(height, width\)"),
        ({"layer": 1}, r"image_shape must be given, .* not square; got .* for 6 pixels"),
        ({"layer": 3}, "layer must be from 0 to 2 for this network; got 3"),
        ({"layer": -1}, "layer must be from 0 to 2 for this network; got -1"),
        ({"order": "K"}, 'order must be "F" or "C"; got \'K\''),
    ],
)
def test_a_wrong_shape_layer_or_order_is_named(fitted, keywords, message):
    with pytest.raises(ValueError, match=message):
        HiddenUnitsDisplay.from_estimator(fitted, **keywords)
    assert not plt.get_fignums()


# Curves


def points(line):
    return np.asarray(line.get_xdata()), np.asarray(line.get_ydata())


def test_a_curve_has_one_point_an_iteration(fitted):
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
    assert HiddenUnitsDisplay.from_estimator(pipeline).weights.shape == (5, 2, 2)


@pytest.mark.parametrize("display", [LossCurveDisplay, HiddenUnitsDisplay])
def test_an_estimator_that_is_not_fitted_is_refused(display):
    with pytest.raises(NotFittedError):
        display.from_estimator(BackpropMLPClassifier())
    with pytest.raises(NotFittedError):
        display.from_estimator(make_pipeline(StandardScaler(), BackpropMLPClassifier()))


# Gradients


def drawn(ax):
    """Points of an axis by label."""
    return {
        line.get_label(): points(line) for line in ax.get_lines() if line.get_marker() != "None"
    }


def test_weights_and_biases_are_drawn_against_their_differences(fitted):
    display = GradientCheckDisplay.from_estimator(fitted, X, y)
    check = display.check
    gradients, errors = (drawn(ax) for ax in display.ax_)
    assert list(gradients) == list(errors) == ["weight", "bias"]
    n_weights = sum(W.size for W in fitted.coefs_)
    np.testing.assert_array_equal(
        gradients["weight"], [check.differences[:n_weights], check.backpropagation[:n_weights]]
    )
    np.testing.assert_array_equal(
        gradients["bias"], [check.differences[n_weights:], check.backpropagation[n_weights:]]
    )
    coordinates, error = errors["bias"]
    np.testing.assert_array_equal(coordinates, np.arange(n_weights, len(check.names)))
    visible = error > error.min()
    np.testing.assert_array_equal(error[visible], np.abs(check.error[n_weights:])[visible])


def test_kinks_are_marked_as_not_counted():
    network = BackpropMLPClassifier(8, "relu", random_state=0)
    scaled = StandardScaler().fit_transform(X)
    display = GradientCheckDisplay.from_estimator(network, scaled, y, step=0.01)
    n_kinks = np.count_nonzero(display.check.at_kink)
    assert n_kinks > 0
    for ax in display.ax_:
        assert len(drawn(ax)["at a kink, not counted"][0]) == n_kinks


def test_a_check_of_kinks_alone_is_drawn():
    check = check_gradient(BackpropMLPClassifier(2, random_state=0), X, y)
    GradientCheckDisplay(replace(check, at_kink=np.ones_like(check.at_kink))).plot()


def test_the_title_tells_the_verdict(fitted):
    good = GradientCheckDisplay.from_estimator(fitted, X, y)
    assert good.ax_[0].get_title() == "Gradient check passed"
    wrong = replace(good.check, backpropagation=-good.check.backpropagation)
    assert GradientCheckDisplay(wrong).plot().ax_[0].get_title() == "Gradient check FAILED"
    coarse = GradientCheckDisplay.from_estimator(fitted, X, y, step=0.5)
    assert coarse.ax_[0].get_title() == "Gradient check not decided"


def test_the_gradient_check_needs_two_axes(displays):
    display = displays[-1][0]
    with pytest.raises(ValueError, match="ax must be two axes, or None; got 1"):
        display.plot(ax=plt.subplots()[1])
