"""Full-batch solvers: SciPy's conjugate gradient, L-BFGS and Newton-CG, in coordinates that learn.

A descent runs in stretches. At the beginning of each the coordinates are made again from
what the iterations so far have shown (`coordinates`), and SciPy's method starts from where
it is; what it asks first is known already and costs no evaluation.
"""

import math
from collections import deque
from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize

from .._objective.blocks import evaluation_flops
from .._objective.objective import Objective
from .._objective.overflow import IGNORE_OVERFLOW
from .._stop_iteration import carry, deliver
from .centring import Centring
from .coordinates import Composition, Coordinates, Point, stack_steps
from .iteration import Iteration, Result
from .kronecker import CurvaturePlan, Kronecker
from .row_space import Passage, PassageThroughRowSpace, RowSpace, WholeSpace
from .secants import N_STEPS, Secants, secants_pay

_NO_LIMIT = 2**31 - 1


class Method(NamedTuple):
    """One of SciPy's methods, and how it is run.

    Parameters
    ----------
    name : str
        As `scipy.optimize.minimize` knows it.
    attempts : tuple of dict
        Its options: the first ones, and those that follow where they lead no further.
        SciPy's own tolerances are off: the monitor decides, for every solver alike.
    attempts_with_curvature : tuple of dict or None, default=None
        The same, where others suit coordinates made of curvature.
    takes_hessian : bool, default=False
        Whether it asks for products of the Hessian with directions. Its last attempt is then
        with a damped Hessian: see `_Descent.hessian_product`.
    unit_step : bool, default=True
        Whether its first step should have the length of a quasi-Newton step.
    stretch : float, default=inf
        Iterations after which it is worth starting again in coordinates made of the last steps.
    max_curvature_share : float, default=0.6
        What coordinates made of curvature may take per evaluation, as a share of it: the
        more evaluations they save, the more.
    scale : float, default=1
        Factor of the cost that it sees.
    grad_norm : float or None, default=None
        Length of the gradient that it sees at the beginning of a stretch, instead.
    """

    name: str
    attempts: tuple
    attempts_with_curvature: tuple | None = None
    takes_hessian: bool = False
    unit_step: bool = True
    stretch: float = math.inf
    max_curvature_share: float = 0.6
    scale: float = 1.0
    grad_norm: float | None = None


METHODS = {
    # c2 = 0.1 is the textbooks' curvature constant for conjugate gradient
    # (Nocedal & Wright, 2nd ed., section 3.1), 0.4 is SciPy's own: a rougher line search, which
    # is enough where the coordinates know the curvature.
    "cg": Method(
        "CG",
        tuple({"c2": c2, "gtol": 0.0, "maxiter": _NO_LIMIT} for c2 in (0.1, 0.4)),
        attempts_with_curvature=tuple(
            {"c2": c2, "gtol": 0.0, "maxiter": _NO_LIMIT} for c2 in (0.4, 0.1)
        ),
        stretch=10,
        max_curvature_share=2.0,
        # Its first trial step along the gradient has the length 1.01, which is about right in
        # these coordinates, as long as that is at most 1 times the gradient.
        grad_norm=1e3,
    ),
    "lbfgs": Method(
        "L-BFGS-B",
        ({"gtol": 0.0, "ftol": 0.0, "maxls": 50, "maxiter": _NO_LIMIT, "maxfun": _NO_LIMIT},),
        # Its first step has the length 1, but it refuses one of more than 1e10 gradients.
        grad_norm=1.0,
    ),
    # SciPy 1.12 takes no step at all with xtol = 0. It takes a curvature below 7e-16 for none
    # at all, which ends the descent where the gradient is about 1e-7; with this factor of the
    # cost it is about 1e-11.
    "newton-cg": Method(
        "Newton-CG",
        ({"xtol": 1e-300, "maxiter": _NO_LIMIT},),
        takes_hessian=True,
        unit_step=False,
        max_curvature_share=2.0,
        scale=1e3,
    ),
}
"""Solver's name -> how SciPy is run."""


