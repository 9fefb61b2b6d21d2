"""The pictures, in the form of scikit-learn's Displays: recorded arrays and ``plot``.

Matplotlib is imported only where something is drawn.
"""

from itertools import cycle
from math import ceil, isqrt, sqrt
from numbers import Integral

import numpy as np
from scipy.sparse import issparse
from sklearn.pipeline import Pipeline
from sklearn.utils import _safe_indexing
from sklearn.utils.validation import _num_samples, check_is_fitted

from .._diagnostics.gradient_check import check_gradient
from .._diagnostics.learning_rate_range import learning_rate_range_test

MARKERS = "osD^vP*X"
"""Tell several curves apart where there is no colour."""


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

    def __init__(self, images):
        self.images = images

    @classmethod
    def from_rows(cls, X, *, image_shape=None, order="F", ax=None, **kwargs):
        """Draw rows of pixels as images.

        Parameters
        ----------
        X : array-like of shape (n_images, height * width)
            One image a row.
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
            If the images do not have as many pixels as X has columns, or the
            order is another one.
        """
        return cls(_images(X, image_shape, order)).plot(ax=ax, **kwargs)

    def plot(self, ax=None, *, n_columns=None, **kwargs):
        """Draw the grid.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None
            Where to draw; None makes a new figure.
        n_columns : int, default=None
            Images side by side; None makes the grid as square as it can be.
        **kwargs : dict
            Keywords of `matplotlib.axes.Axes.imshow`; by default the largest
            number is black on white paper.

        Returns
        -------
        display : ImageGridDisplay
            This object.
        """
        _check_grid("images", self.images, n_columns)
        self.figure_, self.ax_ = _figure_and_ax(self, ax)
        self.image_ = _draw_grid(
            self.ax_, self.images, n_columns, "0.75", {"cmap": "gray_r", **kwargs}
        )
        return self


