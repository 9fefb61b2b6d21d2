"""The picture of a network's activations shows the numbers of `activations`."""

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.datasets import load_digits, load_iris
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from backprop_mlp import BackpropMLPClassifier, NetworkActivationsDisplay
from backprop_mlp._network.activations import ACTIVATIONS

plt = pytest.importorskip("matplotlib.pyplot", reason="pictures need matplotlib")

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

IRIS, SPECIES = load_iris(return_X_y=True)


@pytest.fixture(scope="module")
def network():
    """Four inputs, hidden layers of 5 tanh and 4 relu units, three classes."""
    return BackpropMLPClassifier((5, 4), ("tanh", "relu"), max_iter=20, random_state=0).fit(
        IRIS, SPECIES
    )


def units(image, n_units):
    """What an image of units shows, unit by unit."""
    return np.asarray(image.get_array()).ravel()[:n_units]


def test_every_layer_is_drawn_as_it_is(network):
    display = NetworkActivationsDisplay.from_estimator(network, IRIS, row=100)
    inputs, first, second, outputs = (layer[0] for layer in network.activations(IRIS[100:101]))
    assert len(display.ax_) == 4
    for image, layer in zip(display.images_, (inputs, first, second), strict=True):
        np.testing.assert_array_equal(units(image, layer.size), layer)
    np.testing.assert_array_equal([bar.get_width() for bar in display.bars_], outputs)
    titles = [axis.get_title() for axis in display.ax_]
    assert titles[:3] == ["4 inputs", "Hidden layer 1: 5 tanh", "Hidden layer 2: 4 relu"]
    assert titles[3] == "Outputs: logistic"


def test_after_the_last_unit_the_grid_is_empty(network):
    display = NetworkActivationsDisplay.from_estimator(network, IRIS)
    grid = display.images_[1].get_array()
    assert grid.shape == (2, 3)
    assert np.ma.getmaskarray(np.ma.masked_invalid(grid)).ravel().tolist() == [False] * 5 + [True]


def test_the_scales_are_those_of_the_activation_functions():
    activations = [[0.5, 2.0], [0.2, 0.4], [-0.3, 0.1], [0.5, 3.0], [-2.0, 1.0], [0.0, 0.0], [1.0]]
    names = ["logistic", "tanh", "relu", "identity", "relu", "logistic"]
    display = NetworkActivationsDisplay(activations, names, ["yes"]).plot()
    limits = [image.get_clim() for image in display.images_]
    assert limits == [(0.0, 2.0), (0.0, 1.0), (-1.0, 1.0), (0.0, 3.0), (-2.0, 2.0), (0.0, 1.0)]


@pytest.mark.parametrize("activation", ACTIVATIONS.values(), ids=ACTIVATIONS.keys())
def test_every_activation_function_is_drawn_within_its_scale(activation):
    network = BackpropMLPClassifier(5, activation.name, max_iter=5, random_state=0)
    display = NetworkActivationsDisplay.from_estimator(network.fit(IRIS, SPECIES), IRIS, row=70)
    image = display.images_[1]
    lowest, highest = image.get_clim()
    assert lowest < highest
    for limit, bound in ((lowest, activation.bounds[0]), (highest, activation.bounds[1])):
        largest = np.abs(units(image, 5)).max()
        assert limit == (bound if np.isfinite(bound) else np.copysign(largest, bound))
    assert lowest <= units(image, 5).min() <= units(image, 5).max() <= highest
    assert display.ax_[1].get_title() == f"Hidden layer 1: 5 {activation.name}"


def test_an_activation_function_of_the_callers_has_no_bounds():
    display = NetworkActivationsDisplay([[1.0], [-2.0, 1.0], [1.0]], ["swish", "softmax"], ["a"])
    assert display.plot().images_[1].get_clim() == (-2.0, 2.0)


def test_activations_beyond_a_given_scale_are_marked_at_its_ends():
    display = NetworkActivationsDisplay([[0.0, 9.0], [-1.0, 0.5], [1.0]], ["tanh"] * 2, ["a"])
    extends = [image.colorbar.extend for image in display.plot(vmin=-0.5, vmax=0.7).images_]
    assert extends == ["max", "min"]


@pytest.mark.parametrize("order", ["F", "C"])
def test_the_inputs_may_be_an_image(order):
    X, y = load_digits(return_X_y=True)
    network = BackpropMLPClassifier(6, max_iter=5, random_state=0).fit(X, y)
    display = NetworkActivationsDisplay.from_estimator(
        network, X, row=3, image_shape=(4, 16), order=order
    )
    np.testing.assert_array_equal(
        display.images_[0].get_array(), X[3].reshape((4, 16), order=order)
    )
    with pytest.raises(ValueError, match=r"image_shape must be .* got \(9, 9\)"):
        NetworkActivationsDisplay.from_estimator(network, X, image_shape=(9, 9))


