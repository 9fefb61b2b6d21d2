"""The picture of hidden units shows their weights, on a scale that is named."""

import numpy as np
import pytest
from sklearn.neural_network import MLPClassifier

from backprop_mlp import HiddenUnitsDisplay

matplotlib = pytest.importorskip("matplotlib", reason="pictures need matplotlib")
plt = pytest.importorskip("matplotlib.pyplot")


def test_the_hidden_units_are_the_rows_of_theta_without_the_bias(fitted):
    display = HiddenUnitsDisplay.from_estimator(fitted)
    for unit, image in enumerate(display.weights):
        np.testing.assert_array_equal(image.ravel(order="F"), fitted.thetas_[0][unit, 1:])


def test_a_deeper_layer_is_drawn_over_the_units_before_it(fitted):
    display = HiddenUnitsDisplay.from_estimator(fitted, layer=1, image_shape=(2, 3), order="C")
    np.testing.assert_array_equal(display.weights.reshape(6, 6), fitted.coefs_[1].T)


def test_the_units_of_other_estimators_are_drawn(iris):
    other = MLPClassifier(5, max_iter=3, random_state=0)
    with pytest.warns(match="Maximum iterations"):
        other.fit(*iris)
    assert HiddenUnitsDisplay.from_estimator(other).weights.shape == (5, 2, 2)


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
        ({"image_shape": (2, 3)}, r"height \* width = 4; got \(2, 3\)"),
        ({"image_shape": (4,)}, r"image_shape must be \(height, width\)"),
        ({"layer": 1}, r"image_shape must be given .* not square; got None for images of 6 pixels"),
        ({"layer": 3}, "layer must be from 0 to 2 for this network; got 3"),
        ({"layer": -1}, "layer must be from 0 to 2 for this network; got -1"),
        ({"order": "K"}, 'order must be "F" or "C"; got \'K\''),
    ],
)
def test_a_wrong_shape_layer_or_order_is_named(fitted, keywords, message):
    with pytest.raises(ValueError, match=message):
        HiddenUnitsDisplay.from_estimator(fitted, **keywords)
    assert not plt.get_fignums()


def drawn_units(display):
    """What is drawn of each unit, of shape (n_units, n_pixels), for units side by side."""
    grid = display.image_.get_array().filled(np.nan)
    n_units, height, width = np.shape(display.weights)
    starts = np.arange(n_units) * (width + 1)
    return np.array([grid[:height, start : start + width].ravel() for start in starts])


@pytest.fixture
def weights():
    """Eight units, each with a weight of absolute value 1 as its largest."""
    weights = np.random.default_rng(0).uniform(-1.0, 1.0, size=(8, 3, 4))
    weights[:, 1, 2] = [1.0, -1.0] * 4
    return weights


def test_on_the_units_scale_a_factor_of_a_unit_changes_nothing(weights):
    factors = np.geomspace(1e-3, 1e3, 8)[:, np.newaxis, np.newaxis]
    for units in (weights, factors * weights):
        display = HiddenUnitsDisplay(units).plot(scale="unit", n_columns=8)
        np.testing.assert_allclose(drawn_units(display), weights.reshape(8, -1), rtol=1e-12)
        assert display.image_.get_clim() == (-1.0, 1.0)
        assert display.colorbar_.ax.get_ylabel() == "Weight / largest of the unit"


def test_on_the_layers_scale_weights_are_drawn_as_they_are(weights):
    weights[2] *= 100.0
    display = HiddenUnitsDisplay(weights).plot(scale="layer", n_columns=8)
    np.testing.assert_array_equal(drawn_units(display), weights.reshape(8, -1))
    assert display.image_.get_clim() == (-100.0, 100.0)
    assert display.colorbar_.ax.get_ylabel() == "Weight"


def test_units_of_zeros_stay_grey_on_their_own_scale(weights):
    weights[1] = 0.0
    assert not drawn_units(HiddenUnitsDisplay(weights).plot(scale="unit", n_columns=8))[1].any()
    display = HiddenUnitsDisplay(0.0 * weights).plot(scale="unit")
    assert display.image_.norm(0.0) == 0.5


@pytest.mark.parametrize("size", [1e-6, 1.0, 1e6])
def test_by_default_an_outlier_gives_each_unit_a_scale_of_its_own(weights, size):
    assert HiddenUnitsDisplay(size * weights).plot().scale_ == "layer"
    for factor, scale in ((2.9, "layer"), (3.1, "unit")):
        outlier = size * weights
        outlier[5] *= factor
        assert HiddenUnitsDisplay(outlier).plot().scale_ == scale


def test_units_that_a_penalty_has_switched_off_are_no_reason_for_it(weights):
    weights[:5] *= 1e-4
    assert HiddenUnitsDisplay(weights).plot().scale_ == "layer"


@pytest.mark.parametrize(
    "keywords",
    [{"vmax": 2.0}, {"vmin": -2.0}, {"norm": matplotlib.colors.Normalize(-2.0, 2.0)}],
    ids=["vmax", "vmin", "norm"],
)
def test_a_scale_that_the_caller_gives_is_one_of_weights(weights, keywords):
    weights[5] *= 100.0
    assert HiddenUnitsDisplay(weights).plot().scale_ == "unit"
    assert HiddenUnitsDisplay(weights).plot(**keywords).scale_ == "layer"


@pytest.mark.parametrize(
    ("limits", "extend"),
    [((-1, 1), "neither"), ((-0.5, 1), "min"), ((-1, 0.5), "max"), ((-0.5, 0.5), "both")],
)
def test_weights_beyond_the_scale_are_marked_at_its_ends(weights, limits, extend):
    display = HiddenUnitsDisplay(weights).plot(vmin=limits[0], vmax=limits[1])
    assert display.colorbar_.extend == extend


@pytest.mark.parametrize("scale", ["row", None, 1, ["unit"]])
def test_a_wrong_scale_is_named_before_anything_is_drawn(weights, scale):
    with pytest.raises(ValueError, match='scale must be "auto", "layer" or "unit"; got') as error:
        HiddenUnitsDisplay(weights).plot(scale=scale)
    assert repr(scale) in str(error.value)
    assert not plt.get_fignums()