class HiddenUnitsDisplay:
    """The weights of each unit of a layer, as an image of its inputs.

    A unit answers most strongly to an input that is large where its weights are
    positive (bright, yellow) and small where they are negative (dark, blue).
    Zero is grey, and all units share one scale, so that a unit that hardly
    matters looks grey. The colours keep their order in print without colour.

    Make it with `from_estimator`, or from weights as they are.

    Parameters
    ----------
    weights : array-like of shape (n_units, height, width)
        Weights of each unit, biases left out.

    Attributes
    ----------
    figure_ : matplotlib.figure.Figure
        The figure.

    ax_ : matplotlib.axes.Axes
        The axis.

    image_ : matplotlib.image.AxesImage
        What was drawn: all units as one image.

    colorbar_ : matplotlib.colorbar.Colorbar or None
        The scale beside it.

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

    def __init__(self, weights):
        self.weights = weights

    @classmethod
    def from_estimator(cls, estimator, *, image_shape=None, layer=0, order="F", ax=None, **kwargs):
        """Draw the units of a fitted network.

        Parameters
        ----------
        estimator : BackpropMLPClassifier or Pipeline
            Fitted; of a pipeline the last step is taken, whose weights belong
            to the transformed features. Any estimator with ``coefs_`` will do,
            such as scikit-learn's `MLPClassifier`.
        image_shape : (int, int), default=None
            Height and width of the layer's inputs as an image; None stands for
            a square.
        layer : int, default=0
            Which layer's units: 0 is the first hidden one. The inputs of layer
            1 are the units of layer 0, and so on.
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
        ValueError
            If there is no such layer, or the image does not have as many
            pixels as the layer has inputs, or the order is another one.
        """
        network = _last_step(estimator, "coefs_")
        if not (isinstance(layer, Integral) and 0 <= int(layer) < len(network.coefs_)):
            raise ValueError(
                f"layer must be from 0 to {len(network.coefs_) - 1} for this network; "
                f"got {layer!r}."
            )
        return cls(_images(network.coefs_[layer].T, image_shape, order)).plot(ax=ax, **kwargs)

    def plot(self, ax=None, *, n_columns=None, colorbar=True, **kwargs):
        """Draw the units.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None
            Where to draw; None makes a new figure.
        n_columns : int, default=None
            Units side by side; None makes the grid as square as it can be.
        colorbar : bool, default=True
            Whether to draw the scale.
        **kwargs : dict
            Keywords of `matplotlib.axes.Axes.imshow`, such as ``vmin`` and
            ``vmax`` for a scale that several pictures share. By default the
            scale reaches as far as the largest weight, to either side of zero.

        Returns
        -------
        display : HiddenUnitsDisplay
            This object.
        """
        _check_grid("weights", self.weights, n_columns)
        self.figure_, self.ax_ = _figure_and_ax(self, ax)
        # A network of zero weights is grey, too.
        limit = np.abs(self.weights).max() or 1.0
        style: dict = {"cmap": "cividis"}
        if "norm" not in kwargs:
            style |= {"vmin": -limit, "vmax": limit}
        self.image_ = _draw_grid(self.ax_, self.weights, n_columns, "white", style | kwargs)
        self.colorbar_ = None
        if colorbar:
            self.colorbar_ = self.figure_.colorbar(
                self.image_, ax=self.ax_, label="Weight", fraction=0.046, pad=0.04
            )
        return self


class NetworkActivationsDisplay:
    """What every layer of a network makes of one row, from the inputs to the outputs.

    Each unit of the inputs and of the hidden layers is a square, its activation
    a grey level or a colour; the outputs are bars. Logistic units have the
    scale from 0 to 1, relu from 0 to the largest activation of the layer; the
    others are scaled to either side of zero alike.

    Make it with `from_estimator`, or from activations as they are.

    Parameters
    ----------
    activations : list of array-like of shape (n_units,)
        Activations of each layer, the inputs first and the outputs last; the
        inputs may be an image, of shape (height, width).
    activation_names : list of str
        Name of each layer's activation function, from the first hidden layer
        to the outputs.
    output_names : array-like of shape (n_outputs,)
        What each output stands for.

    Attributes
    ----------
    figure_ : matplotlib.figure.Figure
        The figure.

    ax_ : ndarray of matplotlib.axes.Axes
        The axes, one a layer.

    images_ : list of matplotlib.image.AxesImage
        What was drawn of the inputs and the hidden layers.

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

    def __init__(self, activations, activation_names, output_names):
        self.activations = activations
        self.activation_names = activation_names
        self.output_names = output_names

    @classmethod
    def from_estimator(cls, estimator, X, *, row=0, image_shape=None, order="F", ax=None, **kwargs):
        """Draw a row's activations in a fitted network.

        Parameters
        ----------
        estimator : BackpropMLPClassifier or Pipeline
            Fitted; of a pipeline the last step is drawn, whose inputs are the
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
            Where to draw, one a layer; None makes a new figure.
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
        ValueError
            If X has no such row, or the image does not have as many pixels as
            the network has inputs, or the order is another one.
        """
        network = _last_step(estimator, "activations")
        if not (isinstance(row, Integral) and 0 <= int(row) < _num_samples(X)):
            raise ValueError(f"row must be from 0 to {_num_samples(X) - 1}; got {row!r}.")
        x = _safe_indexing(X, [row])
        if isinstance(estimator, Pipeline):
            x = estimator[:-1].transform(x)
        inputs, *layers = network.activations(x)
        inputs = inputs.toarray() if issparse(inputs) else inputs
        if image_shape is not None:
            inputs = _images(inputs, image_shape, order)
        names = network.classes_[1:] if network.n_outputs_ == 1 else network.classes_
        return cls(
            [layer[0] for layer in (inputs, *layers)],
            [*network._activations, network.out_activation_],
            network.classes_ if len(network.classes_) == 1 else names,
        ).plot(ax=ax, **kwargs)

    def plot(self, ax=None, *, n_largest=12, **kwargs):
        """Draw the layers side by side.

        Parameters
        ----------
        ax : array-like of matplotlib.axes.Axes, default=None
            Where to draw, one a layer; None makes a new figure.
        n_largest : int, default=12
            Of more outputs only so many are drawn, the largest ones.
        **kwargs : dict
            Keywords of `matplotlib.axes.Axes.imshow`, for the inputs and all
            hidden layers.

        Returns
        -------
        display : NetworkActivationsDisplay
            This object.

        Raises
        ------
        ValueError
            If ax is not one axis a layer.
        """
        _check_count("n_largest", n_largest)
        pyplot = _pyplot(self)
        n_layers = len(self.activations)
        if ax is None:
            _, ax = pyplot.subplots(
                1, n_layers, figsize=(3.4 * n_layers, 3.6), layout="constrained"
            )
        self.ax_ = np.ravel(ax)
        if self.ax_.shape != (n_layers,):
            raise ValueError(f"ax must be {n_layers} axes, or None; got {self.ax_.size}.")
        self.figure_ = self.ax_[0].figure
        inputs, *hidden, outputs = map(np.asarray, self.activations)
        *hidden_names, output_name = self.activation_names
        style = {"cmap": "gray_r", "vmin": min(0.0, inputs.min()), **kwargs}
        self.images_ = [_draw_units(self.ax_[0], inputs, "Input", style)]
        self.ax_[0].set_title(f"{inputs.size} inputs")
        layers = zip(self.ax_[1:-1], hidden, hidden_names, strict=True)
        for number, (axis, units, name) in enumerate(layers, start=1):
            style = {"cmap": "cividis", **_scale(name, units), **kwargs}
            self.images_.append(_draw_units(axis, units, "Activation", style))
            axis.set_title(f"Hidden layer {number}: {units.size} {name}")
        self._draw_outputs(self.ax_[-1], outputs, n_largest)
        self.ax_[-1].set_title(f"Outputs: {output_name}")
        return self

    def _draw_outputs(self, ax, outputs, n_largest):
        drawn = np.sort(np.argsort(-outputs, kind="stable")[:n_largest])
        positions = np.arange(len(drawn))
        self.bars_ = ax.barh(positions, outputs[drawn], color="C0")
        ax.set_yticks(positions, [str(name) for name in np.asarray(self.output_names)[drawn]])
        ax.set(xlim=(0.0, 1.0), xlabel="Activation", ylabel="Class")
        ax.invert_yaxis()
        ax.set_box_aspect(1.0)


