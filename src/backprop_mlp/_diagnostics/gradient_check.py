"""Backpropagation against finite differences (exercise 4, section 2.4)."""

from dataclasses import dataclass
from functools import partial
from numbers import Integral, Real

import numpy as np

from .._classifier import BackpropMLPClassifier
from .._estimator.assembly import open_objective
from .._network.layers import Elementwise

TOLERANCE = 1e-7
"""Largest relative difference that passes."""

SHOWN = 20
"""Rows that a printed check shows at the most."""


@dataclass(frozen=True)
class GradientCheck:
    """A gradient by backpropagation beside the same gradient by differences.

    Parameters
    ----------
    names : list of str
        What was moved, one fitted attribute's entry a coordinate.
    differences : ndarray of shape (n_coordinates,)
        (J(theta + step) - J(theta - step)) / (2 step) along each coordinate.
    backpropagation : ndarray of shape (n_coordinates,)
        The gradient's components, by backpropagation.
    at_kink : ndarray of bool of shape (n_coordinates,)
        Where the step crosses a kink of relu or leaky relu, so that the
        differences mean nothing. These coordinates do not count.
    step : float
        Half the distance of the two evaluations.
    cost : float
        J at theta.

    See Also
    --------
    check_gradient : Makes the check.

    Examples
    --------
    >>> import numpy as np
    >>> from backprop_mlp import GradientCheck
    >>> check = GradientCheck(
    ...     names=["coefs_[0][0, 0]", "intercepts_[0][0]"],
    ...     differences=np.array([0.5, -0.25]),
    ...     backpropagation=np.array([0.5, -0.2]),
    ...     at_kink=np.array([False, False]),
    ...     step=6e-6,
    ...     cost=0.7,
    ... )
    >>> print(check)
       differences  backpropagation
      0.5000000000     0.5000000000  coefs_[0][0, 0]
     -0.2500000000    -0.2000000000  intercepts_[0][0]
    Gradient check FAILED: relative difference 0.046 (allowed: 1e-07).
    """

    names: list
    differences: np.ndarray
    backpropagation: np.ndarray
    at_kink: np.ndarray
    step: float
    cost: float

    @property
    def error(self):
        """Differences minus backpropagation, of shape (n_coordinates,)."""
        return self.differences - self.backpropagation

    @property
    def relative_difference(self):
        """The norm of the error over that of differences + backpropagation.

        Over the coordinates away from kinks; 0 if both gradients are 0.
        """
        smooth = ~self.at_kink
        distance = np.linalg.norm(self.error[smooth])
        size = np.linalg.norm((self.differences + self.backpropagation)[smooth])
        return 0.0 if distance == 0.0 else float(distance / size)

    @property
    def rounding_floor(self):
        """Norm of the error that rounding alone can cause.

        At a minimum the gradient is nearly zero and the relative difference
        measures rounding; an error below this floor passes.
        """
        n_smooth = np.count_nonzero(~self.at_kink)
        # The outputs h are rounded too, which reaches the gradient as it is.
        unit = np.finfo(np.float64).eps * max(abs(self.cost) / self.step, 1.0)
        return float(10.0 * np.sqrt(n_smooth) * unit)

    @property
    def passed(self):
        """Whether backpropagation agrees with the differences."""
        if np.linalg.norm(self.error[~self.at_kink]) <= self.rounding_floor:
            return True
        return self.relative_difference < TOLERANCE

    def __str__(self):
        lines = [f"{'differences':>14}  {'backpropagation':>15}"]
        for index, name in enumerate(self.names[:SHOWN]):
            kink = "  (at a kink, not counted)" if self.at_kink[index] else ""
            lines.append(
                f"{self.differences[index]:14.10f}  {self.backpropagation[index]:15.10f}"
                f"  {name}{kink}"
            )
        if len(self.names) > SHOWN:
            lines.append(f"... and {len(self.names) - SHOWN} more")
        n_kinks = np.count_nonzero(self.at_kink)
        if n_kinks:
            lines.append(f"{n_kinks} of {len(self.names)} coordinates are at a kink.")
        verdict = "passed" if self.passed else "FAILED"
        rounding = self.passed and self.relative_difference >= TOLERANCE
        lines.append(
            f"Gradient check {verdict}: relative difference {self.relative_difference:.2g} "
            f"(allowed: {TOLERANCE:g}{'; the error is rounding alone' if rounding else ''})."
        )
        return "\n".join(lines)


