"""Full-batch training in coordinates of one's own choice."""

import numpy as np

from backprop_mlp import BackpropMLPClassifier
from backprop_mlp._estimator.assembly import open_objective
from backprop_mlp._estimator.pose import pose
from backprop_mlp._estimator.rows import Given
from backprop_mlp._solvers.full_batch import METHODS, _Descent
from backprop_mlp._solvers.row_space import WholeSpace
from backprop_mlp.initializers import initialize


class Recorder:
    """Monitor that notes costs and evaluations, and stops after so many iterations."""

    def __init__(self, max_iter):
        self.max_iter = max_iter
        self.costs = []
        self.evaluations = []

    @property
    def n_iter(self):
        """Iterations so far: the start is none."""
        return len(self.costs) - 1

    def start(self, cost, grad_max):
        self.costs.append(cost)
        self.evaluations.append(1)
        return False

    def __call__(self, iteration):
        self.costs.append(iteration.cost)
        self.evaluations.append(iteration.n_fun)
        return iteration.number >= self.max_iter


def descend(X, y, make_plan, *, solver, n_iter, seed, **params):
    """Train in given coordinates, with nothing but the number of iterations to end it.

    Parameters
    ----------
    X, y : ndarray
    make_plan : callable(objective, method) -> DescentPlan
        `backprop_mlp._solvers.full_batch.plan_descent`, or another one.
    solver : {"cg", "lbfgs"}
    n_iter : int
    seed : int
        Of the start.
    **params : dict
        Other keywords of the classifier.

    Returns
    -------
    recorder : Recorder
    """
    classifier = BackpropMLPClassifier(**params)
    rng = np.random.RandomState(0)
    problem = pose(classifier, Given(X, y), Given(), rng)
    network = problem.network
    theta = initialize(network, classifier.initializer, np.random.default_rng(seed))
    recorder = Recorder(n_iter)
    method = METHODS[solver]
    with open_objective(problem, classifier.alpha) as objective:
        descent = _Descent(WholeSpace(objective, theta), make_plan(objective, method), recorder)
        descent.start()
        descent.run(method)
    return recorder
