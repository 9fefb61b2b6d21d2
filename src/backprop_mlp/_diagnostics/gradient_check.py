"""Backpropagation against finite differences (exercise 4, section 2.4).

Every parameter block, a layer's weights, its biases, a batch normalisation's
scales or shifts, is judged by itself: in a deep network the first layer's
gradient may be a millionth of the last one's, and drown in a common norm. The
loss and the penalty are judged separately, for the same reason.

Differences are inexact, and so is backpropagation. What both errors can amount
to is estimated from the network under test: truncation from differences of
smaller steps, rounding from how unevenly the loss and its gradient move over
steps so small that both are straight lines. Only what exceeds these estimates
is a failure, and only what agrees to `TOLERANCE` passes; the rest is not decided.
"""

from dataclasses import dataclass
from numbers import Integral
from typing import Any

import numpy as np

from .._base import BackpropMLP
from .._cached import cached_property
from .._estimator.assembly import open_objective
from .._estimator.fitted import kind_error
from .._estimator.keywords import Matrix, Weights
from .._estimator.pose import pose_check
from .._numbers import as_float
from .._objective.overflow import IGNORE_OVERFLOW
from .finite_differences import (
    DEFAULT_STEP,
    EPSILON,
    STEP_RATIO,
    TOLERANCE,
    central_differences,
    estimate_noise,
    estimate_output_rounding,
    estimate_truncation,
    penalty_differences,
)
from .parameter_blocks import draw_start, parameter_blocks, share_out

MAX_PRINTED = 20
"""Coordinates that a printed check shows at most."""

MAX_DRAWS = 10
"""Samples of a block that are drawn at most until one has a gradient: where units are off,
or inputs are always zero, some coordinates have none."""

SAFETY = 10.0
"""How many times the estimated standard deviation rounding errors may reach."""


@dataclass(frozen=True)
class BlockCheck:
    """The verdict on one parameter block.

    Parameters
    ----------
    name : str
        A fitted attribute such as ``"coefs_[0]"``, or ``"gamma of layer 1"``.
    error : float
        Norm of differences minus backpropagation, away from kinks.
    relative_difference : float
        The norm of the loss's error over that of differences + backpropagation,
        or that of the penalty where it is larger; nan if both gradients are 0.
    passed : bool or None
        None if rounding, truncation or kinks leave it undecided.
    advice : str
        If it is undecided, why, and what to do; else empty.

    See Also
    --------
    GradientCheck : Its ``blocks`` are such verdicts.

    Examples
    --------
    >>> from backprop_mlp import BlockCheck
    >>> print(BlockCheck("coefs_[0]", error=1e-10, relative_difference=2e-10, passed=True))
    coefs_[0]: relative difference 2e-10, passed
    """

    name: str
    error: float
    relative_difference: float
    passed: bool | None
    advice: str = ""

    def __str__(self) -> str:
        if self.passed is None:
            return f"{self.name}: not decided; {self.advice}"
        verdict = "passed" if self.passed else "FAILED"
        return f"{self.name}: relative difference {self.relative_difference:.2g}, {verdict}"


