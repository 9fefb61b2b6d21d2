"""Batch normalisation: its derivatives, its moments, and how it is folded away."""

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.datasets import load_digits, load_iris, make_multilabel_classification
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import scale

from backprop_mlp import BackpropMLPClassifier, check_gradient
from backprop_mlp._estimator.fitted import fitted_network
from backprop_mlp._network.activations import ACTIVATIONS
from backprop_mlp._network.layers import BatchMoments, BatchNorm, Dense, Rows
from backprop_mlp._network.losses import SigmoidLoss, SoftmaxLoss
from backprop_mlp._network.network import Network
from backprop_mlp._objective.blocks import RowBlocks
from backprop_mlp._objective.objective import Objective, block_pass
from backprop_mlp._solvers.mini_batch import MOMENTS_DECAY, running_moments

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


X, y = load_iris(return_X_y=True)
X = scale(X)
WEIGHTS = np.random.default_rng(5).integers(0, 4, len(X)).astype(float)


def classifier(**params):
    defaults = {"hidden_layer_sizes": (5, 4), "activation": "tanh", "solver": "adam"}
    defaults |= {"batch_norm": True, "tol": 0.0, "max_iter": 5, "random_state": 0}
    return BackpropMLPClassifier(**defaults | params)


def training_network(activations=("tanh", "relu"), seed=0, dtype=np.float64):
    """A network with two batch normalisations at random parameters."""
    network = Network.feedforward([4, 7, 5, 3], activations, SoftmaxLoss(), batch_norm=True)
    theta = np.random.default_rng(seed).normal(size=network.n_params).astype(dtype)
    return network, theta


def rows_of(weights):
    return Rows(np.asarray(weights, dtype=float), None)


# The layer


def test_outputs_are_standardised_scaled_and_shifted():
    x, weights = X * 3 + 10, WEIGHTS
    gamma, beta = np.array([1.0, 2.0, -0.5, 0.0]), np.array([0.0, 1.0, 5.0, -3.0])
    y, _ = BatchNorm(4).forward((gamma, beta), x, rows_of(weights))
    mean = np.average(x, axis=0, weights=weights)
    var = np.average((x - mean) ** 2, axis=0, weights=weights)
    np.testing.assert_allclose(y, gamma * (x - mean) / np.sqrt(var + 1e-5) + beta, rtol=1e-12)


def test_a_row_of_weight_zero_is_no_row():
    """Neither for the others' outputs and gradients nor for the moments."""
    network, theta = training_network()
    keep = WEIGHTS > 0
    problem = [
        RowBlocks(X[rows], y[rows], WEIGHTS[rows], one_hot, len(X)).block(slice(None))
        for rows in (slice(None), keep)
    ]
    (value, grad, moments), (value_kept, grad_kept, moments_kept) = (
        block_pass(network, theta, block) for block in problem
    )
    assert value == pytest.approx(value_kept, rel=1e-12)
    np.testing.assert_allclose(grad, grad_kept, rtol=1e-9, atol=1e-11)
    for ours, theirs in zip(moments, moments_kept, strict=True):
        np.testing.assert_allclose(ours.mean, theirs.mean, rtol=1e-10, atol=1e-12)
        np.testing.assert_allclose(ours.var, theirs.var, rtol=1e-10)


def one_hot(codes, dtype):
    return np.eye(3, dtype=dtype)[codes]


