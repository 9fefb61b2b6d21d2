"""The gradient check: it passes what is right, for every configuration, and fails what is wrong."""

import copy
from itertools import product

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_array_equal
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from backprop_mlp import BackpropMLPClassifier, GradientCheck, check_gradient
from backprop_mlp._network.activations import ACTIVATIONS
from backprop_mlp._network.losses import SigmoidLoss
from backprop_mlp._objective.objective import Objective
from backprop_mlp.initializers import Uniform

ALLOWED = 1e-8
OUTPUTS = ["binary", "multilabel", "logistic", "softmax"]

rng = np.random.default_rng(2)
X = rng.normal(size=(9, 3))
WEIGHTS = rng.uniform(0.2, 3.0, 9)
Y = {
    "binary": np.arange(9) % 2,
    "multilabel": rng.integers(2, size=(9, 3)),
    "logistic": np.arange(9) % 3,
    "softmax": np.arange(9) % 3,
}

unconverged = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


CONFIGURATIONS = [
    *(("none", output, 0) for output in OUTPUTS),
    *product(sorted(ACTIVATIONS), OUTPUTS, range(1, 5)),
]


@pytest.mark.parametrize(("activation", "output", "depth"), CONFIGURATIONS)
@pytest.mark.parametrize("alpha", [0.0, 2.0])
@pytest.mark.parametrize("sample_weight", [None, WEIGHTS], ids=["unweighted", "weighted"])
def test_every_configuration_passes(activation, output, depth, alpha, sample_weight):
    network = BackpropMLPClassifier(
        (4,) * depth,
        [activation] * depth,
        output_activation="softmax" if output == "softmax" else "logistic",
        alpha=alpha,
        initializer=Uniform(0.9),
        random_state=depth,
    )
    check = check_gradient(network, X, Y[output], sample_weight)
    assert check.passed
    assert check.relative_difference < ALLOWED
    # Nearly all coordinates count.
    assert check.at_kink.mean() < 0.1


def test_mixed_activations_pass():
    network = BackpropMLPClassifier((4, 3, 4), ("tanh", "relu", "logistic"), random_state=0)
    assert check_gradient(network, X, Y["softmax"]).relative_difference < ALLOWED


@unconverged
@pytest.mark.parametrize("output", OUTPUTS)
def test_fitted_parameters_and_class_weights_pass(output):
    class_weight = [{1: 3.0}, {0: 0.5}, {}] if output == "multilabel" else {1: 3.0}
    network = BackpropMLPClassifier(
        4, "tanh", alpha=0.1, class_weight=class_weight, max_iter=3, random_state=0
    ).fit(X, Y[output], WEIGHTS)
    check = check_gradient(network, X, Y[output], WEIGHTS)
    assert check.relative_difference < ALLOWED
    assert check.cost == pytest.approx(network.loss_, rel=1e-12)


@pytest.mark.parametrize("container", [np.asarray, np.float32, sp.csr_matrix])
def test_any_kind_of_rows_is_checked_in_float64(container):
    network = BackpropMLPClassifier(4, "tanh", random_state=0)
    assert check_gradient(network, container(X), Y["softmax"]).relative_difference < ALLOWED


@unconverged
def test_a_float32_network_is_checked_in_float64():
    network = BackpropMLPClassifier(4, "tanh", max_iter=2, random_state=0)
    network.fit(X.astype(np.float32), Y["softmax"])
    check = check_gradient(network, X.astype(np.float32), Y["softmax"])
    assert check.relative_difference < ALLOWED


def test_the_columns_are_the_gradient_and_its_differences():
    network = BackpropMLPClassifier.from_thetas(
        [rng.normal(size=(4, 4)), rng.normal(size=(3, 5))], activation="tanh", alpha=0.3
    )
    check = check_gradient(network, X, Y["softmax"])
    cost, gradients = network.cost_gradient(X, Y["softmax"])
    assert check.cost == cost
    named = dict(zip(check.names, check.backpropagation, strict=True))
    assert named["coefs_[0][2, 1]"] == gradients[0][1, 1 + 2]
    assert named["intercepts_[1][2]"] == gradients[1][2, 0]
    assert len(named) == 4 * 4 + 3 * 5
    np.testing.assert_allclose(check.differences, check.backpropagation, atol=1e-8)
    assert_array_equal(check.error, check.differences - check.backpropagation)