@dataclass(frozen=True)
class GradientCheck:
    """A gradient by backpropagation next to the same gradient by differences.

    Parameters
    ----------
    names : list of str
        What was moved, one entry of a fitted attribute per coordinate. Up to the
        last bracket it is the name of the coordinate's block.
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
    penalty_differences, penalty_backpropagation : ndarray of shape (n_coordinates,), default=0.0
        The penalty's share of ``differences`` and of ``backpropagation``.
    rounding, truncation : ndarray of shape (n_coordinates,), default=0.0
        What rounding and the finite step can add to the loss's error.
    penalty_rounding : ndarray of shape (n_coordinates,), default=0.0
        What rounding can add to the penalty's error.
    without_effect : ndarray of bool of shape (n_coordinates,), default=False
        Biases and shifts that a batch normalisation cancels: J does not depend on
        them, and they pass if both gradients vanish but for rounding.

    See Also
    --------
    check_gradient : Makes the check.

    Notes
    -----
    A block passes if the relative difference of its loss is below 1e-7, and that
    of its penalty, less rounding, as well. It fails if an error is larger than
    this and than rounding and truncation can explain. Otherwise it is not decided.

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
    coefs_[0]: relative difference 0, passed
    intercepts_[0]: relative difference 0.11, FAILED
    Gradient check FAILED: relative difference 0.046, in the worst block 0.11 (allowed: 1e-07).
    """

    names: list
    differences: np.ndarray
    backpropagation: np.ndarray
    at_kink: np.ndarray
    step: float
    cost: float
    penalty_differences: np.ndarray | float = 0.0
    penalty_backpropagation: np.ndarray | float = 0.0
    rounding: np.ndarray | float = 0.0
    truncation: np.ndarray | float = 0.0
    penalty_rounding: np.ndarray | float = 0.0
    without_effect: np.ndarray | bool = False

    @property
    def error(self) -> np.ndarray:
        """Differences minus backpropagation, of shape (n_coordinates,)."""
        return self.differences - self.backpropagation

    @cached_property
    def blocks(self) -> list[BlockCheck]:
        """The verdict on each parameter block, a list of BlockCheck."""
        blocks: dict[str, list] = {}
        for index, name in enumerate(self.names):
            blocks.setdefault(name.rpartition("[")[0] or name, []).append(index)
        return [self._judge(name, np.array(chosen)) for name, chosen in blocks.items()]

    @property
    def relative_difference(self) -> float:
        """The norm of the error over that of differences + backpropagation: the exercise's.

        Over all coordinates away from kinks; 0 if both gradients are 0. The verdict
        does not rest on it, but on the blocks.
        """
        smooth = ~self.at_kink
        distance = _norm(self.error[smooth])
        size = _norm((self.differences + self.backpropagation)[smooth])
        return 0.0 if distance == 0.0 else _ratio(distance, size)

    @property
    def rounding_floor(self) -> float:
        """Norm of the loss's error that rounding alone can cause, away from kinks."""
        return _norm(np.broadcast_to(self.rounding, len(self.names))[~self.at_kink])

    @property
    def passed(self) -> bool | None:
        """Whether backpropagation agrees with the differences in every block.

        False if a block fails; None if none fails, but one is not decided.
        """
        verdicts = [block.passed for block in self.blocks]
        if False in verdicts:
            return False
        return None if None in verdicts else True

    def _judge(self, name, chosen):
        """The verdict on the coordinates of a block."""
        chosen = chosen[~self.at_kink[chosen]]
        error = _norm(self.error[chosen])
        if not len(chosen):
            advice = "all its coordinates are at a kink: lower step, or take fewer rows."
            return BlockCheck(name, error, float("nan"), None, advice)

        def of(values):
            return np.broadcast_to(values, len(self.names))[chosen]

        rounding, truncation = of(self.rounding), of(self.truncation)
        penalty = of(self.penalty_differences), of(self.penalty_backpropagation)
        differences = self.differences[chosen] - penalty[0]
        backpropagation = self.backpropagation[chosen] - penalty[1]
        distance = _norm(differences - backpropagation)
        size = _norm(differences + backpropagation)
        explained = _norm(rounding + truncation)
        if of(self.without_effect).all():
            vanish = max(_norm(differences), _norm(backpropagation)) <= explained
            return BlockCheck(name, error, 0.0 if vanish else _ratio(distance, size), vanish)
        relative = _ratio(distance, size)
        penalty_size = _norm(penalty[0] + penalty[1])
        penalty_explained = _norm(of(self.penalty_rounding))
        excess = max(_norm(penalty[0] - penalty[1]) - penalty_explained, 0.0)
        largest = np.fmax(relative, _ratio(excess, penalty_size))
        wrong = excess >= TOLERANCE * penalty_size and excess > 0.0
        if wrong or (distance > explained and relative >= TOLERANCE):
            return BlockCheck(name, error, float(largest), False)
        if 0.0 < _norm(penalty[0]) <= penalty_explained:
            advice = "rounding hides the penalty: check an unfitted estimator."
        elif relative < TOLERANCE:
            return BlockCheck(name, error, float(largest), True)
        else:
            advice = self._advice(size, rounding, truncation)
        return BlockCheck(name, error, float(largest), None, advice)

    def _advice(self, size, rounding, truncation):
        """Why the loss's gradient in a block is not decided, and what to do."""
        rounding, truncation = _norm(rounding), _norm(truncation)
        elsewhere = "check an unfitted estimator"
        if size == 0.0:
            return f"both gradients are zero: {elsewhere}."
        # Noise in the differences of smaller steps looks like truncation of this size.
        if truncation > STEP_RATIO * rounding:
            # Where rounding, which goes as 1 / step, meets truncation, which goes as its square.
            better = self.step * (rounding / truncation) ** (1.0 / 3.0)
            return (
                f"the step is too large, truncation dominates: lower it, to {better:.0e} or so, "
                "or scale the features."
            )
        if self.step < DEFAULT_STEP / 2.0:
            return (
                f"the step is too small, rounding dominates: raise it, {DEFAULT_STEP:g} is usual."
            )
        return (
            "the gradient is small, rounding dominates: raise step, scale the features, or "
            f"{elsewhere}."
        )

    def __str__(self) -> str:
        lines = [f"{'differences':>14}  {'backpropagation':>15}"]
        for index, name in enumerate(self.names[:MAX_PRINTED]):
            kink = "  (at a kink, not counted)" if self.at_kink[index] else ""
            lines.append(
                f"{self.differences[index]:14.10f}  {self.backpropagation[index]:15.10f}"
                f"  {name}{kink}"
            )
        if len(self.names) > MAX_PRINTED:
            lines.append(f"... and {len(self.names) - MAX_PRINTED} more")
        n_kinks = np.count_nonzero(self.at_kink)
        if n_kinks:
            lines.append(f"{n_kinks} of {len(self.names)} coordinates are at a kink.")
        lines.extend(str(block) for block in self.blocks)
        if self.passed is None:
            n_open = sum(block.passed is None for block in self.blocks)
            lines.append(
                f"Gradient check not decided: relative difference {self.relative_difference:.2g}, "
                f"but {n_open} of {len(self.blocks)} blocks are not decided."
            )
        else:
            decided = [block for block in self.blocks if block.passed is not None]
            worst = max(block.relative_difference for block in decided)
            lines.append(
                f"Gradient check {'passed' if self.passed else 'FAILED'}: relative difference "
                f"{self.relative_difference:.2g}, in the worst block {worst:.2g} "
                f"(allowed: {TOLERANCE:g})."
            )
        return "\n".join(lines)


