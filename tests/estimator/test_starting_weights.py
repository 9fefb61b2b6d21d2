"""Where training starts: what it means for the signal, what may be given, where seeds go."""

import pickle

import numpy as np
import pytest
from keywords import FULL_BATCH, SOLVERS, read_by
from scipy.sparse import csr_matrix
from sklearn.base import clone
from sklearn.datasets import load_iris, make_circles
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.preprocessing import scale

from backprop_mlp import BackpropMLPClassifier, BackpropMLPRegressor
from backprop_mlp._network.losses import SigmoidLoss
from backprop_mlp._network.network import Network
from backprop_mlp.initializers import (
    INITIALIZERS,
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    Uniform,
    Xavier,
    initialize,
)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


X, y = load_iris(return_X_y=True)
X = scale(X)


def start_of(initializer, sizes, activations, **options):
    """[(W, b)] of each dense layer, and all of theta."""
    network = Network.feedforward(sizes, activations, SigmoidLoss(), **options)
    theta = initialize(network, initializer, np.random.default_rng(0))
    return network.dense_views(theta), network, theta


def classifier(solver="adam", **params):
    defaults = {"hidden_layer_sizes": (6, 5), "activation": "tanh", "max_iter": 1}
    return BackpropMLPClassifier(solver=solver, **defaults | {"random_state": 0} | params)


# Distributions


@pytest.mark.parametrize(
    ("initializer", "variance"),
    [
        (GlorotNormal(), lambda n_in, n_out: 2 / (n_in + n_out)),
        (Xavier(), lambda n_in, n_out: 1 / n_in),
    ],
    ids=["glorot_normal", "xavier"],
)
@pytest.mark.parametrize("shape", [(400, 100), (50, 800)], ids=str)
def test_mean_and_variance(initializer, variance, shape):
    W = initializer(np.random.default_rng(0), *shape)
    expected = variance(*shape)
    # 40,000 draws: five standard deviations of the mean; 5 % is more than five of the variance.
    assert abs(W.mean()) < 5 * np.sqrt(expected / W.size)
    assert W.var() == pytest.approx(expected, rel=0.05)


@pytest.mark.parametrize("name", ["glorot_normal", "xavier", "he_normal"])
def test_normal_weights_have_the_tails_of_normal_weights(name):
    W = INITIALIZERS[name](np.random.default_rng(0), 300, 300)
    beyond = np.mean(np.abs(W) > 2 * W.std())
    assert beyond == pytest.approx(0.0455, rel=0.1)


def test_glorots_uniform_bound_is_the_exercises_formula():
    """epsilon_init = sqrt(6) / sqrt(L_in + L_out): 0.12 for 400 inputs and 25 units."""
    W = GlorotUniform()(np.random.default_rng(0), 400, 25)
    bound = np.sqrt(6) / np.sqrt(400 + 25)
    assert round(bound, 2) == 0.12
    assert 0.999 * bound < np.abs(W).max() <= bound


@pytest.mark.parametrize("width", [0.0, -0.1, np.inf, np.nan, "wide", None], ids=str)
def test_a_width_that_is_none_is_refused(width):
    with pytest.raises(ValueError, match="width must be a finite number > 0; got"):
        Uniform(width)


# Which layer gets which


def test_auto_is_he_before_kinks_and_glorot_before_all_else():
    """Of five hidden layers and the outputs, layer by layer from one generator."""
    activations = ["relu", "tanh", "leaky_relu", "logistic", "identity"]
    layers, _, _ = start_of("auto", [4, 5, 6, 7, 8, 9, 3], activations)
    rng = np.random.default_rng(0)
    rules = [HeNormal(), GlorotUniform(), HeNormal(), GlorotUniform(), GlorotUniform()]
    for (W, _), rule in zip(layers, [*rules, GlorotUniform()], strict=True):
        assert np.array_equal(W, rule(rng, *W.shape))