def test_the_step_of_the_exercise_is_coarser_but_good_enough():
    network = BackpropMLPClassifier(4, "tanh", random_state=0)
    fine, coarse = (check_gradient(network, X, Y["softmax"], step=step) for step in (6e-6, 1e-4))
    assert fine.step == 6e-6
    assert coarse.step == 1e-4
    assert fine.relative_difference < coarse.relative_difference
    assert coarse.passed


# Where it starts, and what it leaves alone


@unconverged
def test_an_unfitted_estimator_is_checked_at_the_start_of_its_fit():
    network = BackpropMLPClassifier(4, random_state=3, max_iter=1)
    check = check_gradient(network, X, Y["softmax"])
    first_evaluation = []
    value_and_grad = Objective.value_and_grad

    def spy(self, theta):
        cost, grad = value_and_grad(self, theta)
        first_evaluation.append(cost)
        return cost, grad

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Objective, "value_and_grad", spy)
        network.fit(X, Y["softmax"])
    assert check.cost == pytest.approx(first_evaluation[0], rel=1e-14)


@unconverged
def test_the_estimator_is_not_changed():
    unfitted = BackpropMLPClassifier(4, random_state=0)
    before = dict(vars(unfitted))
    check_gradient(unfitted, X, Y["softmax"])
    assert vars(unfitted) == before

    fitted = BackpropMLPClassifier(4, max_iter=2, random_state=0).fit(X, Y["softmax"])
    attributes = copy.deepcopy(vars(fitted))
    check_gradient(fitted, X.astype(np.float32), Y["softmax"])
    assert vars(fitted).keys() == attributes.keys()
    for one, other in zip(fitted.coefs_, attributes["coefs_"], strict=True):
        assert_array_equal(one, other)


def test_the_state_of_a_generator_is_not_consumed():
    state = np.random.RandomState(0)
    check_gradient(BackpropMLPClassifier(4, random_state=state), X, Y["softmax"])
    assert state.randint(10**6) == np.random.RandomState(0).randint(10**6)


# Large networks


def test_large_networks_are_checked_on_sampled_coordinates():
    network = BackpropMLPClassifier((30, 20), "tanh", random_state=0)
    first, again, other = (
        check_gradient(network, X, Y["softmax"], max_coordinates=40, random_state=seed)
        for seed in (0, 0, 1)
    )
    assert len(first.names) == len(set(first.names)) == len(first.differences) == 40
    assert first.relative_difference < ALLOWED
    assert first.names == again.names != other.names


def test_small_networks_are_checked_on_all_coordinates():
    check = check_gradient(BackpropMLPClassifier(2, random_state=0), X, Y["binary"])
    assert len(check.names) == 3 * 2 + 2 + 2 * 1 + 1


# Kinks


@pytest.mark.parametrize("activation", ["relu", "leaky_relu"])
def test_coordinates_at_a_kink_are_reported_and_not_counted(activation):
    theta1 = np.array([[0.0, 1.0, 0.0], [0.5, 0.0, 1.0]])
    theta2 = np.array([[0.1, 1.0, -1.0]])
    network = BackpropMLPClassifier.from_thetas([theta1, theta2], activation=activation)
    # The first unit's input is exactly 0 in the first row.
    rows = np.array([[0.0, 1.0], [2.0, 1.0]])
    check = check_gradient(network, rows, [1, 0])
    kinks = {name for name, at_kink in zip(check.names, check.at_kink, strict=True) if at_kink}
    # Its bias moves it over the kink, and so does the weight of the input that is 1.
    assert kinks == {"intercepts_[0][0]", "coefs_[0][1, 0]"}
    assert np.abs(check.error[check.at_kink]).min() > 1e-3
    assert check.relative_difference < ALLOWED
    assert check.passed
    printed = str(check)
    assert printed.count("(at a kink, not counted)") == 2
    assert "2 of 9 coordinates are at a kink." in printed