class _Descent:
    """One descent: what SciPy calls, and the record of where it has been."""

    def __init__(self, passage, plan, monitor):
        self.passage = passage
        self.objective = passage.objective
        self.plan = plan
        self.coordinates = plan.coordinates
        self.monitor = monitor
        self.theta = passage.start
        self.cost = np.nan
        self.grad = np.empty(0)
        self.steps: deque = deque(maxlen=plan.n_steps)
        self.n_iter = 0
        self.n_fun = 0
        self.stopped = False
        self.scale = 1.0
        """Factor of the cost that SciPy sees."""
        self.damped = False
        self._end_of_stretch = math.inf
        self._last = _Evaluation(np.empty(0), self.theta, np.nan, self.grad, self.grad)
        self._next = self._last

    def _look(self, phi):
        """What is known at phi, which SciPy has nearly always evaluated last."""
        if not (self._last.phi == phi).all():
            theta = self.coordinates.to_theta(phi)
            cost, grad = self.objective.value_and_grad(theta)
            self.n_fun += 1
            pulled = self.coordinates.pull_back(grad)
            self._last = _Evaluation(phi.copy(), theta, cost, grad, pulled)
        return self._last

    # One function for both would have SciPy remember what is remembered here.
    def value(self, phi):
        """J, scaled, for SciPy."""
        return self.scale * self._look(phi).cost

    def grad_in_phi(self, phi):
        """J's gradient with respect to phi, scaled, for SciPy."""
        return self.scale * self._look(phi).pulled

    def hessian_product(self, phi, direction):
        """J's Hessian with respect to phi times a direction, scaled, for SciPy.

        Damped, the length of the gradient is added to its diagonal: so the step has at most the
        length one where there is no curvature, as in the tails of a loss that is straight there.
        Newton's method has no step then, or one from which no line search finds back.
        """
        known = self._look(phi)
        product = self.coordinates.pull_back(
            self.objective.hessian_product(known.theta, self.coordinates.to_theta(direction))
        )
        if self.damped:
            product += np.linalg.norm(known.pulled) * direction
        return self.scale * product

    @property
    def place(self):
        """Where it is."""
        return self.passage.place(self.theta, self.grad)

    def start(self):
        """Evaluate the start; it may leave nothing to do."""
        self.cost, self.grad = self.objective.value_and_grad(self.theta)
        self.n_fun += 1
        if not np.isfinite(self.cost):
            raise FloatingPointError(
                f"The cost at the starting weights is {self.cost}: the numbers overflow. "
                "Scale the features (StandardScaler) or start from smaller weights "
                "(initializer)."
            )
        self.stopped = self.monitor.start(self.cost, self.place.grad_max)

    def __call__(self, intermediate_result):
        """SciPy's callback, once per iteration."""
        known = self._look(intermediate_result.x)
        if not known.cost <= self.cost or (known.theta == self.theta).all():
            # Where numbers overflow, a line search can take a nan for a success;
            # where nothing is left to gain, a step of length zero.
            raise StopIteration
        place = self.passage.place(known.theta, known.grad)
        iteration = Iteration(self.n_iter + 1, known.cost, self.n_fun, self.n_fun, place)
        self._next = known
        # SciPy would take a StopIteration of a scorer or of a callback for the one below.
        self.stopped = carry(self.monitor, iteration)
        self.go_on()
        seen = self.scale * known.pulled
        # Conjugate gradient would divide by its square.
        has_vanished = not seen @ seen > 0.0
        if self.stopped or has_vanished or self.n_iter >= self._end_of_stretch:
            raise StopIteration

    def go_on(self):
        """Be where the monitor's record says: Ctrl-C may come before the record or behind it."""
        if self.monitor.n_iter > self.n_iter:
            there = self._next
            self.steps.append((there.theta - self.theta, there.grad - self.grad))
            self.theta, self.cost, self.grad = there.theta, there.cost, there.grad
            self.n_iter += 1

    def run(self, method: Method):
        """Run SciPy's method until the monitor ends it or no step helps any more.

        A line search can fail where relu's kinks leave no point that satisfies
        the Wolfe conditions. The method then starts again from where it is. Where
        that leads no further, the coordinates do without what they have learned;
        where that does not help either, the next options are tried.
        """
        attempts = [(options, False) for options in self.plan.attempts]
        if method.takes_hessian:
            attempts.append((self.plan.attempts[-1], True))
        plain = False
        while attempts and not self.stopped:
            before = self.n_iter
            options, self.damped = attempts[0]
            self._run_stretch(method, options, plain)
            if self.n_iter > before:
                plain = False
            elif self.steps:
                self.steps.clear()
            elif self.coordinates.learned:
                plain = True
            else:
                attempts.pop(0)

    def _run_stretch(self, method, options, plain):
        """Run SciPy's method in new coordinates until the next ones are due."""
        steps = stack_steps(self.steps)
        point = Point(self.n_iter, self.theta, self.cost, self.grad, steps, plain)
        self.coordinates.refresh(point)
        phi = self.coordinates.to_phi(self.theta)
        pulled = self.coordinates.pull_back(self.grad)
        norm = float(np.linalg.norm(pulled))
        if not (0.0 < norm < np.inf and np.isfinite(phi).all()):
            return
        self.scale = method.scale if method.grad_norm is None else method.grad_norm / norm
        self._end_of_stretch = self.coordinates.due(self.n_iter)
        self._last = _Evaluation(phi.copy(), self.theta, self.cost, self.grad, pulled)
        deliver(
            minimize,
            self.value,
            phi,
            jac=self.grad_in_phi,
            hessp=self.hessian_product if method.takes_hessian else None,
            method=method.name,
            callback=self,
            options=options,
        )