def test_auto_looks_through_batch_normalisation():
    plain, _, _ = start_of("auto", [4, 5, 3], ["relu"])
    normalised, network, theta = start_of(
        "auto", [4, 5, 3], ["relu"], batch_norm=True, dropout=[0.5]
    )
    for (W, _), (W_normalised, _) in zip(plain, normalised, strict=True):
        assert np.array_equal(W, W_normalised)
    gamma, beta = network.views(theta)[1]
    assert np.array_equal(gamma, np.ones(5))
    assert np.array_equal(beta, np.zeros(5))


@pytest.mark.parametrize(
    ("initializer", "activation"),
    [("he_normal", "relu"), ("auto", "relu"), ("auto", "leaky_relu")],
)
def test_he_keeps_the_signals_size_through_ten_kinked_layers(initializer, activation):
    sizes = [300] * 11
    _, network, theta = start_of(initializer, [*sizes, 1], [activation] * 10)
    a = np.random.default_rng(1).normal(size=(200, 300))
    _, caches = network.forward(network.views(theta), a)
    power = [np.mean(np.square(caches[2 * layer + 1])) for layer in range(10)]
    assert max(power) < 2 * min(power)


def test_too_small_weights_lose_it():
    def small(rng, fan_in, fan_out):
        return rng.normal(0.0, 0.01, (fan_in, fan_out))

    _, network, theta = start_of(small, [300] * 11 + [1], ["tanh"] * 10)
    _, caches = network.forward(network.views(theta), np.ones((10, 300)))
    assert np.abs(caches[19]).max() < 1e-5 * np.abs(caches[1]).max()


@pytest.mark.filterwarnings("ignore::backprop_mlp.StrongPenaltyWarning")  # nothing is learnt
@pytest.mark.parametrize("solver", SOLVERS)
def test_zeros_teach_nothing_but_how_frequent_the_classes_are(solver):
    """Units that start alike stay alike, and these feed back nothing at all."""
    params = {"initializer": lambda rng, *shape: np.zeros(shape), "max_iter": 500, "tol": 1e-6}
    rows = slice(0, 125)  # 50, 50 and 25 of a class
    params |= {"learning_rate_init": 0.05, "batch_size": 125}
    fitted = classifier(solver, **read_by(solver, params))
    fitted.set_params(n_iter_no_change=100).fit(X[rows], y[rows])
    for W in fitted.coefs_:
        assert np.array_equal(W, np.zeros(W.shape))
    np.testing.assert_allclose(fitted.predict_proba(X)[0], [0.4, 0.4, 0.2], atol=0.01)


# Callables


def test_a_callable_is_asked_once_a_layer():
    asked = []

    def ones(rng, fan_in, fan_out):
        asked.append((type(rng), fan_in, fan_out))
        return np.full((fan_in, fan_out), 0.5)

    fitted = classifier(initializer=ones, learning_rate=lambda step: 0.0).fit(X, y)
    assert asked == [(np.random.Generator, *shape) for shape in [(4, 6), (6, 5), (5, 3)]]
    for W in fitted.coefs_:
        assert np.array_equal(W, np.full(W.shape, 0.5))
    assert not np.concatenate(fitted.intercepts_[:-1]).any()


def test_a_callable_may_give_the_biases_in_front():
    def numbered(rng, fan_in, fan_out):
        return np.arange((1 + fan_in) * fan_out).reshape(1 + fan_in, fan_out) / 100

    fitted = classifier(initializer=numbered, learning_rate=lambda step: 0.0).fit(X, y)
    assert np.array_equal(fitted.intercepts_[0], np.arange(6) / 100)
    assert np.array_equal(fitted.coefs_[0], np.arange(6, 30).reshape(4, 6) / 100)


