"""The gradient check: it passes what is right, for every configuration, and fails what is wrong.

At parameters where it can't tell, it says so: it fails nothing that is right.
"""

import copy
import re
from collections import Counter
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_array_equal
from planted_bugs import BUGS, OUTPUTS
from sklearn.datasets import load_breast_cancer, load_digits, load_wine
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import scale

from backprop_mlp import BackpropMLPClassifier, GradientCheck, check_gradient
from backprop_mlp._network.activations import ACTIVATIONS

ALLOWED = 1e-8
OUTPUT_KINDS = ["binary", "multilabel", "logistic", "softmax"]

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
    *(("none", output, 0) for output in OUTPUT_KINDS),
    *product(sorted(ACTIVATIONS), OUTPUT_KINDS, range(1, 5)),
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
    )
    check = check_gradient(network, X, Y[output], sample_weight, random_state=depth)
    assert check.passed
    assert check.relative_difference < ALLOWED
    # Nearly all coordinates count.
    assert check.at_kink.mean() < 0.1


def test_mixed_activations_pass():
    network = BackpropMLPClassifier((4, 3, 4), ("tanh", "relu", "logistic"), random_state=0)
    assert check_gradient(network, X, Y["softmax"]).relative_difference < ALLOWED


@unconverged
@pytest.mark.parametrize("output", OUTPUT_KINDS)
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


def test_the_start_of_an_unfitted_estimator_is_the_checks_own():
    """Neither the initializer nor the estimator's seed plays a part."""

    def zeros(rng, fan_in, fan_out):
        return np.zeros((fan_in, fan_out))

    networks = [
        BackpropMLPClassifier(4, "tanh", initializer=initializer, random_state=seed)
        for initializer, seed in (("auto", 0), ("uniform", 1), (zeros, None))
    ]
    first, *others = (check_gradient(network, X, Y["softmax"]) for network in networks)
    assert first.passed
    for other in others:
        assert_array_equal(other.backpropagation, first.backpropagation)
    other = check_gradient(networks[0], X, Y["softmax"], random_state=1)
    assert other.passed
    assert other.cost != first.cost


@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
@pytest.mark.parametrize(
    ("depth", "params"), [(10, {}), (6, {"batch_norm": True, "solver": "adam"})], ids=["", "norm"]
)
def test_every_block_of_a_deep_start_has_a_gradient(activation, depth, params):
    network = BackpropMLPClassifier((3,) * depth, activation, alpha=0.0, **params)
    check = check_gradient(network, X, Y["softmax"], max_coordinates=52)
    assert check.passed
    cancelled = {f"intercepts_[{layer}]" for layer in range(depth)} if params else set()
    if params and activation == "identity":
        cancelled |= {f"beta of layer {3 * layer + 1}" for layer in range(depth - 1)}
    for block in check.blocks:
        chosen = [name.startswith(f"{block.name}[") for name in check.names]
        assert (np.linalg.norm(check.differences[chosen]) < 1e-6) == (block.name in cancelled)


@pytest.mark.parametrize("size", [1e-6, 1e-2, 1e2, 1e6])
def test_inputs_of_any_size_leave_the_start_unsaturated(size):
    """So all that does not see the inputs' size can be compared."""
    network = BackpropMLPClassifier((4, 4), "tanh", alpha=0.0)
    first, *others = check_gradient(network, X * size, Y["softmax"]).blocks
    assert first.name == "coefs_[0]"
    assert first.passed is not False
    assert all(block.passed for block in others)


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


@pytest.mark.parametrize("max_coordinates", [1, 10, 16, 33, 100])
def test_the_sample_covers_every_block(max_coordinates):
    """Equally: a small block is taken whole, and what it leaves is shared by the others."""
    network = BackpropMLPClassifier(
        (20, 2, 30), "tanh", batch_norm=True, solver="adam", random_state=0
    )
    check = check_gradient(network, X, Y["softmax"], max_coordinates=max_coordinates)
    counts = Counter(name.rpartition("[")[0] for name in check.names)
    assert len(counts) == len(check.blocks) == 4 * 2 + 3 * 2
    assert sum(counts.values()) == max(max_coordinates, len(counts))
    sizes = {"intercepts_[1]": 2, "gamma of layer 4": 2, "beta of layer 4": 2, "intercepts_[3]": 3}
    shared = [count for name, count in counts.items() if count < sizes.get(name, 20)]
    assert max(shared) - min(shared) <= 1
    assert max(counts.values()) == max(shared)


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


