"""Full-batch solvers: SciPy's conjugate gradient, L-BFGS and Newton-CG, with centred inputs."""

import numpy as np
from scipy.optimize import OptimizeResult, minimize

from .._objective.objective import Objective
from .coordinates import Centring
from .iteration import Iteration

_NO_LIMIT = 2**31 - 1

METHODS = {
    # c2 = 0.1 is the textbooks' curvature constant for conjugate gradient
    # (Nocedal & Wright, 2nd ed., section 3.1), 0.4 is SciPy's own.
    "cg": ("CG", [{"c2": c2, "gtol": 0.0, "maxiter": _NO_LIMIT} for c2 in (0.1, 0.4)]),
    "lbfgs": (
        "L-BFGS-B",
        [{"gtol": 0.0, "ftol": 0.0, "maxls": 50, "maxiter": _NO_LIMIT, "maxfun": _NO_LIMIT}],
    ),
    # SciPy 1.12 takes no step at all with xtol = 0.
    "newton-cg": ("Newton-CG", [{"xtol": 1e-300, "maxiter": _NO_LIMIT}]),
}
"""Solver's name -> SciPy's method, and the options of its attempts in turn.
SciPy's own tolerances are off: the monitor decides, for every solver alike."""

NEWTON_SCALE = 1e3
"""Factor of the cost that Newton-CG sees. SciPy takes a curvature below 7e-16
for none at all, which ends the descent where the gradient is about 1e-7; with
this factor it is about 1e-11."""


class _Descent:
    """One descent: what SciPy calls, and the record of where it has been."""

    def __init__(self, objective, centring, monitor):
        self.objective = objective
        self.centring = centring
        self.monitor = monitor
        self.n_iter = 0
        self.n_fun = 0
        self.phi = np.empty(0)
        self.cost = np.nan
        self.stopped = False
        self._last = (np.empty(0), np.nan, np.nan, np.empty(0))
        self._next = (self.phi, self.cost)

    def evaluate(self, phi):
        """J and its gradient with respect to phi, for SciPy."""
        theta = self.centring.to_theta(phi)
        cost, grad = self.objective.value_and_grad(theta)
        self.n_fun += 1
        self._last = (phi.copy(), cost, np.abs(grad).max(), theta)
        return cost, self.centring.pull_back(grad)

    def evaluate_for_newton(self, phi):
        """The same, scaled."""
        cost, grad = self.evaluate(phi)
        return NEWTON_SCALE * cost, NEWTON_SCALE * grad

    def hessian_product_for_newton(self, phi, direction):
        """The Hessian with respect to phi times a direction, scaled, for SciPy."""
        product = self.objective.hessian_product(
            self.centring.to_theta(phi), self.centring.to_theta(direction)
        )
        return NEWTON_SCALE * self.centring.pull_back(product)

    def at(self, phi):
        """J, its gradient's largest component, and theta at phi, which SciPy has
        nearly always evaluated last."""
        if not np.array_equal(self._last[0], phi):
            self.evaluate(phi)
        return self._last[1:]

    def start(self, phi):
        """Evaluate the start; it may leave nothing to do."""
        self.phi = phi
        self.cost, grad_max, _ = self.at(phi)
        if not np.isfinite(self.cost):
            raise FloatingPointError(
                f"The cost at the starting weights is {self.cost}: the numbers overflow. "
                "Scale the features (StandardScaler) or start from smaller weights "
                "(initializer)."
            )
        self.stopped = self.monitor.start(self.cost, grad_max)

    def __call__(self, intermediate_result):
        """SciPy's callback, once per iteration."""
        phi = intermediate_result.x.copy()
        cost, grad_max, theta = self.at(phi)
        if not cost <= self.cost or np.array_equal(phi, self.phi):
            # Where numbers overflow, a line search can take a nan for a success;
            # where nothing is left to gain, a step of length zero.
            raise StopIteration
        iteration = Iteration(self.n_iter + 1, cost, grad_max, self.n_fun, theta)
        self._next = phi, cost
        self.stopped = self.monitor(iteration)
        self.go_on()
        if self.stopped:
            raise StopIteration

    def go_on(self):
        """Be where the monitor's record says: Ctrl-C may come before the record or behind it."""
        if self.monitor.n_iter > self.n_iter:
            self.phi, self.cost = self._next
            self.n_iter += 1

    def run(self, method, attempts):
        """Run SciPy's method until the monitor ends it or no step helps any more.

        A line search can fail where relu's kinks leave no point that satisfies
        the Wolfe conditions. The method then starts again from where it is:
        with the same options as long as that leads on, then with the next ones.
        """
        evaluate, hessian_product = self.evaluate, None
        if method == "Newton-CG":
            evaluate = self.evaluate_for_newton
            hessian_product = self.hessian_product_for_newton
        for options in attempts:
            progress = True
            while progress and not self.stopped:
                before = self.n_iter
                minimize(
                    evaluate,
                    self.phi,
                    jac=True,
                    hessp=hessian_product,
                    method=method,
                    callback=self,
                    options=options,
                )
                progress = self.n_iter > before


def minimize_scipy(objective: Objective, theta, *, solver: str, monitor) -> OptimizeResult:
    """Minimise an objective with one of SciPy's full-batch methods.

    Parameters
    ----------
    objective : Objective
    theta : ndarray of shape (n_params,)
        Where to start.
    solver : {"cg", "lbfgs", "newton-cg"}
    monitor : Monitor
        Follows the start and every iteration; says when to stop.

    Returns
    -------
    result : OptimizeResult
        ``x`` (theta), ``fun``, ``nit`` and ``nfev``.

    Raises
    ------
    FloatingPointError
        If the cost at the start is not finite.
    """
    # A line search looks ahead, and may see numbers overflow: such a step is not taken.
    with np.errstate(over="ignore", invalid="ignore"):
        return _descend(objective, theta, METHODS[solver], monitor)


def _descend(objective, theta, how, monitor):
    """The work of `minimize_scipy`, with one of ``METHODS``."""
    method, attempts = how
    centring = Centring.of(objective)
    descent = _Descent(objective, centring, monitor)
    try:
        descent.start(centring.to_phi(theta))
        descent.run(method, attempts)
        if not descent.stopped:
            monitor.give_up("no step along the search direction lowers the cost any further")
    except KeyboardInterrupt:
        if not np.isfinite(descent.cost):
            raise
        descent.go_on()
        monitor.interrupt()
    return OptimizeResult(
        x=centring.to_theta(descent.phi), fun=descent.cost, nit=descent.n_iter, nfev=descent.n_fun
    )