def check_gradient(
    estimator, X, y, sample_weight=None, *, step=6e-6, max_coordinates=500, random_state=0
):
    """Compare backpropagation with central differences of the cost.

    Everything is computed in float64. The estimator is not changed.

    Parameters
    ----------
    estimator : BackpropMLPClassifier
        Checked at its fitted parameters; if it is not fitted, at a random
        start for the given data.
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        Data; a few rows are enough.
    y : array-like of shape (n_samples,) or (n_samples, n_labels)
        Labels.
    sample_weight : array-like of shape (n_samples,), default=None
        Row weights.
    step : float, default=6e-6
        Change of a coordinate to either side, > 0. The default, the cube root
        of float64's precision, balances truncation against rounding; the
        exercise takes 1e-4.
    max_coordinates : int, default=500
        Networks with more parameters are checked on as many of them, drawn
        without replacement.
    random_state : int, default=0
        Seed of that draw, and of the dropout masks, which are held fixed.

    Returns
    -------
    check : GradientCheck
        Prints the exercise's two columns, the relative difference and the
        verdict.

    Raises
    ------
    TypeError
        If the estimator is of another kind.
    ValueError
        If step or max_coordinates is not above 0, the step vanishes beside the
        parameters, or the data do not fit.
    FloatingPointError
        If the cost overflows, there or a step away.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from backprop_mlp import BackpropMLPClassifier, check_gradient
    >>> X, y = load_iris(return_X_y=True)
    >>> network = BackpropMLPClassifier(5, "tanh", random_state=0)
    >>> check_gradient(network, X[::10], y[::10]).passed
    True
    """
    if not isinstance(estimator, BackpropMLPClassifier):
        raise TypeError(f"estimator must be a BackpropMLPClassifier; got {estimator!r}.")
    if not (isinstance(step, Real) and 0.0 < float(step) < np.inf):
        raise ValueError(f"step must be a finite number above 0; got {step!r}.")
    if not (isinstance(max_coordinates, Integral) and int(max_coordinates) >= 1):
        raise ValueError(f"max_coordinates must be an integer above 0; got {max_coordinates!r}.")
    if not (isinstance(random_state, Integral) and int(random_state) >= 0):
        raise ValueError(f"random_state must be an integer >= 0; got {random_state!r}.")
    seed = int(random_state)
    problem, theta = estimator._training_problem(X, y, sample_weight)
    network = problem.network
    if not (theta + step != theta - step).all():
        raise ValueError(
            "step must not vanish beside the parameters, the largest of which is "
            f"{np.abs(theta).max():g}; got {step!r}."
        )
    with (
        open_objective(problem, estimator.alpha) as objective,
        np.errstate(over="ignore", invalid="ignore"),
    ):
        objective.blocks = _fixed_blocks(problem, seed)
        cost, grad = objective.value_and_grad(theta)
        coordinates = np.arange(theta.size)
        if theta.size > max_coordinates:
            draw = np.random.default_rng(seed).choice(theta.size, max_coordinates, replace=False)
            coordinates = np.sort(draw)
        differences = np.empty(len(coordinates))
        at_kink = np.empty(len(coordinates), dtype=bool)
        for index, coordinate in enumerate(coordinates):
            differences[index], at_kink[index] = _central_difference(
                objective, theta, coordinate, step
            )
    if not (np.isfinite(differences).all() and np.isfinite(grad).all()):
        raise FloatingPointError(
            f"The cost, {cost:g} at theta, overflows there or a step away. Scale the features "
            f"(StandardScaler), or lower step={step:g}."
        )
    names = _names(network)
    return GradientCheck(
        names=[names[coordinate] for coordinate in coordinates],
        differences=differences,
        backpropagation=grad[coordinates],
        at_kink=at_kink,
        step=float(step),
        cost=cost,
    )


def _fixed_blocks(problem, seed):
    """The rows' blocks, each with the seed of its dropout masks.

    Batch normalisation depends on which rows stand together: then all do.
    """
    blocks = problem.blocks
    slices = blocks.slices if problem.network.row_wise else [slice(0, blocks.n_rows)]
    return [blocks.block(rows, seed + index) for index, rows in enumerate(slices)]


def _central_difference(objective, theta, coordinate, step):
    """The difference quotient of J, and whether it crosses a kink."""
    plus, minus = theta.copy(), theta.copy()
    plus[coordinate] += step
    minus[coordinate] -= step
    function = partial(_block_difference, objective.network, plus, minus)
    total, at_kink = 0.0, False
    for difference, crosses in objective.map(function, objective.blocks):
        total += difference
        at_kink |= crosses
    change = total / objective.total_weight + objective.penalty(plus) - objective.penalty(minus)
    # The step that was taken, after rounding.
    return change / (plus[coordinate] - minus[coordinate]), at_kink


def _block_difference(network, plus, minus, block):
    """Change of a block's loss, and whether a unit with a kink switches sides."""
    z_plus, caches_plus = network.forward(network.views(plus), block.X, block.rows)
    z_minus, caches_minus = network.forward(network.views(minus), block.X, block.rows)
    difference = network.loss.value(z_plus, block.Y, block.loss_weight) - network.loss.value(
        z_minus, block.Y, block.loss_weight
    )
    crosses = any(
        not np.array_equal(a_plus > 0.0, a_minus > 0.0)
        for layer, a_plus, a_minus in zip(network.layers, caches_plus, caches_minus, strict=True)
        if isinstance(layer, Elementwise) and layer.activation.kinked
    )
    return difference, crosses


def _names(network):
    """Where each entry of theta is found in the fitted attributes."""
    names = np.empty(network.n_params, dtype=object)
    for index, params in enumerate(network.views(names)):
        for kind, values in zip(("gamma", "beta"), params, strict=False):
            for unit in range(len(values)):
                values[unit] = f"{kind} of layer {index}"
    for layer, (W, b) in enumerate(network.dense_views(names)):
        for row, column in np.ndindex(W.shape):
            W[row, column] = f"coefs_[{layer}][{row}, {column}]"
        for unit in range(b.size):
            b[unit] = f"intercepts_[{layer}][{unit}]"
    return names
