"""Rules of the mini-batch solvers: what turns a gradient into a step, with explicit state."""

import math
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import scipy.linalg

from .._objective.pieces import pieces


class Rule(Protocol):
    """How a mini-batch solver turns gradients into steps.

    A rule is immutable. What it remembers of earlier gradients is a dictionary of
    numbers and of arrays shaped as theta, which the caller keeps and hands back. A step
    treats every entry of theta alike, and alone: long vectors come in pieces.
    """

    def init(self, theta: np.ndarray) -> dict[str, Any]:
        """State before the first step."""

    def step(self, grad: np.ndarray, rate: float, state: dict[str, Any]) -> np.ndarray:
        """What to add to theta; may overwrite grad, and updates the state, its arrays in place."""


@dataclass(frozen=True)
class SGD:
    """Gradient descent with momentum: v = momentum * v - rate * grad; theta += v.

    With Nesterov's momentum theta += momentum * v - rate * grad (Sutskever,
    Martens, Dahl & Hinton, 2013, eq. 3 and 4, in the coordinates ahead).

    Parameters
    ----------
    momentum : float
    nesterov : bool
    """

    momentum: float
    nesterov: bool

    def init(self, theta):
        """State before the first step."""
        return {"velocity": np.zeros_like(theta)}

    def step(self, grad, rate, state):
        """What to add to theta; overwrites grad and the state's arrays."""
        velocity = state["velocity"]
        grad *= -rate
        velocity *= self.momentum
        velocity += grad
        if self.nesterov:
            grad += self.momentum * velocity
            return grad
        return velocity


@dataclass(frozen=True)
class Adam:
    """Adam (Kingma & Ba, 2015, algorithm 1, in the order of section 2).

    m = beta_1 m + (1 - beta_1) grad;  v = beta_2 v + (1 - beta_2) grad^2;
    theta -= rate sqrt(1 - beta_2^t) / (1 - beta_1^t) * m / (sqrt(v) + epsilon)

    Parameters
    ----------
    beta_1, beta_2, epsilon : float
    """

    beta_1: float
    beta_2: float
    epsilon: float

    def init(self, theta):
        """State before the first step."""
        return {"m": np.zeros_like(theta), "v": np.zeros_like(theta), "t": 0}

    def step(self, grad, rate, state):
        """What to add to theta; overwrites grad and the state's arrays."""
        m, v = state["m"], state["v"]
        state["t"] += 1
        t = state["t"]
        m *= self.beta_1
        m += (1.0 - self.beta_1) * grad
        np.square(grad, out=grad)
        grad *= 1.0 - self.beta_2
        v *= self.beta_2
        v += grad
        step = np.sqrt(v, out=grad)
        step += self.epsilon
        np.divide(m, step, out=step)
        step *= -rate * math.sqrt(1.0 - self.beta_2**t) / (1.0 - self.beta_1**t)
        return step


@dataclass(frozen=True)
class RMSprop:
    """RMSprop (Hinton, "Neural networks for machine learning", 2012, lecture 6e).

    v = beta_2 v + (1 - beta_2) grad^2;  theta -= rate * grad / (sqrt(v) + epsilon)

    Parameters
    ----------
    beta_2, epsilon : float
    """

    beta_2: float
    epsilon: float

    def init(self, theta):
        """State before the first step."""
        return {"v": np.zeros_like(theta)}

    def step(self, grad, rate, state):
        """What to add to theta; overwrites grad and the state's arrays."""
        v = state["v"]
        v *= self.beta_2
        v += (1.0 - self.beta_2) * np.square(grad)
        root = np.sqrt(v)
        root += self.epsilon
        grad /= root
        grad *= -rate
        return grad


def take_step(rule: Rule, theta, grad, rate, state):
    """Add a rule's step to theta, piece by piece; may overwrite grad, and updates the state."""
    part: dict[str, Any] = {}
    for piece in pieces(len(theta)):
        # Every piece begins with the same numbers, and ends with the same.
        part = {
            name: value[piece] if isinstance(value, np.ndarray) else value
            for name, value in state.items()
        }
        theta[piece] += rule.step(grad[piece], rate, part)
    state.update((name, value) for name, value in part.items() if not isinstance(value, np.ndarray))


def clip_by_norm(grad, max_norm):
    """Scale a gradient in place so that its Euclidean norm is at most max_norm."""
    # SciPy's norm does not overflow where the squares would.
    norm = scipy.linalg.norm(grad, check_finite=False)
    if norm > max_norm:
        grad *= max_norm / norm