def check_gradient(
    estimator: Any,
    X: Matrix,
    y: Matrix,
    sample_weight: Weights = None,
    *,
    step: float = DEFAULT_STEP,
    max_coordinates: int = 500,
    random_state: int = 0,
) -> GradientCheck:
    """Compare backpropagation with central differences of the cost.

    Every parameter block (a layer's weights, its biases, a batch normalisation's
    scales or shifts) is judged by itself. Everything is computed in float64. The
    estimator is not changed.

    Parameters
    ----------
    estimator : BackpropMLPClassifier or BackpropMLPRegressor
        Checked at its fitted parameters. If it is not fitted, at random parameters
        of the check's own, not those of its ``initializer``: there every block has
        a gradient to compare, however deep the network is.
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        Data; a few rows are enough.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Labels, or numbers for a regressor.
    sample_weight : array-like of shape (n_samples,), default=None
        Row weights.
    step : float, default=6e-6
        Change of a coordinate to either side, > 0. The default, the cube root
        of float64's precision, balances truncation against rounding; the
        exercise takes 1e-4.
    max_coordinates : int, default=500
        Networks with more parameters are checked on as many of them, drawn
        without replacement: equally many of each block, at least one.
    random_state : int, default=0
        Seed of that draw, of the random parameters, and of the dropout masks,
        which are held fixed.

    Returns
    -------
    check : GradientCheck
        Its ``passed`` is True, False, or None if rounding or truncation leave a
        block undecided. Prints the exercise's two columns, the verdict on each block
        and, where it is not decided, what to do.

    Raises
    ------
    TypeError
        If the estimator is of another kind.
    ValueError
        If step or max_coordinates is not above 0, the step vanishes next to the
        parameters, or the data do not fit.
    FloatingPointError
        If the cost overflows, there or a step away.

    Notes
    -----
    A correct network is not always decided at its fitted parameters: at a minimum
    the gradient vanishes, and nothing but rounding is left to compare.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from backprop_mlp import BackpropMLPClassifier, check_gradient
    >>> X, y = load_iris(return_X_y=True)
    >>> network = BackpropMLPClassifier(5, "tanh")
    >>> check_gradient(network, X[::10], y[::10]).passed
    True
    """
    if not isinstance(estimator, BackpropMLP):
        raise kind_error(estimator, "a BackpropMLPClassifier or BackpropMLPRegressor")
    if not 0.0 < as_float(step) < np.inf:
        raise ValueError(f"step must be a finite number above 0; got {step!r}.")
    if not (isinstance(max_coordinates, Integral) and int(max_coordinates) >= 1):
        raise ValueError(f"max_coordinates must be an integer above 0; got {max_coordinates!r}.")
    if not (isinstance(random_state, Integral) and int(random_state) >= 0):
        raise ValueError(f"random_state must be an integer >= 0; got {random_state!r}.")
    step, seed = float(step), int(random_state)
    problem, theta = pose_check(estimator, X, y, sample_weight)
    with (
        open_objective(problem, estimator.alpha) as objective,
        open_objective(problem, 0.0) as loss,
        np.errstate(**IGNORE_OVERFLOW),
    ):
        blocks = _fixed_blocks(problem, seed)
        objective, loss = (whole.over(blocks, whole.map) for whole in (objective, loss))
        if theta is None:
            theta = draw_start(loss, np.random.default_rng(seed))
        if not (theta + step != theta - step).all():
            raise ValueError(
                "step must not vanish next to the parameters, the largest of which is "
                f"{np.abs(theta).max():g}; got {step!r}."
            )
        return _check(objective, loss, theta, step, int(max_coordinates), seed)


