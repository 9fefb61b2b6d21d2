"""theta = T(phi): the coordinates in which the full-batch solvers work.

A solver that sees J(T(phi)) takes other steps than one that sees J(theta), and reaches the
same minima: T is linear and invertible. The objective, its penalty, the gradient whose
largest component ``tol`` bounds, callbacks and every fitted attribute stay those of theta.
T is a composition

    theta = C(K(S(phi)))

of a part that centres and scales the inputs (`centring`), one made of the curvature of
each layer (`kronecker`, which applies both at once: on a small table every map counts) and
one made of the last steps (`secants`). Each part fulfils the contract `Coordinates`, and so
does their composition, which is all that a solver knows.

For a solver whose steps follow the gradient, T turns steepest descent into steps along
T T'g, so T T' should be near the inverse Hessian (Nocedal & Wright, "Numerical
Optimization", 2nd ed., section 5.1 on preconditioning): C and K bring what is known of the
model before any step, S what the steps have shown. T changes while training goes on: the
solver then starts again from where it is, in the new coordinates.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np

MAX_CACHED_PARAMS = 100_000
"""Parameters up to which vectors stay in a core's cache."""


def pass_flops(n_params):
    """Floating-point operations of a matrix product that take as long as reading a vector once."""
    return (6.0 if n_params <= MAX_CACHED_PARAMS else 64.0) * n_params


def stack_steps(pairs):
    """Pairs of a step and a change as the rows of two arrays; None if there are none."""
    return tuple(np.array(list(pairs)).swapaxes(0, 1)) if len(pairs) else None


@dataclass(frozen=True)
class Point:
    """Where a descent is when its coordinates are made again.

    Parameters
    ----------
    n_iter : int
        Iterations so far.
    theta : ndarray of shape (n_params,)
        The parameters themselves.
    cost : float
        J there.
    grad : ndarray of shape (n_params,)
        Gradient of J at theta, with respect to what the parts further out leave.
    steps : tuple of ndarray of shape (n_steps, n_params), default=None
        The last steps, oldest first, and the changes of the gradient along them, in the same
        coordinates as ``grad``; None if there are none.
    plain : bool, default=False
        Whether the coordinates led to no step, and parts that may have caused it are to do
        without what they have learned.
    """

    n_iter: int
    theta: np.ndarray
    cost: float
    grad: np.ndarray
    steps: tuple | None = None
    plain: bool = False

    def seen_through(self, part: "Coordinates"):
        """The same point in the coordinates of a part."""
        seen = replace(self, grad=part.pull_back(self.grad))
        if self.steps is None:
            return seen
        steps, changes = self.steps
        return replace(seen, steps=(part.to_phi(steps), part.pull_back(changes)))


class Coordinates(Protocol):
    """An invertible linear map T from phi to theta that may be made again on the way.

    All but the innermost part of a composition map many vectors at once, too: the rows of an
    array.
    """

    @property
    def learned(self) -> bool:
        """Whether T rests on what a point has shown, and a plain point would change it."""

    def to_theta(self, phi) -> Any:
        """T phi, a new vector."""

    def to_phi(self, theta) -> Any:
        """The phi with T phi = theta, a new vector."""

    def pull_back(self, grad) -> Any:
        """T' grad, a new vector: the gradient with respect to phi from that of theta."""

    def refresh(self, point: Point) -> None:
        """Make T again from what is known at a point of the descent."""

    def due(self, n_iter: int) -> float:
        """Number of iterations after which T should be made again; inf if never."""


class Composition:
    """Coordinates made of parts.

    Parameters
    ----------
    parts : sequence of Coordinates
        The outermost first: its theta is the parameters, its phi the next one's theta.
    """

    def __init__(self, parts: Sequence[Coordinates]):
        self.parts = tuple(parts)

    @property
    def learned(self):
        """Whether any part rests on what a point has shown."""
        return any(part.learned for part in self.parts)

    def to_theta(self, phi):
        """T phi, a new vector."""
        for part in reversed(self.parts):
            phi = part.to_theta(phi)
        return phi

    def to_phi(self, theta):
        """The phi with T phi = theta, a new vector."""
        for part in self.parts:
            theta = part.to_phi(theta)
        return theta

    def pull_back(self, grad):
        """T' grad, a new vector."""
        for part in self.parts:
            grad = part.pull_back(grad)
        return grad

    def refresh(self, point):
        """Make every part again, from the outermost to the innermost."""
        for part in self.parts[:-1]:
            part.refresh(point)
            point = point.seen_through(part)
        self.parts[-1].refresh(point)

    def due(self, n_iter):
        """Number of iterations after which the first part should be made again."""
        return min(part.due(n_iter) for part in self.parts)
