"""Full-batch solvers: SciPy's conjugate gradient and L-BFGS on the centred parameters."""

import numpy as np
from scipy.optimize import OptimizeResult, minimize

from ._centring import Centring
from ._objective import Objective
from ._stopping import Iteration, Stopping

_NO_LIMIT = 2**31 - 1

METHODS = {
    # c2 = 0.1 is the textbooks' curvature constant for conjugate gradient
    # (Nocedal & Wright, 2nd ed., section 3.1), 0.4 is SciPy's own.
    "cg": ("CG", [{"c2": c2, "gtol": 0.0, "maxiter": _NO_LIMIT} for c2 in (0.1, 0.4)]),
    "lbfgs": (
        "L-BFGS-B",
        [{"gtol": 0.0, "ftol": 0.0, "maxls": 50, "maxiter": _NO_LIMIT, "maxfun": _NO_LIMIT}],
    ),
}
"""Solver's name -> SciPy's method, and the options of its attempts in turn.
SciPy's own tolerances are off: ``Stopping`` decides, for every solver alike."""


class _Descent:
    """One descent: what SciPy calls, and the record of where it has been."""

    def __init__(self, objective, centring, stopping, callback):
        self.objective = objective
        self.centring = centring
        self.stopping = stopping
        self.callback = callback
        self.n_iter = 0
        self.n_fun = 0
        self.phi = None
        self._last = (np.empty(0), np.nan, np.nan)

    def evaluate(self, phi):
        """J and its gradient with respect to phi, for SciPy."""
        cost, grad = self.objective.value_and_grad(self.centring.to_theta(phi))
        self.n_fun += 1
        self._last = (phi.copy(), cost, np.abs(grad).max())
        return cost, self.centring.pull_back(grad)

    def at(self, phi):
        """J and its gradient's largest component at phi, which SciPy has nearly
        always evaluated last."""
        if not np.array_equal(self._last[0], phi):
            self.evaluate(phi)
        return self._last[1:]

    def start(self, phi):
        """Whether there is nothing to do."""
        cost, grad_max = self.at(phi)
        if not np.isfinite(cost):
            raise FloatingPointError(
                f"The cost at the starting weights is {cost}: the numbers overflow. "
                "Scale the features (StandardScaler) or start from smaller weights "
                "(initializer)."
            )
        self.phi = phi
        return self.stopping.start(cost, grad_max)

    def __call__(self, intermediate_result):
        """SciPy's callback, once an iteration."""
        phi = intermediate_result.x.copy()
        cost, grad_max = self.at(phi)
        if not cost <= self.stopping.costs[-1]:
            # Where numbers overflow, a line search can take a nan for a success.
            raise StopIteration
        self.phi = phi
        self.n_iter += 1
        iteration = Iteration(self.n_iter, cost, grad_max, self.n_fun, self.centring.to_theta(phi))
        stop = self.stopping.after(iteration)
        self.callback(iteration)
        if stop:
            raise StopIteration


def _descend(descent, method, attempts):
    """Run SciPy's method until ``Stopping`` ends it or no step helps any more.

    A line search can fail where relu's kinks leave no point that satisfies the
    Wolfe conditions. The method then starts afresh from where it is: with the
    same options as long as that leads on, then with the next ones.
    """
    for options in attempts:
        progress = True
        while progress and not descent.stopping.message:
            before = descent.n_iter
            minimize(
                descent.evaluate,
                descent.phi,
                jac=True,
                method=method,
                callback=descent,
                options=options,
            )
            progress = descent.n_iter > before


def minimize_scipy(
    objective: Objective, theta, *, solver: str, stopping: Stopping, callback
) -> OptimizeResult:
    """Minimise an objective with one of SciPy's full-batch methods.

    Parameters
    ----------
    objective : Objective
    theta : ndarray of shape (n_params,)
        Where to start.
    solver : {"cg", "lbfgs"}
    stopping : Stopping
    callback : callable(Iteration)
        Called after each iteration.

    Returns
    -------
    result : OptimizeResult
        ``x`` (theta), ``fun``, ``nit``, ``nfev``, ``costs`` (one an
        iteration), ``success`` (converged), ``message`` and ``interrupted``
        (whether Ctrl-C ended it; ``x`` is then the best theta so far).

    Raises
    ------
    FloatingPointError
        If the cost at the start is not finite.
    """
    method, attempts = METHODS[solver]
    centring = Centring(objective.network, objective.input_means())
    descent = _Descent(objective, centring, stopping, callback)
    interrupted = False
    phi = centring.to_phi(theta)
    if not descent.start(phi):
        try:
            _descend(descent, method, attempts)
        except KeyboardInterrupt:
            interrupted = True
            stopping.message = "interrupted by the user"
    if not stopping.message:
        stopping.message = "no step along the search direction lowers the cost any further"
    return OptimizeResult(
        x=centring.to_theta(descent.phi),
        fun=stopping.costs[-1],
        nit=descent.n_iter,
        nfev=descent.n_fun,
        costs=stopping.costs[1:],
        success=stopping.converged,
        message=stopping.message,
        interrupted=interrupted,
    )