# Planted bugs


def checked_with(patch_target, name, replacement, monkeypatch, **params):
    monkeypatch.setattr(patch_target, name, replacement)
    network = BackpropMLPClassifier(4, "tanh", random_state=0, **params)
    theta = [rng.normal(size=(4, 4)), rng.normal(size=(3, 5))]
    fitted = BackpropMLPClassifier.from_thetas(theta, activation="tanh", **params)
    return [check_gradient(estimator, X, Y["softmax"]) for estimator in (network, fitted)]


def test_a_regularised_bias_is_caught(monkeypatch):
    value_and_grad = Objective.value_and_grad

    def wrong(self, theta):
        cost, grad = value_and_grad(self, theta)
        n_weights = self.network.n_weights
        grad[n_weights:] += self.alpha / self.total_weight * theta[n_weights:]
        return cost, grad

    # At a start whose biases are zero this bug cannot show; at other parameters it does.
    _, check = checked_with(Objective, "value_and_grad", wrong, monkeypatch, alpha=1.0)
    assert not check.passed
    wrong_names = {
        name for name, error in zip(check.names, check.error, strict=True) if abs(error) > 1e-6
    }
    assert wrong_names <= {name for name in check.names if name.startswith("intercepts_")}
    assert "FAILED" in str(check)


def test_a_forgotten_penalty_is_caught(monkeypatch):
    value_and_grad = Objective.value_and_grad

    def wrong(self, theta):
        free = copy.copy(self)
        free.alpha = 0.0
        return self.value(theta), value_and_grad(free, theta)[1]

    for check in checked_with(Objective, "value_and_grad", wrong, monkeypatch, alpha=1.0):
        assert not check.passed


def test_forgotten_row_weights_are_caught(monkeypatch):
    value_and_delta = SigmoidLoss.value_and_delta

    def forgetful(self, z, Y, sample_weight):
        value, _ = value_and_delta(self, z, Y, sample_weight)
        return value, value_and_delta(self, z, Y, np.ones(len(z)))[1]

    monkeypatch.setattr(SigmoidLoss, "value_and_delta", forgetful)
    network = BackpropMLPClassifier(4, "tanh", random_state=0)
    assert check_gradient(network, X, Y["logistic"]).passed
    assert not check_gradient(network, X, Y["logistic"], WEIGHTS).passed


@pytest.mark.parametrize("factor", [1.0 + 1e-5, -1.0, 0.0])
def test_a_wrong_factor_of_one_component_is_caught(monkeypatch, factor):
    value_and_grad = Objective.value_and_grad

    def wrong(self, theta):
        cost, grad = value_and_grad(self, theta)
        grad[np.abs(grad).argmax()] *= factor
        return cost, grad

    for check in checked_with(Objective, "value_and_grad", wrong, monkeypatch):
        assert not check.passed


# Rounding


def test_at_a_minimum_rounding_passes():
    network = BackpropMLPClassifier(
        (), alpha=1.0, solver="lbfgs", tol=1e-9, n_iter_no_change=1000, max_iter=1000
    ).fit(X, Y["softmax"])
    check = check_gradient(network, X, Y["softmax"])
    assert np.linalg.norm(check.backpropagation) < 1e-8
    # Here the relative difference measures rounding alone ...
    assert check.relative_difference > 1e-7
    # ... which is what the floor is for.
    assert np.linalg.norm(check.error) <= check.rounding_floor
    assert check.passed
    assert "passed" in str(check)
    assert "the error is rounding alone" in str(check)


def test_an_error_above_the_floor_fails_at_a_minimum_too():
    check = GradientCheck(
        names=["a", "b"],
        differences=np.array([1e-9, 1e-9]),
        backpropagation=np.array([1e-9, 2e-9]),
        at_kink=np.array([False, False]),
        step=6e-6,
        cost=0.5,
    )
    assert check.rounding_floor < 1e-9
    assert not check.passed


