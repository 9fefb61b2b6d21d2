"""The exercise itself: its checkpoints, on its own files where they are at hand."""

import numpy as np
import pytest

from backprop_mlp import BackpropMLPClassifier, check_gradient, load_ex4_data, load_ex4_weights


def debug_matrix(n_rows, n_columns):
    """The exercise's debugInitializeWeights: sines, column by column, divided by 10."""
    size = n_rows * n_columns
    return np.sin(np.arange(1.0, size + 1.0)).reshape(n_columns, n_rows).T / 10.0


DEBUG_X = debug_matrix(5, 3)
DEBUG_Y = 1 + np.arange(1, 6) % 3


def debug_network(alpha):
    return BackpropMLPClassifier.from_thetas(
        [debug_matrix(5, 4), debug_matrix(3, 6)],
        classes=[1, 2, 3],
        activation="logistic",
        alpha=alpha,
    )


@pytest.fixture(scope="module")
def digits(ex4_path):
    return load_ex4_data(ex4_path / "ex4data1.mat")


@pytest.fixture(scope="module")
def thetas(ex4_path):
    return load_ex4_weights(ex4_path / "ex4weights.mat")


def given_network(thetas, alpha=0.0):
    return BackpropMLPClassifier.from_thetas(
        thetas, classes=np.arange(1, 11), activation="logistic", alpha=alpha
    )


def exercise_network(**params):
    return BackpropMLPClassifier(25, "logistic", initializer="uniform", max_iter=50, **params)


# The debug network (section 2.4)


@pytest.mark.parametrize(("alpha", "cost"), [(0.0, 2.1009505699024653), (3.0, 2.1463598150243586)])
def test_the_debug_network_has_the_cost_of_the_exercise(alpha, cost):
    assert debug_network(alpha).cost(DEBUG_X, DEBUG_Y) == pytest.approx(cost, rel=1e-14)


@pytest.mark.parametrize("alpha", [0, 3])
def test_the_debug_network_has_the_gradient_of_the_exercise(alpha, ex4_path):
    table = np.genfromtxt(ex4_path / "debug_network_gradients.csv", delimiter=",", skip_header=1)
    _, numerical, analytical = table[table[:, 0] == alpha].T
    assert len(analytical) == 38
    _, gradients = debug_network(alpha).cost_gradient(DEBUG_X, DEBUG_Y)
    unrolled = np.concatenate([gradient.ravel(order="F") for gradient in gradients])
    np.testing.assert_allclose(unrolled, analytical, rtol=0.0, atol=1e-12)
    np.testing.assert_allclose(unrolled, numerical, rtol=0.0, atol=1e-9)


@pytest.mark.parametrize("alpha", [0.0, 3.0])
def test_the_debug_network_passes_the_gradient_check(alpha):
    check = check_gradient(debug_network(alpha), DEBUG_X, DEBUG_Y)
    assert len(check.names) == 38
    assert check.relative_difference < 1e-9


def test_the_debug_network_passes_with_the_step_of_the_exercise():
    check = check_gradient(debug_network(3.0), DEBUG_X, DEBUG_Y, step=1e-4)
    assert check.relative_difference < 1e-9


# The given weights (sections 1.3 and 1.4)


@pytest.mark.parametrize(
    ("alpha", "cost"), [(0.0, "0.287629"), (1.0, "0.383770"), (3.0, "0.576051")]
)
def test_the_given_weights_have_the_cost_of_the_exercise(digits, thetas, alpha, cost):
    assert f"{given_network(thetas, alpha).cost(*digits):.6f}" == cost


def test_the_given_weights_predict_97_52_percent(digits, thetas):
    assert given_network(thetas).score(*digits) == pytest.approx(0.9752, abs=1e-12)


def test_label_10_may_be_the_digit_0(ex4_path, thetas):
    X, y = load_ex4_data(ex4_path / "ex4data1.mat", zero_label=0)
    network = BackpropMLPClassifier.from_thetas(
        thetas, classes=np.arange(1, 11) % 10, activation="logistic"
    )
    np.testing.assert_array_equal(network.classes_, np.arange(10))
    assert network.score(X, y) == pytest.approx(0.9752, abs=1e-12)


def test_the_given_weights_pass_the_gradient_check(digits, thetas):
    X, y = digits
    check = check_gradient(given_network(thetas, 3.0), X[::100], y[::100], max_coordinates=60)
    assert check.relative_difference < 1e-8


# Training (section 2.6)


def test_a_short_training_lowers_the_cost(digits):
    X, y = digits
    model = exercise_network(random_state=0).set_params(max_iter=5, tol=0.0)
    with pytest.warns(UserWarning, match="max_iter=5"):
        model.fit(X, y)
    assert model.cost(X, y) == pytest.approx(model.loss_, rel=1e-12)
    assert (np.diff(model.loss_curve_) < 0).all()
    assert model.score(X, y) > 0.6


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_fifty_iterations_reach_95_percent_in_the_median_of_ten_seeds(digits):
    models = [exercise_network(random_state=seed).fit(*digits) for seed in range(10)]
    assert max(model.n_iter_ for model in models) <= 50
    assert np.median([model.score(*digits) for model in models]) >= 0.95
    # The coordinates are what brings the cost down so far: without any it is about 0.47.
    assert np.median([model.loss_ for model in models]) < 0.40