SQUARE = np.random.default_rng(3).normal(size=(8, OUTPUTS + 1))
LABELS = np.arange(8) % OUTPUTS


def check_planted(name, network, **params):
    """The check of a network into whose training a bug is planted."""
    bug = BUGS[name]
    weights = WEIGHTS[:8] if bug.weighted else None
    with pytest.MonkeyPatch.context() as patch:
        bug.plant(patch)
        return check_gradient(network, SQUARE, LABELS, weights, **params)


@pytest.mark.parametrize("depth", [0, 1, 2, 5, 10])
@pytest.mark.parametrize("activation", ["tanh", "logistic", "relu"])
@pytest.mark.parametrize("name", BUGS)
def test_a_planted_bug_is_caught(name, activation, depth):
    bug = BUGS[name]
    if depth < bug.min_depth:
        pytest.skip("the network has nothing that this bug could spoil")
    params = {"alpha": 0.5, **(bug.params or {})}
    network = BackpropMLPClassifier((4,) * depth, activation, **params)
    assert check_planted(name, network, max_coordinates=24).passed is False


@pytest.mark.parametrize("depth", [0, 1, 2, 5, 10])
@pytest.mark.parametrize("activation", ["tanh", "logistic", "relu"])
@pytest.mark.parametrize("alpha", [0.0, 1e-3, 1.0, 1e6])
def test_without_a_bug_the_same_networks_pass(activation, depth, alpha):
    network = BackpropMLPClassifier(
        (4,) * depth, activation, alpha=alpha, class_weight={0: 1.0, 1: 3.0, 2: 0.5}
    )
    assert check_gradient(network, SQUARE, LABELS, WEIGHTS[:8], max_coordinates=24).passed


@unconverged
@pytest.mark.filterwarnings("ignore::backprop_mlp.StrongPenaltyWarning")  # it is meant to be
@pytest.mark.parametrize("size", [1e-3, 1.0, 1e4])
@pytest.mark.parametrize("step", [1e-9, 6e-6, 1e-2])
@pytest.mark.parametrize("alpha", [0.0, 1e6])
def test_at_fitted_parameters_no_bug_passes_and_nothing_right_fails(size, step, alpha):
    """It may be undecided: where rounding or truncation hide the gradient."""
    rows = SQUARE * size
    for activation in ("tanh", "relu"):
        network = BackpropMLPClassifier(
            (4, 4), activation, alpha=alpha, max_iter=20, random_state=0
        ).fit(rows, LABELS)
        right = check_gradient(network, rows, LABELS, step=step, max_coordinates=20)
        assert right.passed is not False
        for bug in ("sign of the first layer", "biases of the wrong layer", "slope forgotten"):
            with pytest.MonkeyPatch.context() as patch:
                BUGS[bug].plant(patch)
                wrong = check_gradient(network, rows, LABELS, step=step, max_coordinates=20)
            if not np.array_equal(wrong.backpropagation, right.backpropagation):
                assert wrong.passed is not True


def test_a_bug_in_one_layer_fails_that_layer_alone():
    network = BackpropMLPClassifier((4,) * 10, "logistic")
    check = check_planted("sign of the first layer", network)
    failed = [block.name for block in check.blocks if not block.passed]
    assert failed == ["coefs_[0]", "intercepts_[0]"]
    # In the exercise's norm over all parameters it is small.
    assert check.relative_difference < 0.2


def test_a_penalty_on_biases_fails_the_biases_alone():
    check = check_planted("biases penalised", BackpropMLPClassifier(4, "tanh", alpha=1.0))
    failed = [block.name for block in check.blocks if not block.passed]
    assert failed == ["intercepts_[0]", "intercepts_[1]"]
    assert "FAILED" in str(check)


def test_a_forgotten_penalty_is_caught_where_the_loss_is_a_billion_times_steeper():
    rng = np.random.default_rng(0)
    thetas = [rng.normal(size=(3, 5))]
    network = BackpropMLPClassifier.from_thetas(thetas, alpha=1e-4)
    rows = SQUARE * 1e4
    with pytest.MonkeyPatch.context() as patch:
        BUGS["penalty forgotten"].plant(patch)
        wrong = check_gradient(network, rows, LABELS)
    assert wrong.passed is False
    assert check_gradient(network, rows, LABELS).passed is not False