class _Evaluation(NamedTuple):
    """What is known at a point: phi, theta, J, and its gradients with respect to both."""

    phi: np.ndarray
    theta: np.ndarray
    cost: float
    grad: np.ndarray
    pulled: np.ndarray


def minimize_scipy(
    objective: Objective, theta, *, solver: str, monitor, row_space: RowSpace | None = None
) -> Result:
    """Minimise an objective with one of SciPy's full-batch methods.

    Parameters
    ----------
    objective : Objective
    theta : ndarray of shape (n_params,)
        Where to start.
    solver : {"cg", "lbfgs", "newton-cg"}
    monitor : Monitor
        Follows the start and every iteration; says when to stop.
    row_space : RowSpace or None, default=None
        That of the objective's rows, to move in; None to move in all of theta's space.

    Returns
    -------
    result : Result

    Raises
    ------
    FloatingPointError
        If the cost at the start is not finite.
    """
    # A line search looks ahead, and may see numbers overflow: such a step is not taken.
    with np.errstate(**IGNORE_OVERFLOW):
        method = METHODS[solver]
        passage: Passage = WholeSpace(objective, theta)
        if row_space is not None:
            passage = PassageThroughRowSpace(row_space, objective, theta)
        descent = _Descent(passage, plan_descent(passage.objective, method), monitor)
        try:
            descent.start()
            descent.run(method)
            if not descent.stopped:
                what = "no step along the search direction lowers the cost any further"
                monitor.give_up(what, descent.place.grad_max)
        except KeyboardInterrupt:
            if not np.isfinite(descent.cost):
                raise
            descent.go_on()
            monitor.interrupt()
        theta = descent.place.theta
        return Result(theta, descent.cost, descent.n_fun, n_passes=descent.n_fun)


def evaluation_size(objective: Objective):
    """Rows, and operations of one evaluation, by which coordinates pay or do not."""
    n_rows = objective.n_counted_rows
    n_inputs = n_rows * objective.input_moments.n_inputs
    return n_rows, evaluation_flops(objective.network, n_rows, n_inputs)


class DescentPlan(NamedTuple):
    """What pays for an objective and a method.

    Parameters
    ----------
    coordinates : Coordinates
    attempts : tuple of dict
        The method's options in these coordinates.
    n_steps : int
        Steps that the coordinates are made of at most.
    """

    coordinates: Coordinates
    attempts: tuple
    n_steps: int


def plan_descent(objective: Objective, method: Method):
    """The coordinates that pay for an objective and a method, and what suits them."""
    network = objective.network
    n_rows, evaluation = evaluation_size(objective)
    centring = Centring.of(objective)
    parts: list[Coordinates] = [centring]
    attempts, n_steps = method.attempts, 0
    plan = CurvaturePlan.of(network, n_rows, evaluation, method.max_curvature_share)
    if plan is not None:
        parts = [Kronecker(objective, centring, plan)]
        attempts = method.attempts_with_curvature or attempts
    if method.unit_step:
        stretch = math.inf
        # Without another part and without stretches a method never starts again.
        if secants_pay(network.n_params, evaluation) and (plan or method.stretch < math.inf):
            n_steps, stretch = N_STEPS, method.stretch
        parts.append(Secants(stretch))
    return DescentPlan(Composition(parts), attempts, n_steps)
