"""What every layer makes of one row, drawn from the inputs to the outputs."""

from collections.abc import Sequence
from math import ceil, isfinite, sqrt
from numbers import Integral
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import issparse
from sklearn.pipeline import Pipeline

from .._estimator.fitted import fitted_network
from .._estimator.keywords import Matrix
from .._network.activations import ACTIVATIONS
from .._sklearn import _num_samples, _safe_indexing
from .drawing import add_colorbar, figure_and_axes
from .images import ImageShape, Order, check_count, check_order, images_of_rows
from .pipelines import last_step

NUMBER_ACTIVATIONS = ("identity", "exp")
"""Activation functions of outputs that are numbers, not probabilities."""


class NetworkActivationsDisplay:
    """What every layer of a network makes of one row, from the inputs to the outputs.

    Each unit of the inputs and of the hidden layers is a square, its activation
    a grey level or a colour; the outputs are bars. The colours of a hidden
    layer span the values that its activation function can have: 0 to 1 for
    logistic units, -1 to 1 for tanh. A bound that is infinite is replaced by
    the largest absolute activation of the layer: relu goes from 0 to it,
    identity and leaky relu from minus it to plus it, so that zero is in the
    middle.

    Make it with `from_estimator`, or from activations as they are.

    Parameters
    ----------
    activations : list of array-like of shape (n_units,)
        Activations of each layer, the inputs first and the outputs last; the
        inputs may be an image, of shape (height, width).
    activation_names : list of str
        Name of each layer's activation function, from the first hidden layer
        to the outputs. A name that no activation function of the package has
        is drawn like one without bounds.
    output_names : array-like of shape (n_outputs,)
        What each output stands for.

    Attributes
    ----------
    figure_ : matplotlib.figure.Figure
        The figure.

    ax_ : ndarray of matplotlib.axes.Axes
        The axes, one per layer.

    images_ : list of matplotlib.image.AxesImage
        What was drawn of the inputs and the hidden layers.

    colorbars_ : list of matplotlib.colorbar.Colorbar
        Their scales.

    bars_ : matplotlib.container.BarContainer
        What was drawn of the outputs.

    See Also
    --------
    HiddenUnitsDisplay : What the units look for.
    BackpropMLPClassifier.activations : The numbers.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from backprop_mlp import BackpropMLPClassifier, NetworkActivationsDisplay
    >>> X, y = load_digits(return_X_y=True)
    >>> clf = BackpropMLPClassifier(16, "tanh", max_iter=500, random_state=0).fit(X / 16.0, y)
    >>> display = NetworkActivationsDisplay.from_estimator(
    ...     clf, X / 16.0, row=7, image_shape=(8, 8), order="C"
    ... )
    >>> display.figure_.savefig("activations.png")  # doctest: +SKIP
    """

    figure_: Any
    ax_: Any
    images_: Any
    colorbars_: Any
    bars_: Any

    def __init__(
        self,
        activations: Sequence[ArrayLike],
        activation_names: Sequence[str],
        output_names: ArrayLike,
    ):
        self.activations = activations
        self.activation_names = activation_names
        self.output_names = output_names

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Matrix,
        *,
        row: int = 0,
        image_shape: ImageShape = None,
        order: Order = "F",
        ax: Any = None,
        **kwargs: Any,
    ) -> Self:
        """Draw one row's activations in a fitted network.

        Parameters
        ----------
        estimator : BackpropMLPClassifier, BackpropMLPRegressor or Pipeline
            Fitted. Of a pipeline the last step is drawn, whose inputs are the
            transformed features.
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Data.
        row : int, default=0
            Which row of X.
        image_shape : (int, int), default=None
            Height and width of the inputs as an image; None arranges them like
            the units of a layer.
        order : {"F", "C"}, default="F"
            How the pixels of an image follow each other: column by column, as
            in the exercise's files, or row by row, as in scikit-learn's data.
        ax : array-like of matplotlib.axes.Axes, default=None
            Where to draw, one axis per layer; None makes a new figure.
        **kwargs : dict
            Keywords of `plot`.

        Returns
        -------
        display : NetworkActivationsDisplay
            What was drawn.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        TypeError
            If it is no network with ``activations``. Of a search give its
            ``best_estimator_``.
        ValueError
            If X has no such row, height * width is not the network's number of
            inputs, or the order is unknown.
        FloatingPointError
            If the outputs overflow.
        """
        network = last_step(estimator, "activations")
        check_order(order)
        n_rows = _num_samples(X)
        if n_rows == 0:
            raise ValueError("X must have at least one row; got none.")
        if not (isinstance(row, Integral) and 0 <= int(row) < n_rows):
            raise ValueError(f"row must be from 0 to {n_rows - 1}; got {row!r}.")
        x = _safe_indexing(X, [int(row)])
        if isinstance(estimator, Pipeline):
            x = estimator[:-1].transform(x)
        inputs, *layers = network.activations(x)
        inputs = inputs.toarray() if issparse(inputs) else inputs
        if image_shape is not None:
            inputs = images_of_rows(inputs, image_shape, order)
        return cls(
            [layer[0] for layer in (inputs, *layers)],
            fitted_network(network).activation_names,
            _output_names(network),
        ).plot(ax=ax, **kwargs)

    def plot(self, ax: Any = None, *, n_largest: int = 12, **kwargs: Any) -> Self:
        """Draw the layers side by side.

        Parameters
        ----------
        ax : array-like of matplotlib.axes.Axes, default=None
            Where to draw, one axis per layer; None makes a new figure.
        n_largest : int, default=12
            How many outputs are drawn at most: the largest ones.
        **kwargs : dict
            Keywords of `matplotlib.axes.Axes.imshow`, for the inputs and all
            hidden layers. The ends of a layer's scale are pointed where
            activations lie beyond ``vmin`` or ``vmax``.

        Returns
        -------
        display : NetworkActivationsDisplay
            This object.

        Raises
        ------
        TypeError
            If ax holds what is no axis.
        ValueError
            If ax is not one axis per layer, or n_largest is not an integer > 0.
        """
        check_count("n_largest", n_largest)
        n_layers = len(self.activations)
        self.figure_, self.ax_ = figure_and_axes(self, ax, n_layers, (3.4 * n_layers, 3.6))
        inputs, *hidden, outputs = map(np.asarray, self.activations)
        *hidden_names, output_name = self.activation_names
        style = {"cmap": "gray_r", "vmin": min(0.0, inputs.min()), **kwargs}
        self.images_ = [_draw_units(self.ax_[0], inputs, "Input", style)]
        self.ax_[0].set_title(f"{inputs.size} inputs")
        layers = zip(self.ax_[1:-1], hidden, hidden_names, strict=True)
        for number, (axis, units, name) in enumerate(layers, start=1):
            style = {"cmap": "cividis", **_color_scale(name, units), **kwargs}
            self.images_.append(_draw_units(axis, units, "Activation", style))
            axis.set_title(f"Hidden layer {number}: {units.size} {name or 'units'}")
        self.colorbars_ = [image.colorbar for image in self.images_]
        self._draw_outputs(self.ax_[-1], outputs, output_name, n_largest)
        self.ax_[-1].set_title(f"Outputs: {output_name}" if output_name else "Outputs")
        return self

    def _draw_outputs(self, ax, outputs, output_name, n_largest):
        drawn = np.sort(np.argsort(-outputs, kind="stable")[:n_largest])
        positions = np.arange(len(drawn))
        self.bars_ = ax.barh(positions, outputs[drawn], color="C0")
        ax.set_yticks(positions, [str(name) for name in np.asarray(self.output_names)[drawn]])
        if output_name in NUMBER_ACTIVATIONS:
            ax.axvline(0.0, color="black", linewidth=0.8)
            ax.set(xlabel="Prediction", ylabel="Output")
        else:
            ax.set(xlim=(0.0, 1.0), xlabel="Activation", ylabel="Class")
        ax.invert_yaxis()
        ax.set_box_aspect(1.0)