class LossCurveDisplay:
    """Cost after each iteration, of one or several estimators.

    Make it with `from_estimator`, or from curves as they are.

    Parameters
    ----------
    loss_curves : dict of str to array-like of shape (n_iterations,)
        Cost on the training data, by the name of the estimator.
    validation_loss_curves : dict of str to array-like, default=None
        Cost on validation data, for all of these names, some or none.

    Attributes
    ----------
    figure_ : matplotlib.figure.Figure
        The figure.

    ax_ : matplotlib.axes.Axes
        The axis.

    lines_ : list of matplotlib.lines.Line2D
        The curves, each estimator's training curve before its validation curve.

    See Also
    --------
    sklearn.model_selection.LearningCurveDisplay : Score against training rows.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from backprop_mlp import BackpropMLPClassifier, LossCurveDisplay
    >>> X, y = load_digits(return_X_y=True)
    >>> solvers = {
    ...     solver: BackpropMLPClassifier(25, solver=solver, tol=0.01, random_state=0)
    ...     for solver in ("cg", "lbfgs")
    ... }
    >>> for clf in solvers.values():
    ...     clf = clf.fit(X / 16.0, y)
    >>> display = LossCurveDisplay.from_estimator(solvers)
    >>> display.figure_.savefig("loss_curves.png")  # doctest: +SKIP
    """

    def __init__(self, loss_curves, validation_loss_curves=None):
        self.loss_curves = loss_curves
        self.validation_loss_curves = validation_loss_curves

    @classmethod
    def from_estimator(cls, estimator, *, ax=None, **kwargs):
        """Draw how fitted estimators were trained.

        Parameters
        ----------
        estimator : BackpropMLPClassifier, Pipeline, or dict of str to these
            Fitted; several with the names for the legend. Of a pipeline the
            last step is taken. Any estimator with ``loss_curve_`` will do, such
            as scikit-learn's `MLPClassifier`; its ``validation_loss_curve_`` is
            drawn, too, if it has one.
        ax : matplotlib.axes.Axes, default=None
            Where to draw; None makes a new figure.
        **kwargs : dict
            Keywords of `plot`.

        Returns
        -------
        display : LossCurveDisplay
            What was drawn.

        Raises
        ------
        NotFittedError
            If an estimator is not fitted.
        """
        estimators = estimator if isinstance(estimator, dict) else {"": estimator}
        networks = {name: _last_step(each, "loss_curve_") for name, each in estimators.items()}
        validation = {
            name: network.validation_loss_curve_
            for name, network in networks.items()
            if getattr(network, "validation_loss_curve_", None) is not None
        }
        training = {name: network.loss_curve_ for name, network in networks.items()}
        return cls(training, validation).plot(ax=ax, **kwargs)

    def plot(self, ax=None, **kwargs):
        """Draw the curves: training solid, validation dashed.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None
            Where to draw; None makes a new figure.
        **kwargs : dict
            Keywords of `matplotlib.axes.Axes.plot`, for all curves.

        Returns
        -------
        display : LossCurveDisplay
            This object.
        """
        self.figure_, self.ax_ = _figure_and_ax(self, ax)
        validation_loss_curves = self.validation_loss_curves or {}
        suffix = " training" if validation_loss_curves else ""
        self.lines_: list = []
        for (name, curve), marker in zip(self.loss_curves.items(), cycle(MARKERS)):
            style = {"linestyle": "-", "markersize": 5}
            if len(self.loss_curves) > 1:
                style["marker"] = marker
            self._add(curve, f"{name}{suffix}", style, kwargs)
            if name in validation_loss_curves:
                style |= {"linestyle": "--", "color": self.lines_[-1].get_color()}
                self._add(validation_loss_curves[name], f"{name} validation", style, kwargs)
        self.ax_.set(xlabel="Iteration", ylabel="Cost J")
        if self.ax_.get_legend_handles_labels()[0]:
            self.ax_.legend()
        return self

    def _add(self, curve, label, style, kwargs):
        style |= {"label": label.strip(), "markevery": max(1, len(curve) // 10)}
        iterations = np.arange(1, len(curve) + 1)
        self.lines_ += self.ax_.plot(iterations, curve, **_line_style(style, kwargs))


class GradientCheckDisplay:
    """Backpropagation against finite differences, and the error between them.

    Make it with `from_estimator`, or from a check that has been made.

    Parameters
    ----------
    check : GradientCheck
        What `check_gradient` returned.

    Attributes
    ----------
    figure_ : matplotlib.figure.Figure
        The figure.

    ax_ : ndarray of two matplotlib.axes.Axes
        The gradients against each other; the error of each coordinate.

    See Also
    --------
    check_gradient : The check itself.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from backprop_mlp import BackpropMLPClassifier, GradientCheckDisplay
    >>> X, y = load_iris(return_X_y=True)
    >>> network = BackpropMLPClassifier(5, "tanh", random_state=0)
    >>> display = GradientCheckDisplay.from_estimator(network, X[::10], y[::10])
    >>> display.figure_.savefig("gradient_check.png")  # doctest: +SKIP
    """

    def __init__(self, check):
        self.check = check

    @classmethod
    def from_estimator(
        cls,
        estimator,
        X,
        y,
        sample_weight=None,
        *,
        step=6e-6,
        max_coordinates=500,
        random_state=0,
        ax=None,
        **kwargs,
    ):
        """Check an estimator's gradient and draw the result.

        Parameters
        ----------
        estimator : BackpropMLPClassifier
            As for `check_gradient`, like all parameters up to ``random_state``.
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Data.
        y : array-like of shape (n_samples,) or (n_samples, n_labels)
            Labels.
        sample_weight : array-like of shape (n_samples,), default=None
            Row weights.
        step : float, default=6e-6
            Change of a coordinate to either side.
        max_coordinates : int, default=500
            Largest number of coordinates.
        random_state : int, default=0
            Seed of the choice of coordinates.
        ax : array-like of two matplotlib.axes.Axes, default=None
            Where to draw; None makes a new figure.
        **kwargs : dict
            Keywords of `plot`.

        Returns
        -------
        display : GradientCheckDisplay
            What was drawn.

        Raises
        ------
        ValueError
            As `check_gradient`.
        """
        check = check_gradient(
            estimator,
            X,
            y,
            sample_weight,
            step=step,
            max_coordinates=max_coordinates,
            random_state=random_state,
        )
        return cls(check).plot(ax=ax, **kwargs)

    def plot(self, ax=None, **kwargs):
        """Draw the check.

        Parameters
        ----------
        ax : array-like of two matplotlib.axes.Axes, default=None
            Where to draw; None makes a new figure.
        **kwargs : dict
            Keywords of `matplotlib.axes.Axes.plot`, for all points.

        Returns
        -------
        display : GradientCheckDisplay
            This object.

        Raises
        ------
        ValueError
            If ax is not two axes.
        """
        pyplot = _pyplot(self)
        if ax is None:
            _, ax = pyplot.subplots(1, 2, figsize=(10, 4.5), layout="constrained")
        self.ax_ = np.ravel(ax)
        if self.ax_.shape != (2,):
            raise ValueError(f"ax must be two axes, or None; got {self.ax_.size}.")
        self.figure_ = self.ax_[0].figure
        check = self.check
        self._draw_gradients(self.ax_[0], kwargs)
        self._draw_errors(self.ax_[1], kwargs)
        verdict = {True: "passed", False: "FAILED", None: "not decided"}[check.passed]
        self.ax_[0].set_title(f"Gradient check {verdict}")
        self.ax_[1].set_title(f"Relative difference {check.relative_difference:.2g}")
        return self

    def _groups(self):
        """(label, marker, whether it counts, coordinates) of weights, biases and kinks."""
        bias = np.array([name.startswith("intercepts_") for name in self.check.names])
        kink = self.check.at_kink
        for label, style, chosen in (
            ("weight", {"marker": "o", "color": "C0"}, ~bias & ~kink),
            ("bias", {"marker": "^", "color": "C1"}, bias & ~kink),
            ("at a kink, not counted", {"marker": "x", "color": "0.5"}, kink),
        ):
            if chosen.any():
                yield np.flatnonzero(chosen), {"label": label, "linestyle": "", **style}

    def _draw_gradients(self, ax, kwargs):
        check = self.check
        ax.axline((0.0, 0.0), slope=1.0, color="0.6", linewidth=1.0, zorder=0)
        for chosen, style in self._groups():
            ax.plot(
                check.differences[chosen],
                check.backpropagation[chosen],
                **_line_style(style, kwargs),
            )
        ax.set(xlabel="Finite differences", ylabel="Backpropagation")
        ax.legend()

    def _draw_errors(self, ax, kwargs):
        check = self.check
        # The error at which each coordinate passes if all others are as far off.
        n_smooth = np.count_nonzero(~check.at_kink)
        floor = check.rounding_floor / sqrt(n_smooth) if n_smooth else np.finfo(np.float64).eps
        lowest = floor / 1000.0
        for chosen, style in self._groups():
            # Smaller errors, and none at all, lie on the lower edge.
            error = np.maximum(np.abs(check.error[chosen]), lowest)
            ax.plot(chosen, error, clip_on=False, **_line_style(style, kwargs))
        ax.axhline(
            floor, color="0.6", linewidth=1.0, linestyle="--", zorder=0, label="rounding floor"
        )
        ax.set(xlabel="Coordinate", ylabel="|differences - backpropagation|", yscale="log")
        ax.set_ylim(lowest, 30.0 * max(floor, np.abs(check.error).max()))
        ax.legend(*[handles[-1:] for handles in ax.get_legend_handles_labels()])


class LearningRateRangeDisplay:
    """Cost of mini-batches while the learning rate rises, and the suggested rate.

    Make it with `from_estimator`, or from a test that has been made.

    Parameters
    ----------
    result : LearningRateRange
        What `learning_rate_range_test` returned.

    Attributes
    ----------
    figure_ : matplotlib.figure.Figure
        The figure.

    ax_ : matplotlib.axes.Axes
        The axis.

    lines_ : list of matplotlib.lines.Line2D
        Each mini-batch's cost as a point, the smoothed costs, and the suggestion
        as a vertical line.

    See Also
    --------
    learning_rate_range_test : The test itself.

    References
    ----------
    .. [1] L. N. Smith, "Cyclical learning rates for training neural networks",
           WACV 2017, section 3.3.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from backprop_mlp import BackpropMLPClassifier, LearningRateRangeDisplay
    >>> X, y = load_digits(return_X_y=True)
    >>> network = BackpropMLPClassifier(25, solver="adam", random_state=0)
    >>> display = LearningRateRangeDisplay.from_estimator(network, X / 16.0, y)
    >>> display.figure_.savefig("learning_rates.png")  # doctest: +SKIP
    """

    def __init__(self, result):
        self.result = result

    @classmethod
    def from_estimator(
        cls,
        estimator,
        X,
        y,
        sample_weight=None,
        *,
        min_rate=1e-5,
        max_rate=10.0,
        n_steps=200,
        ax=None,
        **kwargs,
    ):
        """Test an estimator's learning rates and draw the result.

        Parameters
        ----------
        estimator : BackpropMLPClassifier
            As for `learning_rate_range_test`, like all parameters up to
            ``n_steps``.
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Training data.
        y : array-like of shape (n_samples,) or (n_samples, n_labels)
            Labels.
        sample_weight : array-like of shape (n_samples,), default=None
            Row weights.
        min_rate, max_rate : float, default=1e-5 and 10
            First and last rate.
        n_steps : int, default=200
            Number of updates.
        ax : matplotlib.axes.Axes, default=None
            Where to draw; None makes a new figure.
        **kwargs : dict
            Keywords of `plot`.

        Returns
        -------
        display : LearningRateRangeDisplay
            What was drawn.

        Raises
        ------
        ValueError, FloatingPointError
            As `learning_rate_range_test`.
        """
        result = learning_rate_range_test(
            estimator,
            X,
            y,
            sample_weight,
            min_rate=min_rate,
            max_rate=max_rate,
            n_steps=n_steps,
        )
        return cls(result).plot(ax=ax, **kwargs)

    def plot(self, ax=None, **kwargs):
        """Draw the test. Where training diverges, the costs leave the picture.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None
            Where to draw; None makes a new figure.
        **kwargs : dict
            Keywords of `matplotlib.axes.Axes.plot`, for the smoothed costs.

        Returns
        -------
        display : LearningRateRangeDisplay
            This object.
        """
        self.figure_, self.ax_ = _figure_and_ax(self, ax)
        rates, costs, smoothed = self.result.rates, self.result.costs, self.result.smoothed
        style = {"label": "smoothed", "color": "C0", "linewidth": 2.0}
        self.lines_ = [
            *self.ax_.plot(rates, costs, ".", color="0.6", markersize=5, label="a mini-batch"),
            *self.ax_.plot(rates, smoothed, **_line_style(style, kwargs)),
            self.ax_.axvline(
                self.result.suggestion,
                color="black",
                linestyle="--",
                label=f"suggestion: {self.result.suggestion:.2g}",
            ),
        ]
        # Up to the lowest cost everything is seen; what comes after it may be huge.
        highest = costs[: smoothed.argmin() + 1].max()
        self.ax_.set(
            xlabel="Learning rate", ylabel="Cost J", xscale="log", ylim=(0.0, 1.3 * highest)
        )
        self.ax_.legend()
        return self


def _pyplot(display):
    """matplotlib.pyplot, or an error that says what to install."""
    try:
        import matplotlib.pyplot
    except ImportError as error:
        raise ImportError(
            f'{type(display).__name__} draws with matplotlib: pip install "backprop-mlp[plot]"'
        ) from error
    return matplotlib.pyplot


def _figure_and_ax(display, ax):
    """Where to draw: the caller's axis, or one of a new figure."""
    pyplot = _pyplot(display)
    if ax is None:
        _, ax = pyplot.subplots(layout="constrained")
    return ax.figure, ax


def _line_style(style, kwargs):
    """Default keywords of a line, overridden by the caller's, who may have written "lw"."""
    from matplotlib.cbook import normalize_kwargs
    from matplotlib.lines import Line2D

    return style | normalize_kwargs(kwargs, Line2D)


def _last_step(estimator, attribute):
    """A fitted network, on its own or at the end of a pipeline; it has the attribute."""
    network = estimator[-1] if isinstance(estimator, Pipeline) else estimator
    check_is_fitted(network)
    if not hasattr(network, attribute):
        raise TypeError(f"estimator must be a network that has {attribute}; got {network!r}.")
    return network


def _check_count(name, count):
    """Refuse what is no integer > 0."""
    if not (isinstance(count, Integral) and int(count) > 0):
        raise ValueError(f"{name} must be an integer > 0; got {count!r}.")


def _check_grid(name, images, n_columns):
    """Refuse what can't be drawn as images side by side."""
    if np.ndim(images) != 3 or np.size(images) == 0:
        raise ValueError(
            f"{name} must have the shape (n_images, height, width), and one pixel at least; "
            f"got {np.shape(images)}."
        )
    if n_columns is not None:
        _check_count("n_columns", n_columns)


def _images(rows, image_shape, order):
    """Rows of pixels as images of shape (n_images, height, width)."""
    rows = np.asarray(rows)
    if rows.ndim != 2 or rows.size == 0:
        raise ValueError(f"X must hold one image a row; got an array of shape {rows.shape}.")
    n_pixels = rows.shape[1]
    if image_shape is None:
        image_shape = (isqrt(n_pixels), isqrt(n_pixels))
        expected = "given, for the images are not square"
    else:
        expected = f"(height, width) with height * width = {n_pixels}"
    if (
        np.shape(image_shape) != (2,)
        or not all(isinstance(side, Integral) and int(side) > 0 for side in image_shape)
        or image_shape[0] * image_shape[1] != n_pixels
    ):
        raise ValueError(
            f"image_shape must be {expected}; got {image_shape!r} for {n_pixels} pixels."
        )
    if order not in ("F", "C"):
        raise ValueError(f'order must be "F" or "C"; got {order!r}.')
    height, width = image_shape
    if order == "C":
        return rows.reshape(-1, height, width)
    return rows.reshape(-1, width, height).transpose(0, 2, 1)


def _scale(activation_name, units):
    """Where the colours of a layer begin and end."""
    limit = np.abs(units).max() or 1.0
    lowest = {"logistic": 0.0, "relu": 0.0}.get(activation_name, -limit)
    return {"vmin": lowest, "vmax": 1.0 if activation_name == "logistic" else limit}


def _draw_units(ax, units, label, style):
    """Draw a layer's units, or an image, with their scale."""
    if units.ndim == 1:
        n_columns = ceil(sqrt(units.size))
        # Behind the last unit is nothing.
        grid = np.full((ceil(units.size / n_columns), n_columns), np.nan)
        grid.flat[: units.size] = units
        units = grid
        for edge in range(1, n_columns):
            ax.axvline(edge - 0.5, color="white", linewidth=1.0)
        for edge in range(1, len(units)):
            ax.axhline(edge - 0.5, color="white", linewidth=1.0)
    drawn = ax.imshow(units, **style)
    ax.set(xticks=[], yticks=[])
    ax.figure.colorbar(drawn, ax=ax, label=label, fraction=0.046, pad=0.04)
    return drawn


def _draw_grid(ax, images, n_columns, gap_color, style):
    """Draw images side by side, a pixel apart, as one image."""
    n_images, height, width = np.shape(images)
    if n_columns is None:
        n_columns = ceil(sqrt(n_images))
    n_rows = ceil(n_images / n_columns)
    # Between the images is nothing: the axis shows through.
    grid = np.full((n_rows * (height + 1) - 1, n_columns * (width + 1) - 1), np.nan)
    for index, image in enumerate(images):
        top = index // n_columns * (height + 1)
        left = index % n_columns * (width + 1)
        grid[top : top + height, left : left + width] = image
    drawn = ax.imshow(grid, **style)
    ax.set(xticks=[], yticks=[], facecolor=gap_color)
    ax.spines[:].set_visible(False)
    return drawn
