"""Full-batch training in other coordinates than the package's own."""

import numpy as np

from backprop_mlp import BackpropMLPClassifier
from backprop_mlp._estimator.assembly import open_objective
from backprop_mlp._estimator.pose import pose
from backprop_mlp._solvers.coordinates import Centring
from backprop_mlp._solvers.full_batch import METHODS, _Descent
from backprop_mlp.initializers import initialize


class Recorder:
    """Monitor that notes costs and evaluations, and stops after so many iterations."""

    def __init__(self, n_iter):
        self.n_iter = n_iter
        self.costs = []
        self.evaluations = []

    def start(self, cost, grad_max):
        self.costs.append(cost)
        self.evaluations.append(1)
        return False

    def __call__(self, iteration):
        self.costs.append(iteration.cost)
        self.evaluations.append(iteration.n_fun)
        return iteration.number >= self.n_iter

    def evaluations_to(self, cost):
        """Evaluations needed to reach a cost; None if it was not reached."""
        reached = np.flatnonzero(np.array(self.costs) <= cost)
        return self.evaluations[reached[0]] if reached.size else None


def descend(X, y, coordinates, *, solver, n_iter, seed, **params):
    """Train in given coordinates, with nothing but the number of iterations to end it.

    Parameters
    ----------
    X, y : ndarray
    coordinates : callable(network, input_means) -> Centring
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
    problem = pose(classifier, X, y, None, (None, None, None), rng)
    network = problem.network
    theta = initialize(network, classifier.initializer, np.random.default_rng(seed))
    recorder = Recorder(n_iter)
    with open_objective(problem, classifier.alpha) as objective:
        centring: Centring = coordinates(network, objective.input_means())
        descent = _Descent(objective, centring, recorder)
        descent.start(centring.to_phi(theta))
        descent.run(*METHODS[solver])
    return recorder