@pytest.mark.parametrize(
    "returned",
    [
        lambda fan_in, fan_out: np.zeros((fan_out, fan_in)),
        lambda fan_in, fan_out: np.zeros((fan_in + 2, fan_out)),
        lambda fan_in, fan_out: np.zeros(fan_out),
        lambda fan_in, fan_out: 0.5,
        lambda fan_in, fan_out: None,
        lambda fan_in, fan_out: "zeros",
        lambda fan_in, fan_out: np.full((fan_in, fan_out), np.nan),
        lambda fan_in, fan_out: np.full((1 + fan_in, fan_out), np.inf),
    ],
)
@pytest.mark.parametrize("solver", ["lbfgs", "sgd"])
def test_what_a_callable_must_not_give(returned, solver):
    network = classifier(solver, initializer=lambda rng, *shape: returned(*shape))
    with pytest.raises(
        ValueError, match=r"initializer must return finite weights of shape \(4, 6\)"
    ):
        network.fit(X, y)
    assert not hasattr(network, "coefs_")


def test_an_unknown_name_is_refused():
    with pytest.raises(ValueError, match=r"'initializer' parameter.*'orthogonal'"):
        classifier(initializer="orthogonal").fit(X, y)


@pytest.mark.parametrize(
    "initializer", [Uniform(0.3), GlorotUniform(), GlorotNormal(), Xavier(), HeNormal()], ids=repr
)
def test_initialisers_are_values(initializer):
    assert pickle.loads(pickle.dumps(initializer)) == initializer
    assert eval(repr(initializer)) == initializer
    assert clone(classifier(initializer=initializer)).initializer == initializer


# Seeds


@pytest.mark.parametrize("solver", SOLVERS)
def test_a_seed_gives_every_solver_the_same_start(solver):
    starts = []

    def note(rng, fan_in, fan_out):
        starts.append(GlorotUniform()(rng, fan_in, fan_out))
        return starts[-1]

    for name in (solver, "cg"):
        classifier(name, initializer=note, n_init=2).fit(X, y)
    assert len(starts) == 2 * 2 * 3
    for one, other in zip(starts[:6], starts[6:], strict=True):
        assert np.array_equal(one, other)
    assert not np.array_equal(starts[0], starts[3])


def test_single_precision_starts_at_the_same_weights():
    still = {"learning_rate": lambda step: 0.0}
    double = classifier(**still).fit(X, y)
    single = classifier(**still).fit(X.astype(np.float32), y)
    for W, W_single in zip(double.coefs_, single.coefs_, strict=True):
        assert np.array_equal(W.astype(np.float32), W_single)


def test_other_seeds_give_other_starts_and_a_generator_goes_on():
    one, other = classifier(random_state=1).fit(X, y), classifier(random_state=2).fit(X, y)
    assert not np.array_equal(one.coefs_[0], other.coefs_[0])
    rng = np.random.RandomState(1)
    first = classifier(random_state=rng).fit(X, y)
    second = classifier(random_state=rng).fit(X, y)
    assert np.array_equal(first.coefs_[0], one.coefs_[0])
    assert not np.array_equal(second.coefs_[0], one.coefs_[0])


# What the rows say


def still(solver):
    """Keywords with which a solver takes no step."""
    return {"tol": 1e308} if solver in FULL_BATCH else {"learning_rate": lambda step: 0.0}


def start_after(solver, X, y, sample_weight=None, **params):
    """A classifier that is where training starts."""
    return classifier(solver, **still(solver) | params).fit(X, y, sample_weight)


def log_odds(total, weight):
    return np.log((total + 0.5) / (weight - total + 0.5))


UNEVEN = slice(20, 130)  # 30, 50 and 30 of a class
COUNTS = np.array([30, 50, 30])
DRAWN = np.random.default_rng(3).uniform(0.0, 3.0, 110)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_output_biases_start_at_the_log_odds(solver, dtype):
    rows, labels = X[UNEVEN].astype(dtype), y[UNEVEN]
    totals = np.bincount(labels, DRAWN)
    for weights, expected in ((None, log_odds(COUNTS, 110)), (DRAWN, log_odds(totals, sum(DRAWN)))):
        start = start_after(solver, rows, labels, weights)
        np.testing.assert_allclose(start.intercepts_[-1], expected, rtol=1e-6)
        binary = start_after(solver, rows, labels == 1, weights)
        np.testing.assert_allclose(binary.intercepts_[-1], expected[1:2], rtol=1e-6)
        softmax = start_after(solver, rows, labels, weights, output_activation="softmax")
        shares = np.exp(softmax.intercepts_[-1].astype(float))
        total = COUNTS if weights is None else totals
        np.testing.assert_allclose(shares, (total + 0.5) / (total.sum() + 1.5), rtol=1e-6)