# Rounding, truncation, and what can't be decided


TABLES = {
    "breast cancer": load_breast_cancer(return_X_y=True),
    "wine": load_wine(return_X_y=True),
    "digits": load_digits(return_X_y=True),
}


@unconverged
@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("activation", ["tanh", "logistic", "relu"])
@pytest.mark.parametrize("alpha", [0.0, 1.0])
def test_a_well_trained_network_does_not_fail(table, activation, alpha):
    rows, labels = (part[:500] for part in TABLES[table])
    rows = scale(rows)
    network = BackpropMLPClassifier(
        (6, 6), activation, alpha=alpha, solver="lbfgs", tol=1e-12, max_iter=250, random_state=0
    ).fit(rows, labels)
    check = check_gradient(network, rows[::10], labels[::10], max_coordinates=60)
    assert check.passed is not False
    with pytest.MonkeyPatch.context() as patch:
        BUGS["sign of the first layer"].plant(patch)
        wrong = check_gradient(network, rows[::10], labels[::10], max_coordinates=60)
    if not np.array_equal(wrong.backpropagation, check.backpropagation):
        assert wrong.passed is not True


@unconverged
@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_weights_of_zero_do_not_fail(activation):
    network = BackpropMLPClassifier((4, 4), activation, max_iter=5, random_state=0)
    network.fit(X, Y["softmax"])
    for share in (0.5, 1.0):
        for W in network.coefs_:
            W[rng.random(W.shape) < share] = 0.0
        assert check_gradient(network, X, Y["softmax"]).passed is not False


@unconverged
@pytest.mark.parametrize("output", OUTPUT_KINDS)
@pytest.mark.parametrize(
    "params", [{}, {"batch_norm": True, "solver": "adam"}, {"dropout": 0.5, "solver": "adam"}]
)
def test_a_single_row_does_not_fail(output, params):
    network = BackpropMLPClassifier(4, "tanh", max_iter=5, random_state=0, **params)
    network.fit(X, Y[output])
    assert check_gradient(network, X[:1], Y[output][:1]).passed is not False


def test_at_a_minimum_it_is_not_decided():
    network = BackpropMLPClassifier(
        (), alpha=1.0, solver="lbfgs", tol=1e-9, n_iter_no_change=1000, max_iter=1000
    ).fit(X, Y["softmax"])
    check = check_gradient(network, X, Y["softmax"])
    assert np.linalg.norm(check.backpropagation) < 1e-8
    # Nothing but rounding is left to compare.
    assert np.linalg.norm(check.error) <= check.rounding_floor
    assert check.passed is None
    printed = str(check)
    assert "not decided; the gradient is small, rounding dominates: raise step" in printed
    assert printed.splitlines()[-1].startswith("Gradient check not decided")


def test_a_step_that_is_too_small_is_reported():
    check = check_gradient(BackpropMLPClassifier(4, "tanh"), X, Y["softmax"], step=1e-10)
    assert check.passed is None
    assert "the step is too small, rounding dominates: raise it, 6e-06 is usual" in str(check)


def test_a_step_that_is_too_large_is_reported_with_one_that_is_not():
    network = BackpropMLPClassifier(4, "tanh")
    check = check_gradient(network, X, Y["softmax"], step=1e-2)
    assert check.passed is None
    advice = check.blocks[0].advice
    better = re.fullmatch(r"the step is too large, truncation .* to (\S+) or so, .*", advice)
    assert check_gradient(network, X, Y["softmax"], step=float(better[1])).passed


def test_large_inputs_are_reported():
    network = BackpropMLPClassifier(4, "tanh")
    check = check_gradient(network, X * 1e4, Y["softmax"])
    assert check.passed is None
    # What does not see the inputs is decided.
    assert [block.passed for block in check.blocks] == [None, True, True, True]
    assert "truncation dominates: lower it" in check.blocks[0].advice
    assert "or scale the features" in check.blocks[0].advice