def test_of_a_pipeline_the_transformed_features_are_drawn():
    model = make_pipeline(StandardScaler(), BackpropMLPClassifier(3, max_iter=5, random_state=0))
    model.fit(IRIS, SPECIES)
    display = NetworkActivationsDisplay.from_estimator(model, IRIS, row=7)
    np.testing.assert_array_equal(units(display.images_[0], 4), model[0].transform(IRIS[7:8])[0])


@pytest.mark.parametrize(
    ("y", "names"),
    [
        (np.where(SPECIES == 1, "no", "yes"), ["yes"]),
        (np.array(["b", "a", "c"])[SPECIES], ["a", "b", "c"]),
        (np.full(len(SPECIES), "only"), ["only"]),
        (np.column_stack([SPECIES == 0, SPECIES == 1]).astype(int), ["0", "1"]),
        (np.array([SPECIES == 0, IRIS[:, 0] > 6, IRIS[:, 1] > 3]).T.astype(int), ["0", "1", "2"]),
    ],
)
def test_outputs_bear_the_names_of_the_classes(y, names):
    network = BackpropMLPClassifier(3, max_iter=5, random_state=0).fit(IRIS, y)
    display = NetworkActivationsDisplay.from_estimator(network, IRIS)
    assert [label.get_text() for label in display.ax_[-1].get_yticklabels()] == names
    assert len(display.bars_) == len(names)


def test_of_many_outputs_the_largest_are_drawn(network):
    outputs = np.array([0.1, 0.9, 0.3, 0.2, 0.8])
    display = NetworkActivationsDisplay([[1.0], outputs], ["softmax"], list("abcde"))
    display.plot(n_largest=3)
    assert [label.get_text() for label in display.ax_[-1].get_yticklabels()] == ["b", "c", "e"]
    assert [bar.get_width() for bar in display.bars_] == [0.9, 0.3, 0.8]


def test_axes_and_keywords_of_the_caller(network):
    figure, axes = plt.subplots(2, 2)
    display = NetworkActivationsDisplay.from_estimator(network, IRIS, ax=axes, cmap="magma")
    assert display.figure_ is figure
    assert display.ax_.tolist() == axes.ravel().tolist()
    assert {image.get_cmap().name for image in display.images_} == {"magma"}
    with pytest.raises(ValueError, match="ax must be 4 axes, or None; got 1"):
        display.plot(ax=axes[0, 0])


def test_sparse_rows():
    network = BackpropMLPClassifier(3, max_iter=5, random_state=0).fit(csr_matrix(IRIS), SPECIES)
    display = NetworkActivationsDisplay.from_estimator(network, csr_matrix(IRIS), row=5)
    np.testing.assert_array_equal(units(display.images_[0], 4), IRIS[5])


def test_a_row_is_a_number_and_no_mask(network):
    display = NetworkActivationsDisplay.from_estimator(network, IRIS, row=True)
    np.testing.assert_array_equal(units(display.images_[0], 4), IRIS[1])


def test_wrong_input_is_named(network):
    for row in (-1, 150):
        with pytest.raises(ValueError, match=f"row must be from 0 to 149; got {row}"):
            NetworkActivationsDisplay.from_estimator(network, IRIS, row=row)
    with pytest.raises(NotFittedError):
        NetworkActivationsDisplay.from_estimator(BackpropMLPClassifier(), IRIS)
    with pytest.raises(ValueError, match="X must have at least one row; got none"):
        NetworkActivationsDisplay.from_estimator(network, IRIS[SPECIES > 2])
    for image_shape in (None, (2, 2)):
        with pytest.raises(ValueError, match="order must be"):
            NetworkActivationsDisplay.from_estimator(
                network, IRIS, image_shape=image_shape, order="A"
            )


def test_white_lines_stand_between_units_alone():
    display = NetworkActivationsDisplay(
        [[0.5] * 6, [0.2], [0.9]], ["tanh", "logistic"], ["yes"]
    ).plot()
    lines = np.ravel(display.ax_)[0].lines
    upright = [line.get_xdata()[0] for line in lines if len(set(line.get_xdata())) == 1]
    level = [line.get_ydata()[0] for line in lines if len(set(line.get_ydata())) == 1]
    assert (upright, level) == ([0.5, 1.5], [0.5])