@pytest.mark.parametrize("solver", ["lbfgs", "adam"])
def test_class_weights_count_in_the_log_odds(solver):
    start = start_after(solver, X[UNEVEN], y[UNEVEN], class_weight={0: 2.0, 2: 0.5})
    np.testing.assert_allclose(start.intercepts_[-1], log_odds(np.array([60, 50, 15]), 125))
    balanced = start_after(solver, X[UNEVEN], y[UNEVEN], class_weight="balanced")
    np.testing.assert_allclose(balanced.intercepts_[-1], log_odds(110 / 3, 110), rtol=1e-12)


@pytest.mark.parametrize("solver", ["lbfgs", "adam"])
@pytest.mark.parametrize("container", [np.asarray, csr_matrix])
def test_each_label_has_log_odds_of_its_own(solver, container):
    labels = np.column_stack([y == 0, y > 0, y < 5, y > 5])[UNEVEN].astype(int)
    weights = [{1: 2.0}, {0: 3.0, 1: 0.5}, {}, {0: 2.0}]
    start = start_after(solver, X[UNEVEN], container(labels), class_weight=weights)
    expected = [log_odds(60, 140), log_odds(40, 130), log_odds(110, 110), log_odds(0, 220)]
    np.testing.assert_allclose(start.intercepts_[-1], expected, rtol=1e-12)


def test_partial_fit_starts_at_the_announced_classes_and_the_first_chunk():
    stream = classifier(learning_rate=lambda step: 0.0)
    stream.partial_fit(X[:60], y[:60], classes=[0, 1, 2, 9])
    expected = log_odds(np.array([50, 10, 0, 0]), 60)
    np.testing.assert_allclose(stream.intercepts_[-1], expected, rtol=1e-12)
    stream.partial_fit(X[60:], y[60:])
    np.testing.assert_allclose(stream.intercepts_[-1], expected, rtol=1e-12)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("hidden", [(), (6,)])
def test_biases_that_are_given_are_kept_and_so_is_the_first_layer(solver, hidden):
    drawn = []

    def note(rng, fan_in, fan_out):
        drawn.append(Uniform()(rng, fan_in, fan_out))
        return drawn[-1]

    rows = 100.0 + 7.0 * X[UNEVEN]
    for initializer in (note, "uniform"):
        start = start_after(
            solver, rows, y[UNEVEN], hidden_layer_sizes=hidden, initializer=initializer
        )
        for W, b, start_rows in zip(start.coefs_, start.intercepts_, drawn, strict=True):
            np.testing.assert_allclose(np.vstack([b, W]), start_rows, rtol=1e-13)


@pytest.mark.parametrize("solver", [*FULL_BATCH, "adam", "rmsprop"])
def test_a_warm_start_keeps_its_biases(solver):
    fitted = classifier(solver, warm_start=True).fit(X, y)
    before = fitted.intercepts_[-1].copy()
    fitted.set_params(**still(solver)).fit(X[UNEVEN], y[UNEVEN])
    np.testing.assert_allclose(fitted.intercepts_[-1], before, rtol=1e-12)


