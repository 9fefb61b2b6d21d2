"""Rows of pixels drawn as a grid of images: the exercise's displayData."""

from typing import Any, Self

from numpy.typing import ArrayLike

from .drawing import figure_and_ax
from .images import ImageShape, Order, check_grid, draw_grid, images_of_rows


class ImageGridDisplay:
    """A grid of grey images on one axis: the exercise's displayData.

    Make it with `from_rows`, or from images as they are.

    Parameters
    ----------
    images : array-like of shape (n_images, height, width)
        Grey levels, on one scale for all images.

    Attributes
    ----------
    figure_ : matplotlib.figure.Figure
        The figure.

    ax_ : matplotlib.axes.Axes
        The axis.

    image_ : matplotlib.image.AxesImage
        What was drawn: the whole grid as one image.

    See Also
    --------
    HiddenUnitsDisplay : What the units of a layer look for.

    References
    ----------
    .. [1] A. Ng, "Machine Learning", programming exercise 4: Neural networks
           learning, section 1.1.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from backprop_mlp import ImageGridDisplay
    >>> X, y = load_digits(return_X_y=True)
    >>> display = ImageGridDisplay.from_rows(X[:100], order="C")
    >>> display.figure_.savefig("digits.png")  # doctest: +SKIP
    """

    figure_: Any
    ax_: Any
    image_: Any

    def __init__(self, images: ArrayLike):
        self.images = images

    @classmethod
    def from_rows(
        cls,
        X: ArrayLike,
        *,
        image_shape: ImageShape = None,
        order: Order = "F",
        ax: Any = None,
        **kwargs: Any,
    ) -> Self:
        """Draw rows of pixels as images.

        Parameters
        ----------
        X : array-like of shape (n_images, height * width)
            One image per row.
        image_shape : (int, int), default=None
            Height and width in pixels; None stands for square images.
        order : {"F", "C"}, default="F"
            How the pixels of an image follow each other: column by column, as
            in the exercise's files, or row by row, as in scikit-learn's data.
        ax : matplotlib.axes.Axes, default=None
            Where to draw; None makes a new figure.
        **kwargs : dict
            Keywords of `plot`.

        Returns
        -------
        display : ImageGridDisplay
            What was drawn.

        Raises
        ------
        ValueError
            If height * width is not the number of columns of X, or the order
            is unknown.
        """
        return cls(images_of_rows(X, image_shape, order)).plot(ax=ax, **kwargs)

    def plot(self, ax: Any = None, *, n_columns: int | None = None, **kwargs: Any) -> Self:
        """Draw the grid.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None
            Where to draw; None makes a new figure.
        n_columns : int, default=None
            Number of images side by side; None makes the grid as square as
            possible.
        **kwargs : dict
            Keywords of `matplotlib.axes.Axes.imshow`; by default the largest
            number is black on white paper.

        Returns
        -------
        display : ImageGridDisplay
            This object.

        Raises
        ------
        TypeError
            If ax is no axis.
        ValueError
            If n_columns is not an integer > 0, or the images have another shape.
        """
        check_grid("images", self.images, n_columns)
        self.figure_, self.ax_ = figure_and_ax(self, ax)
        self.image_ = draw_grid(
            self.ax_, self.images, n_columns, "0.75", {"cmap": "gray_r", **kwargs}
        )
        return self
