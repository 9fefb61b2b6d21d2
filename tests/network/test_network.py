"""The layout of theta, and the forward and backward pass."""

import pickle
from dataclasses import FrozenInstanceError
from itertools import pairwise

import numpy as np
import pytest
import scipy.sparse as sp
from reference import gradient, logits

from backprop_mlp._network.layers import Dense
from backprop_mlp._network.losses import SigmoidLoss, SoftmaxLoss
from backprop_mlp._network.network import Network

SHAPES = {
    "no hidden layer": ((3, 2), ()),
    "one hidden layer": ((3, 4, 2), ("logistic",)),
    "three hidden layers": ((3, 5, 4, 2, 3), ("tanh", "relu", "leaky_relu")),
    "linear layers": ((2, 3, 3, 1), ("identity", "identity")),
}


@pytest.fixture(params=SHAPES, ids=SHAPES)
def shape(request):
    return SHAPES[request.param]


def parameters(sizes, seed=0):
    """Random matrices and biases, layer by layer."""
    rng = np.random.default_rng(seed)
    pairs = list(pairwise(sizes))
    return [rng.normal(size=pair) for pair in pairs], [rng.normal(size=n) for _, n in pairs]


def test_theta_holds_all_weights_first_then_all_biases():
    network = Network.feedforward((3, 4, 2), ("relu",), SigmoidLoss())
    assert network.n_weights == 3 * 4 + 4 * 2
    assert network.n_params == network.n_weights + 4 + 2
    (W1, b1), (W2, b2) = network.dense_views(np.arange(network.n_params))
    # Unit by unit: a unit's weights are neighbours.
    np.testing.assert_array_equal(W1, np.arange(12).reshape(4, 3).T)
    np.testing.assert_array_equal(W2, np.arange(12, 20).reshape(2, 4).T)
    np.testing.assert_array_equal(b1, np.arange(20, 24))
    np.testing.assert_array_equal(b2, np.arange(24, 26))


def test_views_are_views_and_cover_theta_once(shape):
    network = Network.feedforward(*shape, SigmoidLoss())
    theta = np.zeros(network.n_params)
    for W, b in network.dense_views(theta):
        W += 1.0
        b += 1.0
    np.testing.assert_array_equal(theta, 1.0)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_views_keep_the_precision_of_theta(dtype):
    network = Network.feedforward((3, 2), (), SigmoidLoss())
    views = network.views(np.zeros(network.n_params, dtype))
    assert {array.dtype for array in views[0]} == {np.dtype(dtype)}


def test_pack_is_the_inverse_of_the_views(shape):
    sizes, _ = shape
    network = Network.feedforward(*shape, SigmoidLoss())
    coefs, intercepts = parameters(sizes)
    theta = network.pack(coefs, intercepts)
    assert theta.dtype == np.float64
    for (W, b), coef, intercept in zip(network.dense_views(theta), coefs, intercepts, strict=True):
        np.testing.assert_array_equal(W, coef)
        np.testing.assert_array_equal(b, intercept)


@pytest.mark.parametrize(
    ("activations", "options"),
    [((), {}), (("tanh",), {}), (("tanh",) * 3, {}), (("tanh", "relu"), {"dropout": [0.5]})],
    ids=str,
)
def test_a_network_needs_an_activation_and_a_rate_for_each_hidden_layer(activations, options):
    with pytest.raises(ValueError, match="zip"):
        Network.feedforward((3, 4, 4, 2), activations, SigmoidLoss(), **options)


def test_pack_needs_a_matrix_and_biases_for_each_dense_layer(shape):
    network = Network.feedforward(*shape, SigmoidLoss())
    coefs, intercepts = parameters(shape[0])
    for given in [(coefs[:-1], intercepts), (coefs, intercepts[:-1]), (coefs * 2, intercepts * 2)]:
        with pytest.raises(ValueError, match="zip"):
            network.pack(*given)


def test_layers_without_parameters_have_empty_views():
    network = Network.feedforward((3, 4, 2), ("relu",), SigmoidLoss())
    views = network.views(np.zeros(network.n_params))
    assert [len(params) for params in views] == [2, 0, 2]
    assert len(network.dense_views(np.zeros(network.n_params))) == 2


