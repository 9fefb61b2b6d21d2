"""Cost against a rising learning rate, drawn with the suggested rate."""

from typing import Any, Self

from .._diagnostics.learning_rate_range import LearningRateRange, learning_rate_range_test
from .._estimator.keywords import Matrix, Weights
from .drawing import figure_and_ax, line_style, mark_at_edge


class LearningRateRangeDisplay:
    """Cost of mini-batches while the learning rate rises, and the suggested rate.

    Make it with `from_estimator`, or from a finished test.

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

    marks_ : list of matplotlib.lines.Line2D
        Triangles at the upper edge, at the rates whose costs lie above the
        picture; empty if all costs lie in it.

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

    figure_: Any
    ax_: Any
    lines_: Any
    marks_: Any

    def __init__(self, result: LearningRateRange):
        self.result = result

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Matrix,
        y: Matrix,
        sample_weight: Weights = None,
        *,
        min_rate: float = 1e-5,
        max_rate: float = 10.0,
        n_steps: int = 200,
        ax: Any = None,
        **kwargs: Any,
    ) -> Self:
        """Test an estimator's learning rates and draw the result.

        Parameters
        ----------
        estimator : BackpropMLPClassifier or BackpropMLPRegressor
            As for `learning_rate_range_test`, like all parameters up to
            ``n_steps``.
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Training data.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Labels, or numbers for a regressor.
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
        TypeError, ValueError, FloatingPointError
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

    def plot(self, ax: Any = None, **kwargs: Any) -> Self:
        """Draw the test.

        The picture is as high as the costs up to the lowest smoothed one need.
        Costs above it, where training diverges, are marked by triangles at the
        upper edge.

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

        Raises
        ------
        TypeError
            If ax is no axis.
        """
        self.figure_, self.ax_ = figure_and_ax(self, ax)
        rates, costs, smoothed = self.result.rates, self.result.costs, self.result.smoothed
        style = {"label": "smoothed", "color": "C0", "linewidth": 2.0}
        self.lines_ = [
            *self.ax_.plot(rates, costs, ".", color="0.6", markersize=5, label="a mini-batch"),
            *self.ax_.plot(rates, smoothed, **line_style(style, kwargs)),
            self.ax_.axvline(
                self.result.suggestion,
                color="black",
                linestyle="--",
                label=f"suggestion: {self.result.suggestion:.2g}",
            ),
        ]
        # After the lowest smoothed cost training may diverge: those costs may be huge.
        top = 1.3 * costs[: smoothed.argmin() + 1].max()
        self.ax_.set(xlabel="Learning rate", ylabel="Cost J", xscale="log", ylim=(0.0, top))
        self.marks_ = []
        if (above := costs > top).any():
            style = {"color": "0.3", "markersize": 8, "label": "above the picture"}
            self.marks_.append(mark_at_edge(self.ax_, rates[above], "top", style))
        self.ax_.legend()
        return self
