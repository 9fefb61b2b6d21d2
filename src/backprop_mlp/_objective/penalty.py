"""Penalties on the weights: the second term of J."""

from dataclasses import dataclass
from typing import Protocol

from .pieces import pieces


class Penalty(Protocol):
    """A function of the weight matrices, which come as one vector; biases are not in it.

    `Objective` makes it with the strength ``alpha / m``: no penalty scales itself.
    """

    @property
    def is_isotropic(self) -> bool:
        """Whether it depends on the length of each unit's weights alone."""

    def value(self, weights) -> float:
        """The penalty at weights of shape (n_weights,)."""

    def add_grad(self, grad, weights) -> None:
        """Add its gradient at the weights to grad, of shape (n_weights,), in place."""

    def add_hessian_product(self, product, weights, direction) -> None:
        """Add its Hessian at the weights times a direction to product, in place."""


@dataclass(frozen=True)
class L2Penalty:
    """strength / 2 * sum of squared weights.

    Parameters
    ----------
    strength : float
    """

    strength: float

    is_isotropic = True

    def value(self, weights):
        """The penalty at weights of shape (n_weights,), a float."""
        return self.strength / 2.0 * float(weights @ weights)

    def add_grad(self, grad, weights):
        """Add ``strength * weights`` to grad, in the precision of the weights."""
        strength = weights.dtype.type(self.strength)
        for piece in pieces(len(grad)):
            grad[piece] += strength * weights[piece]

    def add_hessian_product(self, product, weights, direction):
        """Add ``strength * direction`` to product: the Hessian is a multiple of the identity."""
        self.add_grad(product, direction)
