"""The weights of each unit of a layer, drawn as an image of the layer's inputs."""

from numbers import Integral
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike

from .drawing import add_colorbar, figure_and_ax
from .images import ImageShape, Order, check_grid, draw_grid, images_of_rows
from .pipelines import last_step

SCALES = ("auto", "layer", "unit")
"""What the colours of a unit's weights are relative to."""

OUTLIER_RATIO = 3.0
"""Times the upper quartile of the units' largest weights: above it lies an outlier."""


class HiddenUnitsDisplay:
    """The weights of each unit of a layer, as an image of its inputs.

    A unit answers most strongly to an input that is large where its weights are
    positive (bright, yellow) and small where they are negative (dark, blue).
    Zero is grey. The colours keep their order in print without colour.

    All units share one scale, so that a unit with small weights looks grey. If
    a few units have far larger weights than the others, each unit has a scale
    of its own; see `plot`.

    Make it with `from_estimator`, or from weights as they are.

    Parameters
    ----------
    weights : array-like of shape (n_units, height, width)
        Weights of each unit, without biases.

    Attributes
    ----------
    figure_ : matplotlib.figure.Figure
        The figure.

    ax_ : matplotlib.axes.Axes
        The axis.

    image_ : matplotlib.image.AxesImage
        What was drawn: all units as one image.

    colorbar_ : matplotlib.colorbar.Colorbar or None
        The scale next to it.

    scale_ : {"layer", "unit"}
        The scale that was drawn.

    See Also
    --------
    ImageGridDisplay : The images themselves.

    References
    ----------
    .. [1] A. Ng, "Machine Learning", programming exercise 4: Neural networks
           learning, section 3.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from backprop_mlp import BackpropMLPClassifier, HiddenUnitsDisplay
    >>> X, y = load_digits(return_X_y=True)
    >>> clf = BackpropMLPClassifier(16, max_iter=500, random_state=0).fit(X / 16.0, y)
    >>> display = HiddenUnitsDisplay.from_estimator(clf, order="C")
    >>> display.figure_.savefig("hidden_units.png")  # doctest: +SKIP
    """

    figure_: Any
    ax_: Any
    image_: Any
    colorbar_: Any
    scale_: Any

    def __init__(self, weights: ArrayLike):
        self.weights = weights

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        *,
        image_shape: ImageShape = None,
        layer: int = 0,
        order: Order = "F",
        ax: Any = None,
        **kwargs: Any,
    ) -> Self:
        """Draw the units of a fitted network.

        Parameters
        ----------
        estimator : BackpropMLPClassifier, BackpropMLPRegressor or Pipeline
            Fitted. Of a pipeline the last step is drawn, whose weights belong
            to the transformed features. Any estimator with ``coefs_`` will do,
            such as scikit-learn's `MLPClassifier`.
        image_shape : (int, int), default=None
            Height and width of the layer's inputs as an image; None stands for
            a square.
        layer : int, default=0
            Which layer's units: 0 is the first hidden layer. The inputs of
            layer 1 are the units of layer 0, and so on.
        order : {"F", "C"}, default="F"
            How the pixels of an image follow each other: column by column, as
            in the exercise's files, or row by row, as in scikit-learn's data.
        ax : matplotlib.axes.Axes, default=None
            Where to draw; None makes a new figure.
        **kwargs : dict
            Keywords of `plot`.

        Returns
        -------
        display : HiddenUnitsDisplay
            What was drawn.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        TypeError
            If it is no network with ``coefs_``. Of a search give its
            ``best_estimator_``.
        ValueError
            If there is no such layer, height * width is not the layer's number
            of inputs, or the order or the scale is unknown.
        """
        network = last_step(estimator, "coefs_")
        if not (isinstance(layer, Integral) and 0 <= int(layer) < len(network.coefs_)):
            raise ValueError(
                f"layer must be from 0 to {len(network.coefs_) - 1} for this network; "
                f"got {layer!r}."
            )
        weights = images_of_rows(network.coefs_[layer].T, image_shape, order)
        return cls(weights).plot(ax=ax, **kwargs)

    def plot(
        self,
        ax: Any = None,
        *,
        n_columns: int | None = None,
        scale: Literal["auto", "layer", "unit"] = "auto",
        colorbar: bool = True,
        **kwargs: Any,
    ) -> Self:
        """Draw the units.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None
            Where to draw; None makes a new figure.
        n_columns : int, default=None
            Number of units side by side; None makes the grid as square as
            possible.
        scale : {"auto", "layer", "unit"}, default="auto"
            What the colours are relative to:

            - ``"layer"``: one scale for all units, up to the largest absolute
              weight of the layer; sizes can be compared between units.
            - ``"unit"``: each unit's weights are divided by the largest
              absolute weight of the unit, as in the course's displayData;
              shapes can be compared, sizes not. A unit of zeros stays grey.
            - ``"auto"``: ``"unit"`` where the largest absolute weight of the
              layer is more than 3 times the upper quartile of the units'
              largest absolute weights, so that three quarters of the units
              would share a third of the colours; otherwise ``"layer"``, also
              wherever ``vmin``, ``vmax`` or ``norm`` is given. (The upper
              quartile, because a strong penalty can switch off more than half
              of the units, whose remains ``"unit"`` would show like weights.)
        colorbar : bool, default=True
            Whether to draw the scale. Its ends are pointed where weights lie
            beyond ``vmin`` or ``vmax``.
        **kwargs : dict
            Keywords of `matplotlib.axes.Axes.imshow`, such as ``vmin`` and
            ``vmax`` for a scale that several pictures share. By default zero is
            in the middle of the scale.

        Returns
        -------
        display : HiddenUnitsDisplay
            This object.

        Raises
        ------
        TypeError
            If ax is no axis.
        ValueError
            If the scale is unknown, n_columns is not an integer > 0, or the
            weights have another shape.
        """
        check_grid("weights", self.weights, n_columns)
        if not (isinstance(scale, str) and scale in SCALES):
            raise ValueError(f'scale must be "auto", "layer" or "unit"; got {scale!r}.')
        self.figure_, self.ax_ = figure_and_ax(self, ax)
        weights = np.asarray(self.weights)
        largest = np.abs(weights).max(axis=(1, 2))
        if scale == "auto":
            given = not {"vmin", "vmax", "norm"}.isdisjoint(kwargs)
            scale = "unit" if not given and _has_outliers(largest) else "layer"
        self.scale_ = scale
        label = "Weight"
        if scale == "unit":
            weights = weights / np.where(largest > 0.0, largest, 1.0)[:, np.newaxis, np.newaxis]
            label = "Weight / largest of the unit"
        style: dict = {"cmap": "cividis"}
        if "norm" not in kwargs:
            # Zero weights only: the scale still needs a width.
            limit = np.abs(weights).max() or 1.0
            style |= {"vmin": -limit, "vmax": limit}
        self.image_ = draw_grid(self.ax_, weights, n_columns, "white", style | kwargs)
        self.colorbar_ = add_colorbar(self.image_, label) if colorbar else None
        return self


def _has_outliers(largest):
    """Whether a few units' weights leave hardly any colours to the others."""
    return largest.max() > OUTLIER_RATIO * np.quantile(largest, 0.75)
