"""Backpropagation against finite differences, drawn per coordinate."""

from math import sqrt
from typing import Any, Self

import numpy as np

from .._diagnostics.finite_differences import DEFAULT_STEP
from .._diagnostics.gradient_check import GradientCheck, check_gradient
from .._estimator.keywords import Matrix, Weights
from .drawing import figure_and_axes, line_style, mark_at_edge


class GradientCheckDisplay:
    """Backpropagation against finite differences, and the error between them.

    Make it with `from_estimator`, or from a finished check.

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

    lines_ : list of two lists of matplotlib.lines.Line2D
        On each axis, the points of each kind of parameters, and of coordinates at a kink;
        last, the line where both gradients are equal, and the rounding floor.

    marks_ : list of matplotlib.lines.Line2D
        Triangles at the lower edge, at the coordinates whose errors lie below the picture:
        one per kind that has some.

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

    figure_: Any
    ax_: Any
    lines_: Any
    marks_: Any

    def __init__(self, check: GradientCheck):
        self.check = check

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Matrix,
        y: Matrix,
        sample_weight: Weights = None,
        *,
        step: float = DEFAULT_STEP,
        max_coordinates: int = 500,
        random_state: int = 0,
        ax: Any = None,
        **kwargs: Any,
    ) -> Self:
        """Check an estimator's gradient and draw the result.

        Parameters
        ----------
        estimator : BackpropMLPClassifier or BackpropMLPRegressor
            As for `check_gradient`, like all parameters up to ``random_state``.
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Data.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Labels, or numbers for a regressor.
        sample_weight : array-like of shape (n_samples,), default=None
            Row weights.
        step : float, default=6e-6
            How far each coordinate is moved, up and down.
        max_coordinates : int, default=500
            Networks with more parameters are checked on as many of them, drawn
            without replacement: equally many of each block, at least one.
        random_state : int, default=0
            Seed of that draw, of the random parameters, and of the dropout masks,
            which are held fixed.
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
        TypeError, ValueError, FloatingPointError
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

    def plot(self, ax: Any = None, **kwargs: Any) -> Self:
        """Draw the check.

        An error that is too small for the picture, or zero, is marked by a
        triangle at the lower edge.

        Parameters
        ----------
        ax : array-like of two matplotlib.axes.Axes, default=None
            Where to draw; None makes a new figure.
        **kwargs : dict
            Keywords of `matplotlib.axes.Axes.plot`, for all points; the
            triangles keep their shape.

        Returns
        -------
        display : GradientCheckDisplay
            This object.

        Raises
        ------
        TypeError
            If ax holds what is no axis.
        ValueError
            If ax is not two axes.
        """
        self.figure_, self.ax_ = figure_and_axes(self, ax, 2, (10, 4.5))
        check = self.check
        gradients = self._draw_gradients(self.ax_[0], kwargs)
        errors, self.marks_ = self._draw_errors(self.ax_[1], kwargs)
        self.lines_ = [gradients, errors]
        verdict = {True: "passed", False: "FAILED", None: "not decided"}[check.passed]
        self.ax_[0].set_title(f"Gradient check {verdict}")
        self.ax_[1].set_title(f"Relative difference {check.relative_difference:.2g}")
        return self

    def _groups(self):
        """(coordinates, line style) of each kind of parameters, and of coordinates at a kink."""
        weight, bias = (
            np.array([name.startswith(start) for name in self.check.names])
            for start in ("coefs_", "intercepts_")
        )
        kink = self.check.at_kink
        for label, style, chosen in (
            ("weight", {"marker": "o", "color": "C0"}, weight & ~kink),
            ("bias", {"marker": "^", "color": "C1"}, bias & ~kink),
            (
                "batch normalisation",
                {"marker": "s", "color": "C2"},
                ~weight & ~bias & ~kink,
            ),
            ("at a kink, not counted", {"marker": "x", "color": "0.5"}, kink),
        ):
            if chosen.any():
                yield np.flatnonzero(chosen), {"label": label, "linestyle": "", **style}

    def _draw_gradients(self, ax, kwargs):
        """Draw the gradients against each other; the lines."""
        check = self.check
        equal = ax.axline((0.0, 0.0), slope=1.0, color="0.6", linewidth=1.0, zorder=0)
        lines = []
        for chosen, style in self._groups():
            lines += ax.plot(
                check.differences[chosen],
                check.backpropagation[chosen],
                **line_style(style, kwargs),
            )
        ax.set(xlabel="Finite differences", ylabel="Backpropagation")
        ax.legend()
        return [*lines, equal]

    def _draw_errors(self, ax, kwargs):
        """Draw the error of each coordinate; the lines, and the marks."""
        check = self.check
        # The error at which each coordinate passes if all others are equally large.
        n_smooth = np.count_nonzero(~check.at_kink)
        floor = check.rounding_floor / sqrt(max(int(n_smooth), 1)) or np.finfo(np.float64).eps
        lowest = floor / 1000.0
        lines, marks = [], []
        for chosen, style in self._groups():
            style = {"clip_on": False} | line_style(style, kwargs)
            error = np.abs(check.error[chosen])
            below = error < lowest
            lines += ax.plot(chosen[~below], error[~below], **style)
            if below.any():
                style["label"] = "below the picture"
                marks.append(mark_at_edge(ax, chosen[below], "bottom", style))
        rounding = ax.axhline(
            floor, color="0.6", linewidth=1.0, linestyle="--", zorder=0, label="rounding floor"
        )
        ax.set(xlabel="Coordinate", ylabel="|differences - backpropagation|", yscale="log")
        ax.set_ylim(lowest, 30.0 * max(floor, np.abs(check.error).max()))
        # The other axis explains the groups.
        ax.legend(handles=[*marks[:1], rounding])
        return [*lines, rounding], marks
