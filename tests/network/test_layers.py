"""What layers and losses declare is all that a network knows of them."""

from dataclasses import dataclass

import numpy as np
import pytest

from backprop_mlp._network.activations import ACTIVATIONS
from backprop_mlp._network.layers import BatchNorm, Dense, Dropout, Elementwise, Rows
from backprop_mlp._network.losses import Loss, SigmoidLoss
from backprop_mlp._network.network import Network, plain_network

RNG = np.random.default_rng(0)


@dataclass(frozen=True)
class Scale:
    """A training-only layer with a parameter of its own: y = s x, drawn noise, not by row."""

    n_weights = 0
    n_free = 1
    training_only = "scaling"
    row_wise = False
    random = True
    has_moments = False

    def views(self, weights, free):
        return (free,)

    def write_blank(self, params):
        params[0][:] = 2.0

    def forward(self, params, x, rows):
        return params[0] * x, x

    def write_param_grad(self, grads, cache, dy):
        grads[0][:] = (cache * dy).sum()

    def input_grad(self, params, cache, dy):
        return dy

    def fold(self, params, moments, folded):
        dense, (W, b) = folded.pop()
        folded.append((dense, (W * params[0], b * params[0])))


LAYERS = [Dense(3, 2), Elementwise(ACTIVATIONS["tanh"]), BatchNorm(2), Dropout(0.5), Scale()]


def network(*layers):
    return Network((Dense(3, 2), *layers, Dense(2, 1)), SigmoidLoss())


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: type(layer).__name__)
def test_a_network_has_the_capabilities_of_its_layers(layer):
    alone = network() if layer == Dense(3, 2) else network(layer)
    assert alone.row_wise == layer.row_wise
    assert alone.random == layer.random
    assert alone.training_only == ((layer.training_only,) if layer.training_only else ())
    both = network(BatchNorm(2), Dropout(0.5), Scale(), Dropout(0.1))
    assert both.training_only == ("batch_norm", "dropout", "scaling")


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: type(layer).__name__)
def test_views_cover_the_parameters_that_a_layer_declares(layer):
    weights, free = np.zeros(layer.n_weights), np.zeros(layer.n_free)
    for view in layer.views(weights, free):
        view += 1.0
    assert np.all(weights == 1.0)
    assert np.all(free == 1.0)


@pytest.mark.parametrize("layer", LAYERS[2:], ids=lambda layer: type(layer).__name__)
def test_a_layer_of_training_alone_folds_into_a_network_that_predicts_the_same(layer):
    trained = network(layer, Elementwise(ACTIVATIONS["tanh"]))
    theta = trained.blank() + RNG.normal(size=trained.n_params)
    moments = []
    X = RNG.normal(size=(20, 3))
    if layer.has_moments:
        _, caches = trained.forward(trained.views(theta), X, Rows(np.ones(20), None))
        moments = trained.moments(caches)
        expected, _ = trained.forward(trained.views(theta), X, Rows(np.ones(20), None))
    elif layer == Scale():
        expected, _ = trained.forward(trained.views(theta), X)
    else:
        without = network(Elementwise(ACTIVATIONS["tanh"]))
        expected, _ = without.forward(without.views(theta), X)
    plain, folded = trained.folded(theta, moments)
    assert plain == network(Elementwise(ACTIVATIONS["tanh"]))
    assert plain.training_only == ()
    np.testing.assert_allclose(plain.forward(plain.views(folded), X)[0], expected, rtol=1e-12)


def test_plain_layers_fold_into_themselves():
    plain = network(Elementwise(ACTIVATIONS["relu"]))
    theta = RNG.normal(size=plain.n_params)
    again, folded = plain.folded(theta, [])
    assert again == plain
    np.testing.assert_array_equal(folded, theta)


@dataclass(frozen=True)
class Confident(SigmoidLoss):
    """A loss with a parameter: binary cross-entropy of logits times a number."""

    factor: float = 1.0

    def value(self, z, Y, w):
        return super().value(self.factor * z, Y, w)

    def value_and_delta(self, z, Y, w):
        value, delta = super().value_and_delta(self.factor * z, Y, w)
        return value, self.factor * delta


def test_a_network_is_kept_by_its_loss_not_by_the_losss_name():
    losses: list[Loss] = [SigmoidLoss(), Confident(2.0), Confident(3.0), Confident(2.0)]
    networks = [plain_network((3, 1), (), loss) for loss in losses]
    assert [plain.loss for plain in networks] == losses
    assert networks[1] is networks[3]
    assert networks[1] != networks[2]