@pytest.mark.parametrize("solver", FULL_BATCH)
@pytest.mark.parametrize("hidden", [(), (6,)])
@pytest.mark.parametrize("container", [np.asarray, csr_matrix])
def test_a_full_batch_solver_starts_the_same_wherever_the_features_lie(solver, hidden, container):
    offset, size = np.array([1e6, -30.0, 0.0, 5.0]), np.array([100.0, 2.0, 1.0, 1e4])
    params = {"hidden_layer_sizes": hidden}
    rows, weights = offset + size * X, np.random.default_rng(3).uniform(0.0, 3.0, len(X))
    other = start_after(solver, container(rows), y, weights, **params)
    deviations = rows - np.average(rows, axis=0, weights=weights)
    seen = deviations / np.sqrt(np.average(deviations**2, axis=0, weights=weights)).clip(min=1.0)
    expected = start_after(solver, seen, y, weights, **params).decision_function(seen)
    np.testing.assert_allclose(other.decision_function(container(rows)), expected, atol=1e-8)


@pytest.mark.parametrize("solver", ["cg", "lbfgs"])
@pytest.mark.parametrize("offset", [1e3, 1e6, 1e9])
def test_features_far_from_zero_are_learned(solver, offset):
    rows, labels = load_iris(return_X_y=True)
    folds = StratifiedKFold(3, shuffle=True, random_state=0)
    fitted = BackpropMLPClassifier(25, solver=solver, random_state=0)
    assert cross_val_score(fitted, rows + offset, labels, cv=folds).mean() > 0.95


def test_many_classes_do_not_take_epochs_to_become_rare():
    rng = np.random.default_rng(0)
    centres, labels = rng.normal(size=(100, 20)), rng.permutation(np.arange(1000) % 100)
    rows = centres[labels] + 0.3 * rng.normal(size=(1000, 20))
    scores = [
        BackpropMLPClassifier(
            64, solver="adam", output_activation=outputs, max_iter=40, random_state=0
        )
        .fit(rows, labels)
        .score(rows, labels)
        for outputs in ("logistic", "softmax")
    ]
    assert scores[0] > scores[1] - 0.02


# The size of the signal


@pytest.mark.parametrize("solver", ["cg", "adam"])
@pytest.mark.parametrize(
    ("activation", "factor"), [("logistic", 4.0), ("tanh", 1.0), ("identity", 1.0)]
)
def test_auto_lets_smooth_units_keep_the_size_of_a_signal(solver, activation, factor):
    """Of hidden layers, not of outputs; in a name that is chosen nothing is added."""
    auto = start_after(solver, X, y, activation=activation)
    named = start_after(solver, X, y, activation=activation, initializer="glorot_uniform")
    factors = [factor, factor, 1.0]
    for W, W_named, by in zip(auto.coefs_, named.coefs_, factors, strict=True):
        np.testing.assert_allclose(W, by * W_named, rtol=1e-12)


def test_auto_leaves_the_size_of_a_signal_to_batch_normalisation():
    params = {"activation": "logistic", "batch_norm": True}
    auto = start_after("adam", X, y, **params)
    named = start_after("adam", X, y, **params, initializer="glorot_uniform")
    for W, W_named in zip(auto.coefs_, named.coefs_, strict=True):
        assert np.array_equal(W, W_named)


@pytest.mark.parametrize("solver", ["cg", "lbfgs", "newton-cg"])
def test_logistic_units_find_a_circle_among_two_inputs(solver):
    rows, labels = make_circles(400, noise=0.08, factor=0.5, random_state=0)
    rows = scale(rows)
    for seed in range(3):
        fitted = BackpropMLPClassifier(activation="logistic", solver=solver, random_state=seed).fit(
            rows, labels
        )
        assert fitted.score(rows, labels) > 0.95


# A single input that varies


def at_start(X, activation="relu", solver="cg", **params):
    """A network whose training has changed next to nothing."""
    still = {"tol": 1e9} if solver in FULL_BATCH else {"learning_rate_init": 1e-12}
    params = {"activation": activation, "hidden_layer_sizes": 50, **still, **params}
    return classifier(solver, **read_by(solver, params)).fit(X, np.arange(X.shape[0]) % 2)