def _output_names(network):
    """What each output of a fitted estimator stands for."""
    classes = getattr(network, "classes_", None)
    if classes is None:
        return np.arange(network.n_outputs_)
    return classes[1:] if network.n_outputs_ == 1 < len(classes) else classes


def _color_scale(activation_name, units):
    """Where the colours of a layer begin and end: the activation's bounds where it has any."""
    activation = ACTIVATIONS.get(activation_name)
    lowest, highest = (-np.inf, np.inf) if activation is None else activation.bounds
    limit = np.abs(units).max() or 1.0
    return {
        "vmin": lowest if isfinite(lowest) else -limit,
        "vmax": highest if isfinite(highest) else limit,
    }


def _draw_units(ax, units, label, style):
    """Draw a layer's units, or an image, with their scale."""
    if units.ndim == 1:
        n_columns = ceil(sqrt(units.size))
        # After the last unit the grid is empty.
        grid = np.full((ceil(units.size / n_columns), n_columns), np.nan)
        grid.flat[: units.size] = units
        units = grid
        for edge in range(1, n_columns):
            ax.axvline(edge - 0.5, color="white", linewidth=1.0)
        for edge in range(1, len(units)):
            ax.axhline(edge - 0.5, color="white", linewidth=1.0)
    drawn = ax.imshow(units, **style)
    ax.set(xticks=[], yticks=[])
    add_colorbar(drawn, label)
    return drawn
