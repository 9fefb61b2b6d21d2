"""A small problem in coordinates of every kind."""

import numpy as np
import pytest
from objectives import full_plan, rows_objective

from backprop_mlp._network.losses import loss_for
from backprop_mlp._network.network import Network
from backprop_mlp._solvers.centring import Centring
from backprop_mlp._solvers.coordinates import Composition, Point, stack_steps
from backprop_mlp._solvers.kronecker import CurvaturePlan, Kronecker
from backprop_mlp._solvers.secants import Secants

SIZES = (3, 5, 4, 2)


@pytest.fixture(params=["logistic", "tanh", "relu", "identity"])
def activation(request):
    return request.param


@pytest.fixture
def network(activation):
    return Network.feedforward(SIZES, (activation, activation), loss_for("logistic"))


@pytest.fixture
def rng():
    return np.random.default_rng(3)


@pytest.fixture(name="X")
def inputs(rng):
    return rng.normal(loc=[2.0, -1.0, 0.0], scale=[5.0, 0.3, 1.0], size=(9, 3))


@pytest.fixture
def objective(network, X, rng):
    Y = rng.integers(2, size=(9, 2)).astype(float)
    sample_weight = rng.uniform(0.5, 2.0, 9)
    return rows_objective(network, X, Y, sample_weight)


@pytest.fixture
def centring(objective):
    return Centring.of(objective)


def descent_point(objective, rng, n_iter=100, n_steps=4):
    """A point with the steps that a descent by small steps along the gradient has taken."""
    theta = rng.normal(size=objective.network.n_params)
    cost, grad = objective.value_and_grad(theta)
    steps = []
    for _ in range(n_steps):
        s = -0.05 * grad
        cost, after = objective.value_and_grad(theta + s)
        steps.append((s, after - grad))
        theta, grad = theta + s, after
    return Point(n_iter, theta, cost, grad, stack_steps(steps))


KINDS = ["centring", "Kronecker", "diagonal Kronecker", "secants", "unit step", "all"]


@pytest.fixture(params=KINDS)
def coordinates(request, network, objective, centring, rng):
    """Coordinates of every kind, made at a point."""
    dense = len(network.dense_views(network.blank()))
    curvature = Kronecker(objective, centring, full_plan(network))
    made = {
        "centring": centring,
        "Kronecker": curvature,
        "diagonal Kronecker": Kronecker(
            objective, centring, CurvaturePlan((False,) * dense, (False,) * dense, False)
        ),
        "secants": Secants(),
        "unit step": Secants(),
        "all": Composition([curvature, Secants()]),
    }[request.param]
    n_steps = 0 if request.param == "unit step" else 4
    made.refresh(descent_point(objective, rng, n_steps=n_steps))
    return made