def bends(X, activation="relu", solver="cg"):
    """Where the units of the first layer have the input zero at the start, in X's only column."""
    model = at_start(X, activation, solver)
    return -model.intercepts_[0] / model.coefs_[0][0]


@pytest.mark.parametrize("activation", ["relu", "tanh", "logistic"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("solver", SOLVERS)
def test_units_bend_at_different_places_of_a_single_input(solver, dtype, activation):
    x = np.linspace(5.0, 6.0, 40, dtype=dtype)[:, np.newaxis]
    places = (bends(x, activation, solver) - 5.5) / x.std()
    assert len(np.unique(places)) == 50
    assert 1.5 < np.abs(places).max() < 1.01 * np.sqrt(3.0)
    assert abs(places.mean()) < 0.5


@pytest.mark.parametrize("constant", [0.0, 0.7, 1.0, -1e6 / 3.0])
@pytest.mark.parametrize("container", [np.asarray, csr_matrix])
@pytest.mark.parametrize("solver", FULL_BATCH)
def test_units_bend_at_different_places_of_it_beside_constants(solver, container, constant):
    # So many rows that rounding alone gives constants a deviation.
    x = np.linspace(-1.0, 1.0, 398)[:, np.newaxis]
    model = at_start(container(np.hstack([x, np.full_like(x, constant)])), solver=solver)
    b = model.intercepts_[0] + constant * model.coefs_[0][1]
    places = np.unique((-b / model.coefs_[0][0]).round(6))
    assert len(places) == 50
    assert places.std() > 0.3


@pytest.mark.parametrize(("activation", "deviation"), [("tanh", 2.0), ("logistic", 4.0)])
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("size", [0.01, 1.0, 100.0])
def test_smooth_units_bend_within_half_a_unit_of_a_single_input(
    size, solver, activation, deviation
):
    x = size * scale(np.linspace(5.0, 6.0, 40))[:, np.newaxis]
    model = at_start(x, activation, solver, hidden_layer_sizes=1000)
    # As for any input, full-batch solvers divide by deviations above 1 alone.
    seen = max(1.0, size) if solver in FULL_BATCH else 1.0
    assert seen * model.coefs_[0].std() == pytest.approx(deviation, rel=0.1)


@pytest.mark.parametrize("activation", ["tanh", "logistic"])
@pytest.mark.parametrize("initializer", ["glorot_uniform", GlorotUniform()])
def test_smooth_units_keep_the_weights_of_an_initializer_that_was_chosen(initializer, activation):
    x = np.linspace(5.0, 6.0, 40)[:, np.newaxis]
    model = at_start(x, activation, initializer=initializer)
    assert np.abs(model.coefs_[0]).max() < np.sqrt(6.0 / 51.0)
    np.testing.assert_allclose(-model.intercepts_[0] / model.coefs_[0][0], 5.5)


@pytest.mark.parametrize("solver", FULL_BATCH)
def test_straight_units_and_more_inputs_start_at_the_mean(solver):
    x = np.linspace(5.0, 6.0, 40)[:, np.newaxis]
    np.testing.assert_allclose(bends(x, "identity", solver), 5.5)
    model = classifier(solver, activation="relu", tol=1e9)
    X = np.hstack([x, x**2])
    model.fit(X, np.arange(40) % 2)
    np.testing.assert_allclose(X.mean(axis=0) @ model.coefs_[0], -model.intercepts_[0])


@pytest.mark.parametrize("activation", ["relu", "tanh", "logistic"])
@pytest.mark.parametrize("solver", FULL_BATCH)
def test_a_curve_is_found_from_every_start(solver, activation):
    x = np.linspace(-2.0, 2.0, 200)[:, np.newaxis]
    y = np.sin(3.0 * x[:, 0])
    for seed in range(5):
        model = BackpropMLPRegressor(
            activation=activation, solver=solver, alpha=0.01, max_iter=300, random_state=seed
        )
        assert model.fit(x, y).score(x, y) > 0.95
