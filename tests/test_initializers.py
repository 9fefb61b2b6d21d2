"""Random starting weights: whose they are, how large, and where they go."""

import pickle

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.preprocessing import scale

from backprop_mlp import BackpropMLPClassifier
from backprop_mlp._network.losses import SigmoidLoss
from backprop_mlp._network.network import Network
from backprop_mlp.initializers import INITIALIZERS, GlorotUniform, HeNormal, Uniform, initialize

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, y = load_iris(return_X_y=True)
X = scale(X)


def started(initializer, sizes=(40, 30, 20, 10), activations=("relu", "tanh"), seed=0):
    """(W, b) of each dense layer of a fresh start."""
    network = Network.feedforward(sizes, activations, SigmoidLoss())
    theta = initialize(network, initializer, np.random.default_rng(seed))
    assert theta.shape == (network.n_params,)
    assert theta.dtype == np.float64
    return network.dense_views(theta)


@pytest.mark.parametrize("name", ["auto", *INITIALIZERS])
def test_a_start_is_decided_by_its_generator(name):
    for (W, b), (W_again, b_again), (W_other, _) in zip(
        started(name), started(name), started(name, seed=1), strict=True
    ):
        np.testing.assert_array_equal(W, W_again)
        np.testing.assert_array_equal(b, b_again)
        assert not np.array_equal(W, W_other)


@pytest.mark.parametrize(
    ("name", "initializer"),
    [("uniform", Uniform(0.12)), ("glorot_uniform", GlorotUniform()), ("he_normal", HeNormal())],
)
def test_a_name_is_its_object(name, initializer):
    for (W, b), (W_other, b_other) in zip(started(name), started(initializer), strict=True):
        np.testing.assert_array_equal(W, W_other)
        np.testing.assert_array_equal(b, b_other)


@pytest.mark.parametrize(
    ("activation", "hidden"),
    [
        ("relu", HeNormal()),
        ("leaky_relu", HeNormal()),
        ("tanh", GlorotUniform()),
        ("logistic", GlorotUniform()),
        ("identity", GlorotUniform()),
    ],
)
def test_auto_is_he_before_kinked_units_and_glorot_elsewhere(activation, hidden):
    rng = np.random.default_rng(0)
    (W1, b1), (W2, b2) = started("auto", (8, 6, 3), (activation,))
    np.testing.assert_array_equal(W1, hidden(rng, 8, 6))
    np.testing.assert_array_equal(W2, GlorotUniform()(rng, 6, 3))
    np.testing.assert_array_equal(np.r_[b1, b2], 0.0)


@pytest.mark.parametrize("name", ["auto", "glorot_uniform", "he_normal"])
def test_biases_start_at_zero(name):
    assert all((b == 0.0).all() for _, b in started(name))


def test_the_exercise_draws_biases_too():
    for W, b in started("uniform"):
        assert 0.11 < np.abs(W).max() <= 0.12
        assert (b != 0.0).all()
        assert np.abs(b).max() <= 0.12


@pytest.mark.parametrize("kind", [np.uint8, np.int16, np.float16])
def test_the_width_may_be_any_of_numpys_numbers(kind):
    rngs = np.random.default_rng(0), np.random.default_rng(0)
    np.testing.assert_array_equal(Uniform(kind(3))(rngs[0], 4, 5), Uniform(3.0)(rngs[1], 4, 5))


@pytest.mark.parametrize(
    ("initializer", "variance"),
    [
        (GlorotUniform(), 2.0 / (300 + 200)),
        (HeNormal(), 2.0 / 300),
        (Uniform(0.3), 0.3**2 / 3.0),
    ],
)
def test_the_variance_is_that_of_the_papers(initializer, variance):
    W = initializer(np.random.default_rng(0), 300, 200)
    assert W.var() == pytest.approx(variance, rel=0.02)
    assert W.mean() == pytest.approx(0.0, abs=0.02 * np.sqrt(variance))


@pytest.mark.parametrize("biases", [False, True])
def test_a_callable_gives_weights_with_or_without_biases(biases):
    def numbers(rng, fan_in, fan_out):
        return np.arange((fan_in + biases) * fan_out).reshape(-1, fan_out)

    for W, b in started(numbers):
        rows = numbers(None, *W.shape)
        np.testing.assert_array_equal(W, rows[1:] if biases else rows)
        np.testing.assert_array_equal(b, rows[0] if biases else 0.0)


@pytest.mark.parametrize("kind", [int, np.float32, object])
def test_a_callable_may_give_numbers_of_any_kind(kind):
    for W, _ in started(lambda rng, fan_in, fan_out: np.full((fan_in, fan_out), 2).astype(kind)):
        assert W.dtype == np.float64
        np.testing.assert_array_equal(W, 2.0)


@pytest.mark.parametrize(
    ("given", "found"),
    [
        (np.ones((1, 1)), r"an array of shape \(1, 1\)"),
        (np.full((40, 30), np.nan), "numbers that are not finite"),
        (np.full((41, 30), np.inf), "numbers that are not finite"),
        (np.ones((42, 30)), r"an array of shape \(42, 30\)"),
        (None, "None"),
        ("zeros", "'zeros'"),
        (np.ones((40, 30), complex), "complex numbers"),
    ],
)
def test_a_callable_that_gives_something_else_is_an_error(given, found):
    message = (
        r"initializer must return finite weights of shape \(40, 30\), or \(41, 30\) with the "
        rf"biases first; got {found}\."
    )
    with pytest.raises(ValueError, match=f"^{message}$"):
        started(lambda rng, fan_in, fan_out: given)


def test_the_estimator_starts_there():
    def start(rng, fan_in, fan_out):
        return np.full((1 + fan_in, fan_out), 0.01)

    # The gradient is below tol, so the start is kept.
    model = BackpropMLPClassifier(3, "tanh", initializer=start, alpha=0.0, tol=10.0).fit(X, y)
    assert model.n_iter_ == 0
    for theta in model.thetas_:
        np.testing.assert_allclose(theta, 0.01, atol=1e-15)


@pytest.mark.parametrize("initializer", list(INITIALIZERS.values()), ids=list(INITIALIZERS))
def test_initializers_pickle_and_compare(initializer):
    assert pickle.loads(pickle.dumps(initializer)) == initializer
    assert list(INITIALIZERS.values()).count(initializer) == 1
