"""Cost by iteration, drawn for one or several estimators."""

from collections.abc import Mapping
from itertools import cycle
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from .drawing import figure_and_ax, line_style
from .pipelines import last_step

MARKERS = "osD^vP*X"
"""Tell several curves apart where there is no colour."""


class LossCurveDisplay:
    """Cost after each iteration, of one or several estimators.

    Each cost is drawn at the iteration after which it was measured. Where a
    curve is nan nothing was measured: the line has a gap.

    Make it with `from_estimator`, or from curves as they are.

    Parameters
    ----------
    loss_curves : mapping of str to array-like of shape (n_iterations,)
        Cost on the training data, by the name of the estimator. Other keys are
        written as str writes them; None is a curve without a name.
    validation_loss_curves : mapping of str to array-like, default=None
        Cost on validation data, for all of these names, some or none. Entry i
        belongs to entry i of the training curve; nan where an iteration had no
        validation rows.

    Attributes
    ----------
    figure_ : matplotlib.figure.Figure
        The figure.

    ax_ : matplotlib.axes.Axes
        The axis.

    lines_ : list of matplotlib.lines.Line2D
        The curves, each estimator's training curve before its validation curve.
        Their horizontal data are the iterations, from the first measured one to
        the last. A validation curve without any measured cost is left out.

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

    figure_: Any
    ax_: Any
    lines_: Any

    def __init__(
        self,
        loss_curves: Mapping[Any, ArrayLike],
        validation_loss_curves: Mapping[Any, ArrayLike] | None = None,
    ):
        self.loss_curves = loss_curves
        self.validation_loss_curves = validation_loss_curves

    @classmethod
    def from_estimator(cls, estimator: Any, *, ax: Any = None, **kwargs: Any) -> Self:
        """Draw how fitted estimators were trained.

        Parameters
        ----------
        estimator : BackpropMLPClassifier, BackpropMLPRegressor, Pipeline, or mapping of \
                str to these
            Fitted; of several, the keys are their names in the legend. Of a
            pipeline the last step is drawn. Any estimator with ``loss_curve_``
            will do, such as scikit-learn's `MLPClassifier`. A
            ``validation_loss_curve_``, if there is one, is drawn as well.
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
        TypeError
            If it is no network with ``loss_curve_``. Of a search give its
            ``best_estimator_``.
        ValueError
            If there is none.
        """
        estimators = estimator if isinstance(estimator, Mapping) else {"": estimator}
        if not estimators:
            raise ValueError(f"estimator must hold at least one network; got {estimator!r}.")
        networks = {name: last_step(each, "loss_curve_") for name, each in estimators.items()}
        validation = {
            name: network.validation_loss_curve_
            for name, network in networks.items()
            if getattr(network, "validation_loss_curve_", None) is not None
        }
        training = {name: network.loss_curve_ for name, network in networks.items()}
        return cls(training, validation).plot(ax=ax, **kwargs)

    def plot(self, ax: Any = None, **kwargs: Any) -> Self:
        """Draw the curves: training solid, validation dashed.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None
            Where to draw; None makes a new figure.
        **kwargs : dict
            Keywords of `matplotlib.axes.Axes.plot`, for all curves. The markers
            of several curves stand at about ten measured iterations each,
            unless ``markevery`` is given.

        Returns
        -------
        display : LossCurveDisplay
            This object.

        Raises
        ------
        TypeError
            If ax is no axis.
        ValueError
            If there is no curve.
        """
        if not (isinstance(self.loss_curves, Mapping) and self.loss_curves):
            raise ValueError(
                f"loss_curves must be a mapping with at least one curve; got {self.loss_curves!r}."
            )
        self.figure_, self.ax_ = figure_and_ax(self, ax)
        validation_loss_curves = {
            name: curve
            for name, curve in (self.validation_loss_curves or {}).items()
            if _is_measured(curve).any()
        }
        suffix = " training" if validation_loss_curves else ""
        self.lines_: list = []
        for (key, curve), marker in zip(self.loss_curves.items(), cycle(MARKERS)):
            name = "" if key is None else key
            style = {"linestyle": "-", "markersize": 5}
            if len(self.loss_curves) > 1:
                style["marker"] = marker
            self._add(curve, f"{name}{suffix}", style, kwargs)
            if key in validation_loss_curves:
                style |= {"linestyle": "--", "color": self.lines_[-1].get_color()}
                self._add(validation_loss_curves[key], f"{name} validation", style, kwargs)
        self.ax_.set(xlabel="Iteration", ylabel="Cost J")
        if self.ax_.get_legend_handles_labels()[0]:
            self.ax_.legend()
        return self

    def _add(self, curve, label, style, kwargs):
        measured = _is_measured(curve)
        places = np.flatnonzero(measured)
        drawn = slice(places[0], places[-1] + 1) if places.size else slice(0)
        iterations = np.arange(1, len(measured) + 1)[drawn]
        self.lines_ += self.ax_.plot(
            iterations,
            np.asarray(curve)[drawn],
            **line_style({"label": label.strip()} | _markers(measured[drawn], style), kwargs),
        )


def _is_measured(curve):
    """Where a curve holds costs: nan stands for an iteration without rows to measure."""
    return ~np.isnan(np.asarray(curve, dtype=np.float64))


def _markers(measured, style):
    """The style with markers at about ten measured iterations, and at every lone one.

    No line reaches a measured iteration whose neighbours were not measured.
    """
    neighbours = np.pad(measured, 1)
    lone = np.flatnonzero(measured & ~neighbours[:-2] & ~neighbours[2:])
    if "marker" not in style and lone.size:
        return style | {"marker": ".", "markevery": lone.tolist()}
    places = np.flatnonzero(measured)
    chosen = np.union1d(places[:: max(1, len(places) // 10)], lone)
    return style | {"markevery": chosen.tolist()}