def test_a_cost_of_nearly_zero_passes():
    constant = BackpropMLPClassifier(4, random_state=0).fit(X, np.zeros(9))
    assert check_gradient(constant, X, np.zeros(9)).passed
    certain = BackpropMLPClassifier.from_thetas([[[0.0, 40.0]]], alpha=0.0)
    check = check_gradient(certain, [[1.0], [-1.0]], [1, 0])
    assert 0.0 < check.cost < 1e-17
    assert check.passed


def test_two_gradients_of_zero_agree():
    zeros = np.zeros(2)
    check = GradientCheck(["a", "b"], zeros, zeros, zeros > 1, step=6e-6, cost=0.0)
    assert check.relative_difference == 0.0
    assert check.passed


def test_the_relative_difference_is_that_of_the_exercise():
    check = GradientCheck(
        names=["a", "b"],
        differences=np.array([3.0, 0.0]),
        backpropagation=np.array([3.0, 4.0]),
        at_kink=np.array([False, False]),
        step=6e-6,
        cost=1.0,
    )
    assert check.relative_difference == pytest.approx(4.0 / np.hypot(6.0, 4.0), rel=1e-15)


# What it prints


def test_it_prints_both_columns_the_difference_and_the_verdict():
    check = check_gradient(BackpropMLPClassifier(2, "tanh", random_state=0), X, Y["binary"])
    lines = str(check).splitlines()
    assert lines[0].split() == ["differences", "backpropagation"]
    assert len(lines) == 1 + 11 + 1
    for line, name, one, other in zip(
        lines[1:12], check.names, check.differences, check.backpropagation, strict=True
    ):
        first, second, rest = line.split(maxsplit=2)
        assert float(first) == pytest.approx(one, abs=1e-9)
        assert float(second) == pytest.approx(other, abs=1e-9)
        assert rest == name
    assert lines[-1].startswith("Gradient check passed: relative difference ")
    assert lines[-1].endswith(" (allowed: 1e-07).")


def test_a_long_check_is_cut_short():
    check = check_gradient(BackpropMLPClassifier(20, "tanh", random_state=0), X, Y["binary"])
    assert f"... and {len(check.names) - 20} more" in str(check)


# Wrong arguments


@pytest.mark.parametrize(
    ("arguments", "kind", "message"),
    [
        ({"step": 0.0}, ValueError, r"step must be .* above 0; got 0\.0"),
        ({"step": -1e-4}, ValueError, r"step must be .* above 0; got -0\.0001"),
        ({"step": np.nan}, ValueError, "step must be .* got nan"),
        ({"step": np.inf}, ValueError, "step must be a finite number .* got inf"),
        ({"step": "1e-4"}, ValueError, "step must be .* got '1e-4'"),
        ({"max_coordinates": 0}, ValueError, "max_coordinates must be .* got 0"),
        ({"max_coordinates": 2.5}, ValueError, r"max_coordinates must be an integer .* got 2\.5"),
        ({"max_coordinates": None}, ValueError, "max_coordinates must be .* got None"),
        ({"estimator": "network"}, TypeError, "estimator must be a BackpropMLPClassifier"),
        ({"estimator": LogisticRegression()}, TypeError, "got LogisticRegression"),
        (
            {"estimator": make_pipeline(BackpropMLPClassifier())},
            TypeError,
            "estimator must be a BackpropMLPClassifier; got Pipeline",
        ),
        ({"estimator": BackpropMLPClassifier(alpha=-1)}, ValueError, "alpha"),
        ({"y": np.zeros(4)}, ValueError, "inconsistent numbers of samples"),
        ({"sample_weight": -WEIGHTS}, ValueError, "sample_weight"),
    ],
)
def test_wrong_arguments_are_named(arguments, kind, message):
    given = {"estimator": BackpropMLPClassifier(2), "X": X, "y": Y["binary"], **arguments}
    with pytest.raises(kind, match=message):
        check_gradient(**given)