def _check(objective, loss, theta, step, max_coordinates, seed):
    """The check of an objective, and of the same without its penalty, at theta."""
    rng = np.random.default_rng(seed)
    blocks = parameter_blocks(objective.network)
    cost, grad = objective.value_and_grad(theta)
    loss_cost, loss_grad = loss.value_and_grad(theta)
    value_rounding, grad_rounding = estimate_output_rounding(loss, theta)
    value_rounding += EPSILON * abs(loss_cost)
    parts: dict[str, list] = {}
    for block, count in zip(
        blocks, share_out([b.size for b in blocks], max_coordinates), strict=True
    ):
        for _ in range(MAX_DRAWS):
            names, chosen = block.draw(count, rng)
            differences, at_kink = central_differences(loss, theta, chosen, step)
            if count == block.size or differences.any() or loss_grad[chosen].any():
                break
        penalty, penalty_rounding = penalty_differences(objective, theta, chosen, step)
        if not (np.isfinite(differences + penalty).all() and np.isfinite(grad).all()):
            raise FloatingPointError(
                f"The cost, {cost:g} at theta, overflows there or a step away. Scale the features "
                f"(StandardScaler), or lower step={step:g}."
            )
        noise, grad_noise = estimate_noise(loss, theta, chosen[~at_kink], rng)
        noise = SAFETY * max(noise, value_rounding / 2.0)
        truncation = estimate_truncation(loss, theta, chosen, differences, at_kink, step, noise)
        # The loss's and the penalty's shares come from sums, which keep the larger one's digits.
        lost = EPSILON * (np.abs(grad[chosen]) + np.abs(differences + penalty))
        for field, values in {
            "names": names,
            "differences": differences + penalty,
            "backpropagation": grad[chosen],
            "at_kink": at_kink,
            "penalty_differences": penalty,
            "penalty_backpropagation": grad[chosen] - loss_grad[chosen],
            "rounding": noise / step + SAFETY * (grad_noise + grad_rounding[chosen] + lost),
            "truncation": truncation,
            "penalty_rounding": SAFETY * (penalty_rounding + lost),
            "without_effect": np.full(len(chosen), block.without_effect),
        }.items():
            parts.setdefault(field, []).append(values)
    joined: dict = {field: np.concatenate(values) for field, values in parts.items()}
    joined["names"] = joined["names"].tolist()
    return GradientCheck(**joined, step=step, cost=cost)


def _fixed_blocks(problem, seed):
    """The rows' blocks, each with the seed of its dropout masks.

    Batch normalisation depends on which rows stand together: then all do.
    """
    blocks = problem.blocks
    slices = blocks.slices if problem.network.row_wise else [slice(0, blocks.n_rows)]
    return [blocks.block(rows, seed + index) for index, rows in enumerate(slices)]


def _norm(values):
    return float(np.linalg.norm(values))


def _ratio(distance, size):
    """The relative difference; nan if both gradients are 0."""
    return distance / size if size > 0.0 else float("inf" if distance > 0.0 else "nan")
