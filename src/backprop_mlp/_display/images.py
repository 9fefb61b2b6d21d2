"""From rows of pixels to images, and from images to one grid."""

from collections.abc import Sequence
from math import ceil, isqrt, prod, sqrt
from numbers import Integral
from typing import Literal

import numpy as np

ImageShape = Sequence[int] | None
"""Height and width; None stands for square images."""

Order = Literal["F", "C"]
"""How the pixels of an image follow each other: column by column, or row by row."""


def check_count(name, count):
    """Refuse what is no integer > 0."""
    if not (isinstance(count, Integral) and int(count) > 0):
        raise ValueError(f"{name} must be an integer > 0; got {count!r}.")


def check_order(order):
    """Refuse what is no order of pixels."""
    if not (isinstance(order, str) and order in ("F", "C")):
        raise ValueError(f'order must be "F" or "C"; got {order!r}.')


def check_grid(name, images, n_columns):
    """Refuse what can't be drawn as images side by side."""
    if np.ndim(images) != 3 or np.size(images) == 0:
        raise ValueError(
            f"{name} must have the shape (n_images, height, width), and at least one pixel; "
            f"got {np.shape(images)}."
        )
    if n_columns is not None:
        check_count("n_columns", n_columns)


def images_of_rows(rows, image_shape, order):
    """Rows of pixels as images of shape (n_images, height, width)."""
    rows = np.asarray(rows)
    if rows.ndim != 2 or rows.size == 0:
        raise ValueError(f"X must hold one image per row; got an array of shape {rows.shape}.")
    n_pixels = rows.shape[1]
    if image_shape is None:
        image_shape = (isqrt(n_pixels), isqrt(n_pixels))
        expected, got = "given where images are not square", f"None for images of {n_pixels} pixels"
    else:
        got = repr(image_shape)
        expected = f"(height, width) with height * width = {n_pixels}"
    if (
        np.shape(image_shape) != (2,)
        or not all(isinstance(side, Integral) and int(side) > 0 for side in image_shape)
        or prod(map(int, image_shape)) != n_pixels
    ):
        raise ValueError(f"image_shape must be {expected}; got {got}.")
    check_order(order)
    height, width = map(int, image_shape)
    if order == "C":
        return rows.reshape(-1, height, width)
    return rows.reshape(-1, width, height).transpose(0, 2, 1)


def draw_grid(ax, images, n_columns, gap_color, style):
    """Draw images side by side, one pixel apart, as one image."""
    n_images, height, width = np.shape(images)
    # NumPy's small integers wrap.
    n_columns = ceil(sqrt(n_images)) if n_columns is None else int(n_columns)
    n_rows = ceil(n_images / n_columns)
    # The gaps hold no number, so that the axis shows through.
    grid = np.full((n_rows * (height + 1) - 1, n_columns * (width + 1) - 1), np.nan)
    for index, image in enumerate(images):
        top = index // n_columns * (height + 1)
        left = index % n_columns * (width + 1)
        grid[top : top + height, left : left + width] = image
    drawn = ax.imshow(grid, **style)
    ax.set(xticks=[], yticks=[], facecolor=gap_color)
    ax.spines[:].set_visible(False)
    return drawn
