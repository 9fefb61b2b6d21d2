"""Every pixel of every image is found in the grid."""

import numpy as np
import pytest

from backprop_mlp import ImageGridDisplay

pytest.importorskip("matplotlib", reason="pictures need matplotlib")


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


@pytest.mark.parametrize("kind", [np.uint8, np.int8])
def test_sides_and_columns_may_be_small_integers_of_numpy(kind):
    """20 * 20 pixels, and 20 columns of 21 pixels, are more than they hold."""
    rows = np.random.default_rng(0).normal(size=(45, 400))
    drawn = [
        ImageGridDisplay.from_rows(rows, image_shape=(number, number), n_columns=number)
        for number in (20, kind(20))
    ]
    ints, small = [display.image_.get_array().filled(np.nan) for display in drawn]
    np.testing.assert_array_equal(small, ints)


def test_the_default_order_is_that_of_the_exercise():
    """reshape(20, 20) in Octave fills columns first."""
    display = ImageGridDisplay.from_rows(np.arange(9.0).reshape(1, 9))
    np.testing.assert_array_equal(display.images[0], [[0, 3, 6], [1, 4, 7], [2, 5, 8]])