def test_weights_count_as_repetitions():
    network, theta = training_network()
    repeat = WEIGHTS.astype(int)
    weighted = RowBlocks(X, y, WEIGHTS, one_hot, len(X)).block(slice(None))
    repeated = RowBlocks(
        X.repeat(repeat, axis=0), y.repeat(repeat), np.ones(repeat.sum()), one_hot, len(X)
    ).block(slice(None))
    value, grad, _ = block_pass(network, theta, weighted)
    value_repeated, grad_repeated, _ = block_pass(network, theta, repeated)
    assert value == pytest.approx(value_repeated, rel=1e-12)
    np.testing.assert_allclose(grad, grad_repeated, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("weights", [[1.0], [3.0], [0.0, 2.0, 0.0]], ids=str)
def test_a_batch_of_one_row_gives_its_shift(weights):
    x = X[: len(weights)] * 100
    gamma, beta = np.full(4, 2.0), np.array([0.0, 1.0, 5.0, -3.0])
    y, cache = BatchNorm(4).forward((gamma, beta), x, rows_of(weights))
    row = int(np.argmax(weights))
    assert np.array_equal(y[row], beta)
    # Its input has nothing to say about the loss, which rows without weight do not feel.
    dy = np.where(np.array(weights)[:, np.newaxis] > 0, np.ones_like(y), 0.0)
    dx = BatchNorm(4).input_grad((gamma, beta), cache, dy)
    np.testing.assert_allclose(dx[row], 0.0, atol=1e-9)


def test_a_batch_without_weight_passes_through():
    gamma, beta = np.full(4, 2.0), np.array([0.0, 1.0, 5.0, -3.0])
    y, (*_, moments) = BatchNorm(4).forward((gamma, beta), X[:6], rows_of(np.zeros(6)))
    np.testing.assert_allclose(y, 2.0 * X[:6] / np.sqrt(1 + 1e-5) + beta, rtol=1e-12)
    assert moments.weight == 0.0


@pytest.mark.parametrize("weight", [0.0, 1.0])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_precision_of_the_layer_is_that_of_its_inputs(dtype, weight):
    layer, params = BatchNorm(4), (np.ones(4, dtype), np.zeros(4, dtype))
    y, cache = layer.forward(params, X[:6].astype(dtype), rows_of(np.full(6, weight)))
    *_, moments = cache
    dx = layer.input_grad(params, cache, np.ones((6, 4), dtype))
    assert {a.dtype for a in (y, dx, moments.mean, moments.var)} == {np.dtype(dtype)}


def test_constant_inputs_are_no_division_by_zero():
    x = np.ones((10, 4))
    y, cache = BatchNorm(4).forward((np.ones(4), np.zeros(4)), x, rows_of(np.ones(10)))
    assert np.array_equal(y, np.zeros((10, 4)))
    assert np.isfinite(BatchNorm(4).input_grad((np.ones(4), np.zeros(4)), cache, x)).all()


# Running moments


def batch(value, weight=1.0):
    return [BatchMoments(np.full(2, value), np.full(2, 10 * value), weight)]


def test_the_first_running_moments_are_plain_means():
    running = [BatchMoments(np.zeros(2), np.ones(2), 0.0)]
    values = [3.0, 5.0, 1.0, 7.0]
    for count, value in enumerate(values, start=1):
        running = running_moments(running, batch(value))
        np.testing.assert_allclose(running[0].mean, np.mean(values[:count]))
        np.testing.assert_allclose(running[0].var, 10 * np.mean(values[:count]))


def test_later_ones_forget_the_past_exponentially():
    running = [BatchMoments(np.full(2, 4.0), np.full(2, 40.0), 1000.0)]
    for _ in range(3):
        running = running_moments(running, batch(1.0))
    np.testing.assert_allclose(running[0].mean, 1.0 + 3.0 * MOMENTS_DECAY**3)
    np.testing.assert_allclose(running[0].var, 10.0 + 30.0 * MOMENTS_DECAY**3)


def test_a_batch_without_weight_leaves_them_alone():
    running = [BatchMoments(np.full(2, 4.0), np.full(2, 40.0), 3.0)]
    assert running_moments(running, batch(1e6, weight=0.0)) == running


def test_the_precision_stays():
    running = [BatchMoments(np.zeros(2, np.float32), np.ones(2, np.float32), 0.0)]
    new = [BatchMoments(np.ones(2, np.float32), np.ones(2, np.float32), 2.0)]
    after = running_moments(running, new)[0]
    assert after.mean.dtype == after.var.dtype == np.float32


# Gradients


CASES = {
    "default": {},
    "one layer": {"hidden_layer_sizes": (6,)},
    "deep": {"hidden_layer_sizes": (5, 4, 4, 5)},
    "softmax": {"output_activation": "softmax"},
    "alpha": {"alpha": 20.0},
    "no alpha": {"alpha": 0.0},
    "dropout": {"dropout": 0.4},
    "dropout per layer": {"dropout": [0.0, 0.6]},
    "activations per layer": {"activation": ["leaky_relu", "logistic"]},
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["unweighted", "weighted"])
@pytest.mark.parametrize("fitted", [False, True])
def test_gradient_check(case, weights, fitted):
    network = classifier(**CASES[case])
    if fitted:
        network.fit(X, y, weights)
    check = check_gradient(network, X[::4], y[::4], weights if weights is None else weights[::4])
    assert check.relative_difference < 1e-7
    assert any("gamma" in name for name in check.names)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("random_state", range(3))
def test_gradient_check_of_every_activation(activation, random_state):
    network = classifier(activation=activation, random_state=random_state)
    assert check_gradient(network, X[::4], y[::4]).relative_difference < 1e-7


def test_gradient_check_of_other_targets():
    Z, L = make_multilabel_classification(40, 4, n_classes=3, random_state=0)
    assert check_gradient(classifier(), scale(Z), L).relative_difference < 1e-7
    assert check_gradient(classifier(), csr_matrix(X[::4]), y[::4] == 1).relative_difference < 1e-7


def test_gradient_check_of_a_batch_with_hardly_any_rows():
    """One row of weight; the moments of two."""
    weights = np.zeros(6)
    weights[3] = 2.0
    # Normalised, a single row is zero: what lies before it has no gradient to compare.
    check = check_gradient(classifier(), X[:6], y[:6] * 0 + [0, 1, 2] * 2, weights)
    assert check.passed is None
    hidden = {"coefs_[0]", "coefs_[1]", "gamma of layer 1", "gamma of layer 4", "beta of layer 1"}
    assert {block.name for block in check.blocks if block.passed is None} == hidden
    # Of two rows one is always normalised to nearly the same as the other, but for the sign.
    assert check_gradient(classifier(), X[::75], y[::75], [1.0, 2.0]).passed is not False


@pytest.mark.parametrize(
    "broken",
    [
        lambda gamma, share, xhat, std, dy: gamma * dy * std,
        lambda gamma, share, xhat, std, dy: (
            gamma * std * (dy - share[:, np.newaxis] * dy.sum(axis=0))
        ),
    ],
    ids=["moments held fixed", "variance held fixed"],
)
def test_the_check_notices_a_wrong_derivative(monkeypatch, broken):
    def input_grad(layer, params, cache, dy):
        xhat, inverse_std, share, _ = cache
        return broken(params[0], share, xhat, inverse_std, dy)

    monkeypatch.setattr(BatchNorm, "input_grad", input_grad)
    check = check_gradient(classifier(), X[::4], y[::4])
    assert not check.passed
    assert check.relative_difference > 1e-3


def test_scale_and_shift_are_not_penalised():
    network, theta = training_network()
    blocks = RowBlocks(X, y, np.ones(len(X)), one_hot, len(X))
    grads = [Objective(network, blocks, alpha).value_and_grad(theta) for alpha in (0.0, 30.0)]
    (cost, grad), (cost_penalised, grad_penalised) = grads
    weights = theta[: network.n_weights]
    assert cost_penalised - cost == pytest.approx(30.0 / (2 * len(X)) * weights @ weights)
    assert np.array_equal(grad[network.n_weights :], grad_penalised[network.n_weights :])
    expected = 30.0 / len(X) * weights
    np.testing.assert_allclose((grad_penalised - grad)[: network.n_weights], expected, rtol=1e-9)


# Invariances of training


def test_the_biases_before_it_do_nothing():
    network, theta = training_network()
    block = RowBlocks(X, y, WEIGHTS, one_hot, len(X)).block(slice(None))
    value, grad, _ = block_pass(network, theta, block)
    for _, b_grad in network.dense_views(grad)[:-1]:
        np.testing.assert_allclose(b_grad, 0.0, atol=1e-10)
    moved = theta.copy()
    for _, b in network.dense_views(moved)[:-1]:
        b += 7.0
    assert block_pass(network, moved, block)[0] == pytest.approx(value, rel=1e-10)


def test_the_scale_of_the_weights_before_it_does_nothing_but_for_epsilon():
    network, theta = training_network()
    block = RowBlocks(X, y, WEIGHTS, one_hot, len(X)).block(slice(None))
    larger = theta.copy()
    for W, _ in network.dense_views(larger)[:-1]:
        W *= 100.0
    value, larger_value = (block_pass(network, t, block)[0] for t in (theta, larger))
    assert larger_value == pytest.approx(value, rel=1e-4)


@pytest.mark.parametrize("batch_size", [150, 40])
def test_training_does_not_depend_on_units_of_measurement(batch_size):
    """Adam's steps do not either: shifted inputs train as the original ones."""
    params = {"batch_size": batch_size, "alpha": 0.0, "learning_rate_init": 0.01}
    original = classifier(**params).fit(X, y)
    shifted = classifier(**params).fit(X + 5.0, y)
    np.testing.assert_allclose(shifted.loss_curve_, original.loss_curve_, rtol=1e-6)


# Folding


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("weights", [np.ones(len(X)), WEIGHTS], ids=["unweighted", "weighted"])
def test_folding_a_batchs_own_moments_gives_the_training_networks_outputs(activation, weights):
    for seed in range(5):
        network, theta = training_network([activation] * 2, seed)
        z, caches = network.forward(network.views(theta), X, rows_of(weights))
        plain, plain_theta = network.folded(theta, network.moments(caches))
        plain_z, _ = plain.forward(plain.views(plain_theta), X)
        assert plain.row_wise
        assert not plain.training_only
        np.testing.assert_allclose(plain_z, z, rtol=1e-12, atol=1e-12 * np.abs(z).max())


def test_folding_in_single_precision():
    network, theta = training_network(dtype=np.float32)
    X32 = X.astype(np.float32)
    z, caches = network.forward(network.views(theta), X32, rows_of(np.ones(len(X))))
    plain, plain_theta = network.folded(theta, network.moments(caches))
    assert plain_theta.dtype == np.float32
    plain_z, _ = plain.forward(plain.views(plain_theta), X32)
    np.testing.assert_allclose(plain_z, z, rtol=1e-4, atol=1e-5 * np.abs(z).max())


def test_folding_a_plain_network_leaves_it_as_it_is():
    network = Network.feedforward([4, 5, 3], ["tanh"], SigmoidLoss())
    theta = np.random.default_rng(0).normal(size=network.n_params)
    plain, plain_theta = network.folded(theta, ())
    assert plain == network
    assert np.array_equal(plain_theta, theta)


@pytest.mark.parametrize("sample_weight", [None, WEIGHTS], ids=["unweighted", "weighted"])
def test_a_fit_folds_the_moments_of_its_batches(sample_weight):
    """Without steps the moments are those of all rows."""
    params = {"batch_size": len(X), "learning_rate": lambda step: 0.0, "alpha": 0.0}
    fitted = classifier(**params).fit(X, y, sample_weight)
    assert fitted.cost(X, y, sample_weight) == pytest.approx(fitted.loss_, rel=1e-12)


def test_the_fitted_network_is_plain():
    fitted = classifier().fit(X, y)
    assert [coef.shape for coef in fitted.coefs_] == [(4, 5), (5, 4), (4, 3)]
    a = X
    for W, b in zip(fitted.coefs_[:-1], fitted.intercepts_[:-1], strict=True):
        a = np.tanh(a @ W + b)
    z = a @ fitted.coefs_[-1] + fitted.intercepts_[-1]
    np.testing.assert_allclose(fitted.decision_function(X), z, rtol=1e-10, atol=1e-12)
    for layer in fitted_network(fitted).network.layers:
        assert not isinstance(layer, BatchNorm)
    assert sum(isinstance(layer, Dense) for layer in fitted_network(fitted).network.layers) == 3


def test_a_rows_prediction_does_not_depend_on_the_others():
    fitted = classifier().fit(X, y)
    alone = np.vstack([fitted.decision_function(X[[row]]) for row in range(len(X))])
    np.testing.assert_allclose(alone, fitted.decision_function(X), rtol=1e-12, atol=1e-14)


# The classifier


@pytest.mark.parametrize("solver", ["adam", "rmsprop", "sgd"])
def test_weights_equal_repeated_rows_in_training(solver):
    repeat = WEIGHTS.astype(int)
    params = {"solver": solver, "batch_size": 10**6, "learning_rate_init": 0.01, "max_iter": 10}
    weighted = classifier(**params).fit(X, y, WEIGHTS)
    repeated = classifier(**params).fit(X.repeat(repeat, axis=0), y.repeat(repeat))
    proba, proba_repeated = weighted.predict_proba(X), repeated.predict_proba(X)
    np.testing.assert_allclose(proba, proba_repeated, rtol=1e-7)


@pytest.mark.parametrize("solver", ["adam", "rmsprop", "sgd"])
@pytest.mark.parametrize("batch_size", [1, 7, 40, 150])
def test_batches_of_any_size_train(solver, batch_size):
    fitted = classifier(solver=solver, batch_size=batch_size).fit(X, y, WEIGHTS)
    assert np.isfinite(fitted.loss_curve_).all()
    assert np.isfinite(fitted.predict_proba(X)).all()


def test_without_hidden_layers_there_is_nothing_to_normalise():
    with_norm = classifier(hidden_layer_sizes=()).fit(X, y)
    without = classifier(hidden_layer_sizes=(), batch_norm=False).fit(X, y)
    assert np.array_equal(with_norm.coefs_[0], without.coefs_[0])
    lbfgs = classifier(hidden_layer_sizes=(), solver="lbfgs").fit(X, y)
    assert lbfgs.loss_ < with_norm.loss_


@pytest.mark.parametrize("solver", ["cg", "lbfgs", "newton-cg"])
def test_full_batch_solvers_name_those_that_take_it(solver):
    with pytest.raises(
        ValueError, match=r"batch_norm need.*'adam', 'rmsprop', 'sgd'.*got"
    ) as error:
        classifier(solver=solver).fit(X, y)
    assert f"solver={solver!r}" in str(error.value)


@pytest.mark.parametrize("X_scale", [1e-3, 1e3])
def test_it_learns_where_the_inputs_are_badly_scaled(X_scale):
    params = {"max_iter": 60, "learning_rate_init": 0.02, "alpha": 0.0, "batch_size": 50}
    assert classifier(**params).fit(X * X_scale, y).score(X * X_scale, y) > 0.95


def test_it_learns_more_at_equal_rates_in_a_deep_network():
    params = {"hidden_layer_sizes": (8,) * 8, "activation": "logistic", "max_iter": 60}
    params |= {"learning_rate_init": 0.01, "batch_size": 50}
    with_norm = classifier(**params).fit(X, y)
    without = classifier(**params, batch_norm=False).fit(X, y)
    assert with_norm.score(X, y) > 0.9
    assert without.score(X, y) < 0.5


@pytest.mark.slow
@pytest.mark.parametrize(
    "params", [{}, {"batch_norm": True, "dropout": 0.3}], ids=["plain", "batch norm and dropout"]
)
def test_the_lectures_experiment(params):
    """Zeros against ones: a network of 32 and 16 relu units, 1,000 epochs of Adam."""
    X, y = load_digits(n_class=2, return_X_y=True)
    parts = train_test_split(X / 16, y, test_size=0.2, stratify=y, random_state=0)
    X_train, X_test, y_train, y_test = parts
    assert len(X_test) == 72
    fitted = BackpropMLPClassifier(
        (32, 16),
        "relu",
        solver="adam",
        max_iter=1000,
        tol=0.0,
        n_iter_no_change=1000,
        random_state=0,
        **params,
    ).fit(X_train, y_train)
    assert fitted.n_iter_ == 1000
    errors = int((fitted.predict(X_test) != y_test).sum())
    print(f"{errors} of 72 test rows are wrong")
    assert errors <= 1