def test_steps_at_which_units_saturate_do_not_fail():
    """Two large steps agree with each other there, and not with the derivative."""
    network = BackpropMLPClassifier.from_thetas([[[0.3, 0.5]]], alpha=0.0)
    for step in (1.0, 1e2, 1e4, 1e6):
        check = check_gradient(network, [[1e3], [-2e3]], [1, 0], step=step)
        assert check.relative_difference > 1e-3
        assert check.passed is None


def test_an_error_that_nothing_explains_fails_however_small_the_gradient_is():
    differences = np.array([1e-9, 1e-9])
    right = GradientCheck(
        names=["a[0]", "a[1]"],
        differences=differences,
        backpropagation=differences * [1.0, 2.0],
        at_kink=np.array([False, False]),
        step=6e-6,
        cost=0.5,
        rounding=np.full(2, 1e-10),
    )
    assert right.passed is False
    assert replace(right, rounding=np.full(2, 1e-9)).passed is None
    assert replace(right, truncation=np.full(2, 1e-9)).passed is None
    assert replace(right, backpropagation=differences).passed is True


def test_a_cost_of_nearly_zero_does_not_fail():
    constant = BackpropMLPClassifier(4, random_state=0).fit(X, np.zeros(9))
    check = check_gradient(constant, X, np.zeros(9))
    assert check.passed is None
    certain = BackpropMLPClassifier.from_thetas([[[0.0, 40.0]]], alpha=0.0)
    check = check_gradient(certain, [[1.0], [-1.0]], [1, 0])
    assert 0.0 <= check.cost < 1e-17
    assert check.passed is not False


def test_two_gradients_of_zero_are_not_decided():
    zeros = np.zeros(2)
    check = GradientCheck(["a[0]", "a[1]"], zeros, zeros, zeros > 1, step=6e-6, cost=0.0)
    assert check.relative_difference == 0.0
    assert check.passed is None
    assert "both gradients are zero" in str(check)


def test_biases_that_batch_normalisation_cancels_pass_if_they_have_no_gradient(monkeypatch):
    network = BackpropMLPClassifier((4, 4), batch_norm=True, solver="adam")
    check = check_gradient(network, X, Y["softmax"])
    assert check.passed
    cancelled = [name.startswith(("intercepts_[0]", "intercepts_[1]")) for name in check.names]
    assert_array_equal(check.without_effect, cancelled)
    spoilt = np.where(cancelled, 1e-6, 0.0)
    wrong = replace(check, backpropagation=check.backpropagation + spoilt)
    failed = [block.name for block in wrong.blocks if not block.passed]
    assert failed == ["intercepts_[0]", "intercepts_[1]"]


def test_the_relative_difference_is_that_of_the_exercise():
    check = GradientCheck(
        names=["a[0]", "b[0]"],
        differences=np.array([3.0, 0.0]),
        backpropagation=np.array([3.0, 4.0]),
        at_kink=np.array([False, False]),
        step=6e-6,
        cost=1.0,
    )
    assert check.relative_difference == pytest.approx(4.0 / np.hypot(6.0, 4.0), rel=1e-15)
    assert [block.relative_difference for block in check.blocks] == [0.0, 1.0]
    assert [block.passed for block in check.blocks] == [True, False]


# What it prints


def test_it_prints_both_columns_each_block_and_the_verdict():
    check = check_gradient(BackpropMLPClassifier(2, "tanh", random_state=0), X, Y["binary"])
    lines = str(check).splitlines()
    assert lines[0].split() == ["differences", "backpropagation"]
    assert len(lines) == 1 + 11 + 4 + 1
    for line, block in zip(lines[12:16], check.blocks, strict=True):
        assert line == f"{block.name}: relative difference {block.relative_difference:.2g}, passed"
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
            "estimator must be a BackpropMLPClassifier or BackpropMLPRegressor; got Pipeline",
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


@unconverged
@pytest.mark.parametrize("is_fitted", [False, True])
def test_a_first_block_of_rows_without_weight_is_no_obstacle(is_fitted):
    """There are no rows in it to draw coordinates for."""
    data = np.random.default_rng(0).normal(size=(30_000, 10))
    labels, weights = data[:, 0] > 0.0, (np.arange(30_000) >= 25_000).astype(float)
    estimator = BackpropMLPClassifier(5, max_iter=2, random_state=0)
    if is_fitted:
        estimator.fit(data, labels, weights)
    assert check_gradient(estimator, data, labels, weights).passed
