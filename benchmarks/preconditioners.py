"""Which exact linear preconditioner of the first layer's inputs pays?

The full-batch solvers work on phi, where theta = T(phi) centres the inputs of every
layer. T could do more: with W = P V the first layer computes x W = (x P) V, so that
the solver sees the inputs x P, scaled or whitened, while cost, penalty and minima
stay those of theta. Here T with several P is compared with centring alone:

- scaled: P divides each input by its standard deviation;
- whitened, damping d: P = (C + d t I)^(-1/2) with C the inputs' covariance and t the
  mean of its eigenvalues, so that directions of little variance are not blown up.

Printed are the evaluations that conjugate gradient and L-BFGS need to come within a
few per cent of the best cost that any of them reaches, as a ratio to centring alone
(the geometric mean over the seeds): below 1 the preconditioner pays. A star marks
rows in which some run never came there, because it ended in another minimum; it counts
with all its evaluations.
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np
from _coordinates import descend
from _data import add_data_option, exercise
from sklearn.datasets import (
    load_breast_cancer,
    load_diabetes,
    load_digits,
    load_iris,
    load_wine,
)
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from backprop_mlp._solvers.coordinates import Centring

FLOOR = 0.01
"""Damping of the scaling, as a share of the mean variance: for constant inputs."""

NETWORKS = {
    "the default network": {},
    "the exercise's network": {
        "hidden_layer_sizes": 25,
        "activation": "logistic",
        "initializer": "uniform",
    },
    "50 tanh units, softmax, alpha 0.1": {
        "hidden_layer_sizes": 50,
        "activation": "tanh",
        "output_activation": "softmax",
        "alpha": 0.1,
    },
}
SOLVERS = ("cg", "lbfgs")


class Preconditioned(Centring):
    """Centring, of a first layer whose weights are W = P V.

    Parameters
    ----------
    network : Network
    input_means : ndarray of shape (n_features,)
    P : ndarray of shape (n_features, n_features), symmetric and invertible
    """

    def __init__(self, network, input_means, P):
        super().__init__(network, input_means)
        self.P = P

    def _first_weights(self, vector):
        return self.network.dense_views(vector)[0][0]

    def to_theta(self, phi):
        """T(phi): the weights first, whose shift is then that of theta."""
        theta = phi.copy()
        V = self._first_weights(theta)
        V[...] = self.P @ V
        return super().to_theta(theta)

    def to_phi(self, theta):
        """The phi with T(phi) = theta."""
        phi = super().to_phi(theta)
        W = self._first_weights(phi)
        W[...] = np.linalg.solve(self.P, W)
        return phi

    def pull_back(self, grad):
        """The adjoint of T."""
        grad = super().pull_back(grad)
        W_grad = self._first_weights(grad)
        W_grad[...] = self.P @ W_grad
        return grad


def scaling(X, floor):
    """The P that gives every input about the variance that they have in the mean."""
    variances = X.var(axis=0)
    return np.diag(np.sqrt(variances.mean() / (variances + floor * variances.mean())))


def whitening(X, damping):
    """The P that takes the correlations away, and scales as little as that allows."""
    eigenvalues, vectors = np.linalg.eigh(np.cov(X.T, bias=True))
    mean = eigenvalues.mean()
    roots = np.sqrt(mean / (eigenvalues.clip(min=0.0) + damping * mean))
    return (vectors * roots) @ vectors.T


PRECONDITIONERS = {
    "centred": lambda X: np.eye(X.shape[1]),
    "scaled": lambda X: scaling(X, FLOOR),
    "whitened 1": lambda X: whitening(X, 1.0),
    "whitened 0.1": lambda X: whitening(X, 0.1),
    "whitened 0.01": lambda X: whitening(X, 0.01),
}


def data_sets(ex4_data):
    """Name -> (X, y): pixels and tables, scaled as one would scale them."""

    def standardised(loaded):
        X, y = loaded
        return StandardScaler().fit_transform(X), y

    X, y = load_digits(return_X_y=True)
    name, pixels, labels = exercise(ex4_data)
    measurements, progression = load_diabetes(return_X_y=True)
    return {
        "digits / 16": (X / 16.0, y),
        "digits, standardised": standardised((X, y)),
        name: (pixels[::3], labels[::3]),
        "breast cancer": standardised(load_breast_cancer(return_X_y=True)),
        "wine": standardised(load_wine(return_X_y=True)),
        "iris": standardised(load_iris(return_X_y=True)),
        "diabetes": standardised((measurements, progression > np.median(progression))),
    }


def compare(X, y, solver, network, *, n_iter, seeds, within):
    """Evaluations with every preconditioner, times those of centring alone.

    Returns
    -------
    ratios : dict
        Name -> geometric mean over the seeds.
    fell_short : bool
        Whether some run ended elsewhere, above the goal; counted with all its
        evaluations.
    """
    matrices = {name: make(X) for name, make in PRECONDITIONERS.items()}
    logarithms: dict[str, list] = {name: [] for name in matrices}
    fell_short = False
    for seed in range(seeds):
        runs = {
            name: descend(
                X,
                y,
                lambda net, means, P=P: Preconditioned(net, means, P),
                solver=solver,
                n_iter=n_iter,
                seed=seed,
                **network,
            )
            for name, P in matrices.items()
        }
        goal = (1.0 + within) * min(run.costs[-1] for run in runs.values())
        needed = {name: run.evaluations_to(goal) for name, run in runs.items()}
        for name, run in runs.items():
            if needed[name] is None:
                needed[name] = run.evaluations[-1]
                fell_short = True
        for name in runs:
            logarithms[name].append(np.log(needed[name] / needed["centred"]))
    ratios = {name: float(np.exp(np.mean(values))) for name, values in logarithms.items()}
    return ratios, fell_short


def print_line(label, ratios, mark=""):
    """One line of the table."""
    print(f"{label:30}" + "".join(f"{ratio:15.2f}" for ratio in ratios.values()) + mark, flush=True)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--iterations", type=int, default=300, help="of every descent")
    parser.add_argument("--seeds", type=int, default=3, help="starts of every descent")
    parser.add_argument(
        "--within", type=float, default=0.05, help="of the best cost (default: %(default)s)"
    )
    parser.add_argument("--sets", nargs="*", help="some data sets only, by their names")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the ratios there, too")
    add_data_option(parser)
    arguments = parser.parse_args()

    found = []
    with threadpool_limits(1, user_api="blas"):
        for label, network in NETWORKS.items():
            print(f"\n{label}")
            print(f"{'':30}" + "".join(f"{name:>15}" for name in PRECONDITIONERS))
            for name, (X, y) in data_sets(arguments.ex4_data).items():
                if arguments.sets and name not in arguments.sets:
                    continue
                for solver in SOLVERS:
                    ratios, fell_short = compare(
                        X,
                        y,
                        solver,
                        network,
                        n_iter=arguments.iterations,
                        seeds=arguments.seeds,
                        within=arguments.within,
                    )
                    found.append({"network": label, "set": name, "solver": solver} | ratios)
                    print_line(f"{name:22}{solver}", ratios, " *" if fell_short else "")
    columns = {name: np.array([row[name] for row in found]) for name in PRECONDITIONERS}
    print()
    summaries = {
        "geometric mean": lambda v: np.exp(np.log(v).mean()),
        "lowest": min,
        "highest": max,
    }
    for label, summary in summaries.items():
        print_line(label, {name: summary(values) for name, values in columns.items()})
    if arguments.json:
        arguments.json.write_text(json.dumps(found, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