@pytest.mark.parametrize("container", [np.asarray, sp.csr_matrix, sp.csr_array])
def test_forward_gives_the_logits_of_the_formula(shape, container):
    sizes, activations = shape
    network = Network.feedforward(sizes, activations, SigmoidLoss())
    coefs, intercepts = parameters(sizes)
    X = np.random.default_rng(1).normal(size=(6, sizes[0]))
    z, _ = network.forward(network.views(network.pack(coefs, intercepts)), container(X))
    assert isinstance(z, np.ndarray)
    np.testing.assert_allclose(z, logits(coefs, intercepts, activations, X), rtol=1e-12)


@pytest.mark.parametrize("container", [np.asarray, sp.csr_matrix, sp.csr_array])
@pytest.mark.parametrize("loss", [SigmoidLoss(), SoftmaxLoss()], ids=lambda loss: loss.name)
def test_backward_gives_the_gradient_of_the_loss(shape, loss, container):
    sizes, activations = shape
    network = Network.feedforward(sizes, activations, loss)
    coefs, intercepts = parameters(sizes)
    rng = np.random.default_rng(1)
    X = rng.normal(size=(6, sizes[0]))
    Y = np.eye(sizes[-1])[rng.integers(sizes[-1], size=6)]
    ones = np.ones(6)

    params = network.views(network.pack(coefs, intercepts))
    # Whatever was in the gradient vector before must be overwritten.
    grad = np.full(network.n_params, np.nan)
    z, caches = network.forward(params, container(X))
    network.backward(params, network.views(grad), caches, loss.value_and_delta(z, Y, ones)[1])

    expected = gradient(coefs, intercepts, activations, loss.output_activation, X, Y, ones, 0.0)
    np.testing.assert_allclose(grad, 6.0 * network.pack(*expected), rtol=1e-11, atol=1e-14)


@pytest.mark.parametrize("n_out", [2, 5, 9])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("storage", [np.ascontiguousarray, np.asfortranarray, sp.csr_matrix])
def test_a_dense_layer_gives_its_outputs_column_by_column(storage, dtype, n_out):
    """Whichever way round the product is computed."""
    rng = np.random.default_rng(0)
    layer = Dense(5, n_out)
    x, theta, b = (
        rng.integers(-9, 9, size=size).astype(dtype) for size in ((7, 5), n_out * 5, n_out)
    )
    params = layer.views(theta, b)
    y, _ = layer.forward(params, storage(x), None)
    # Whole numbers this small are exact in both precisions.
    np.testing.assert_array_equal(y, x @ params[0] + b)
    assert y.dtype == dtype
    assert y.flags.f_contiguous


def test_neither_inputs_nor_parameters_are_changed(shape):
    sizes, activations = shape
    loss = SigmoidLoss()
    network = Network.feedforward(sizes, activations, loss)
    theta = network.pack(*parameters(sizes))
    X = np.random.default_rng(1).normal(size=(6, sizes[0]))
    for array in (theta, X):
        array.setflags(write=False)
    z, caches = network.forward(network.views(theta), X)
    delta = loss.value_and_delta(z, np.zeros_like(z), np.ones(6))[1]
    network.backward(network.views(theta), network.views(np.empty_like(theta)), caches, delta)


def test_rows_do_not_see_each_other(shape):
    sizes, activations = shape
    network = Network.feedforward(sizes, activations, SigmoidLoss())
    params = network.views(network.pack(*parameters(sizes)))
    X = np.random.default_rng(1).normal(size=(6, sizes[0]))
    together, _ = network.forward(params, X)
    for index in range(6):
        alone, _ = network.forward(params, X[[index]])
        np.testing.assert_allclose(alone[0], together[index], rtol=1e-12)


def test_networks_are_immutable_values(shape):
    network = Network.feedforward(*shape, SigmoidLoss())
    assert network == Network.feedforward(*shape, SigmoidLoss())
    assert network != Network.feedforward(*shape, SoftmaxLoss())
    with pytest.raises(FrozenInstanceError):
        network.layers = ()
    copy = pickle.loads(pickle.dumps(network))
    assert copy == network
    assert copy.n_params == network.n_params
