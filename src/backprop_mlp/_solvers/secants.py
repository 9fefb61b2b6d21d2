"""Coordinates made of the last steps, in which the next step has about length one.

A step s changes the gradient by y, which is about the Hessian times s. From the last steps
L-BFGS makes a matrix H with H y = s that stands for the inverse Hessian (Nocedal & Wright,
"Numerical Optimization", 2nd ed., section 7.2). Its product form (Brodlie, Gourlay &
Greenstadt, 1973) gives coordinates S with S S' = H, from S = gamma^(1/2), gamma = s'y / y'y
of the last step, step by step:

    S <- (I - p q') S,   p = s / s'y,   q = y - t B s,   t = (s'y / s'B s)^(1/2),   B = (S S')^-1

Steps along which the gradient does not rise are left out. The product of all factors is

    S = gamma^(1/2) (I - P' M Q),   M = (I + L)^-1,   L = what is left of the diagonal in Q P'

with one row of P and Q per step, and its inverse is gamma^(-1/2) (I + P' N Q), with
N = (I - what is on and right of the diagonal in Q P')^-1: two passes over P and Q each.

The whole is multiplied by r, the length of the gradient g in these coordinates: then the
first step of L-BFGS, which SciPy gives the length one, is the quasi-Newton step. It promises
to lower J by r^2 / 2. No step lowers a cost that is never negative by more than J, so where
g promises more, the curvature is not known yet, and r is 2 J / |g| instead.
"""

import math

import numpy as np

from .coordinates import pass_flops

SMALLEST_COSINE = 1e-10
"""Steps whose angle with the change of the gradient has a smaller cosine are left out."""

N_STEPS = 10
"""Steps that the coordinates are made of at most."""

MAX_SHARE = 0.5
"""What the coordinates may take per evaluation, as a share of it."""


def secants_pay(n_params, evaluation):
    """Whether coordinates made of steps pay, given the operations of an evaluation."""
    # P and Q are read once each for T phi and for T' grad.
    return 4 * N_STEPS * pass_flops(n_params) <= MAX_SHARE * evaluation


class Secants:
    """Coordinates in which the last steps have met a Hessian of about the identity.

    Parameters
    ----------
    stretch : float, default=inf
        Iterations after which it is worth making them again.
    """

    def __init__(self, stretch=math.inf):
        self.stretch = stretch
        self._forget()

    @property
    def learned(self):
        """Whether T is made of any steps."""
        return len(self.P) > 0

    def _forget(self):
        self.P = self.Q = self.M = self.N = np.empty((0, 0))
        self.scale = 1.0
        """What the product of the factors is multiplied by."""

    def to_theta(self, phi):
        """T phi, a new vector."""
        if not self.learned:
            return self.scale * phi
        theta = self.M @ (self.Q @ phi) @ self.P
        np.subtract(phi, theta, out=theta)
        theta *= self.scale
        return theta

    def to_phi(self, theta):
        """The phi with T phi = theta, a new vector."""
        if not self.learned:
            return theta / self.scale
        phi = self.N @ (self.Q @ theta) @ self.P
        phi += theta
        phi /= self.scale
        return phi

    def pull_back(self, grad):
        """T' grad, a new vector."""
        if not self.learned:
            return self.scale * grad
        pulled = self.M.T @ (self.P @ grad) @ self.Q
        np.subtract(grad, pulled, out=pulled)
        pulled *= self.scale
        return pulled

    def refresh(self, point):
        """Make T of the last steps that a point has, and let the next one have length one."""
        self._forget()
        if point.steps is not None:
            self._learn(*point.steps)
        r = float(np.linalg.norm(self.pull_back(point.grad)))
        if r**2 > 2.0 * point.cost > 0.0:
            r = 2.0 * point.cost / r
        if 0.0 < r < math.inf:
            self.scale *= r

    def _learn(self, steps, changes):
        """Be made of those steps along which the gradient rises."""
        lengths = np.linalg.norm(steps, axis=1) * np.linalg.norm(changes, axis=1)
        rises = np.einsum("ij,ij->i", steps, changes)
        kept = rises > SMALLEST_COSINE * lengths
        steps, changes, rises = steps[kept], changes[kept], rises[kept]
        if not len(steps):
            return
        y = changes[-1]
        self.scale = math.sqrt(rises[-1] / (y @ y))
        P, Q = steps / rises[:, np.newaxis], np.empty_like(steps)
        N = np.zeros((len(P), len(P)))
        for k, s in enumerate(steps):
            inner = N[:k, :k]
            weights = inner @ (Q[:k] @ s)
            back = weights @ P[:k]
            back += s
            # The scale times S^-1 s, and then its square times S'^-1 S^-1 s, which is B s.
            t = self.scale * math.sqrt(rises[k] / (back @ back))
            Bs = (inner.T @ (P[:k] @ back)) @ Q[:k]
            Bs += back
            Bs *= t / self.scale**2
            np.subtract(changes[k], Bs, out=Q[k])
            # A factor turns q'p into 1 - 1/t.
            N[:k, k] = weights * (t / rises[k])
            N[k, k] = t
        self.P, self.Q, self.N = P, Q, N
        self.M = np.linalg.inv(np.eye(len(P)) + np.tril(Q @ P.T, -1))

    def due(self, n_iter):
        """Number of iterations after which it is worth making T again."""
        return n_iter + self.stretch
