"""Dropout: what its masks do in training, and that predictions know nothing of them."""

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.datasets import load_digits, load_iris, make_multilabel_classification
from sklearn.preprocessing import scale

from backprop_mlp import BackpropMLPClassifier, check_gradient
from backprop_mlp._estimator.pose import pose_check
from backprop_mlp._network.activations import ACTIVATIONS
from backprop_mlp._network.layers import Dropout, Rows
from backprop_mlp._network.losses import SoftmaxLoss
from backprop_mlp._network.network import Network
from backprop_mlp._objective.blocks import RowBlocks

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


X, y = load_iris(return_X_y=True)
X = scale(X)
WEIGHTS = np.random.default_rng(5).integers(0, 4, len(X)).astype(float)


def classifier(**params):
    defaults = {"hidden_layer_sizes": (6, 5), "activation": "tanh", "solver": "adam"}
    defaults |= {"dropout": 0.4, "tol": 0.0, "max_iter": 5, "batch_size": 40, "random_state": 0}
    return BackpropMLPClassifier(**defaults | params)


def dropped(rate, x, seed=0):
    return Dropout(rate).forward((), x, Rows(np.ones(len(x)), np.random.default_rng(seed)))[0]


def parameters(fitted):
    return np.concatenate([theta.ravel() for theta in fitted.thetas_])


# The layer


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.8])
def test_entries_are_dropped_or_scaled_up(rate):
    x = np.random.default_rng(1).uniform(1.0, 2.0, (200, 100))
    y = dropped(rate, x)
    kept = y != 0.0
    np.testing.assert_allclose(y[kept], x[kept] / (1.0 - rate), rtol=1e-12)
    # 20,000 draws: five standard deviations.
    assert abs((1 - kept.mean()) - rate) < 5 * np.sqrt(rate * (1 - rate) / x.size)


def test_every_row_and_unit_is_dropped_on_its_own():
    kept = dropped(0.5, np.ones((400, 400))) != 0.0
    assert len(np.unique(kept, axis=0)) == len(np.unique(kept, axis=1).T) == 400
    # Neighbours agree as often as not: 160,000 pairs, five standard deviations.
    for one, other in [(kept[1:], kept[:-1]), (kept[:, 1:], kept[:, :-1])]:
        assert abs((one == other).mean() - 0.5) < 5 * 0.5 / np.sqrt(one.size)


@pytest.mark.parametrize("rate", [0.2, 0.7])
def test_the_expectation_is_the_input(rate):
    x = np.array([[-3.0, 0.5, 10.0]])
    mean = np.mean([dropped(rate, x, seed) for seed in range(4000)], axis=0)
    deviation = np.abs(x) * np.sqrt(rate / (1 - rate) / 4000)
    assert np.all(np.abs(mean - x) < 5 * deviation)


def test_the_expected_logits_of_a_linear_network_are_those_that_predict():
    network = Network.feedforward([4, 8, 3], ["identity"], SoftmaxLoss(), dropout=[0.3])
    theta = np.random.default_rng(0).normal(size=network.n_params)
    plain, plain_theta = network.folded(theta, ())
    expected, _ = plain.forward(plain.views(plain_theta), X[:5])
    draws = np.array(
        [
            network.forward(network.views(theta), X[:5], Rows(None, np.random.default_rng(seed)))[0]
            for seed in range(3000)
        ]
    )
    error = np.abs(draws.mean(axis=0) - expected)
    assert np.all(error < 5 * draws.std(axis=0) / np.sqrt(3000))


def test_a_draw_at_the_rate_is_kept():
    """Draws lie in [0, 1): just so the share of those below the rate is the rate."""

    class Draws:
        def random(self, size, dtype):
            return np.array([0.0, 0.25, 0.5, 0.75], dtype).reshape(size)

    y, _ = Dropout(0.5).forward((), np.ones((1, 4)), Rows(np.ones(1), Draws()))
    assert np.array_equal(y, [[0.0, 0.0, 2.0, 2.0]])


def test_the_precision_stays():
    assert dropped(0.3, np.ones((3, 3), np.float32)).dtype == np.float32


def test_the_derivative_passes_where_the_mask_does():
    x = np.ones((10, 10))
    layer = Dropout(0.5)
    y, cache = layer.forward((), x, Rows(np.ones(10), np.random.default_rng(0)))
    assert np.array_equal(layer.input_grad((), cache, np.ones((10, 10))), y)


# Gradients, with the mask held fixed


CASES = {
    "default": {},
    "one layer": {"hidden_layer_sizes": (9,)},
    "a rate per layer": {"dropout": [0.7, 0.2]},
    "one layer of two": {"dropout": (0.0, 0.6)},
    "much": {"dropout": 0.9},
    "softmax": {"output_activation": "softmax"},
    "alpha": {"alpha": 20.0},
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


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("random_state", range(3))
def test_gradient_check_of_every_activation(activation, random_state):
    """And of several masks."""
    network = classifier(activation=activation, random_state=1)
    check = check_gradient(network, X[::4], y[::4], random_state=random_state)
    assert check.relative_difference < 1e-7


def test_gradient_check_of_other_targets_and_many_rows():
    Z, L = make_multilabel_classification(40, 4, n_classes=3, random_state=0)
    assert check_gradient(classifier(), scale(Z), L).relative_difference < 1e-7
    assert check_gradient(classifier(), csr_matrix(X[::4]), y[::4] == 1).relative_difference < 1e-7
    # More than a block.
    X_long, y_long = np.tile(X, (10, 1)), np.tile(y, 10)
    assert check_gradient(classifier(), X_long, y_long).relative_difference < 1e-7


def test_the_check_measures_the_network_with_its_mask():
    with_mask = check_gradient(classifier(), X[::4], y[::4])
    other_mask = check_gradient(classifier(), X[::4], y[::4], random_state=1)
    without = check_gradient(classifier(dropout=0.0), X[::4], y[::4])
    assert len({with_mask.cost, other_mask.cost, without.cost}) == 3


def test_the_check_notices_a_wrong_derivative(monkeypatch):
    monkeypatch.setattr(Dropout, "input_grad", lambda layer, params, cache, dy: dy)
    check = check_gradient(classifier(), X[::4], y[::4])
    assert not check.passed
    assert check.relative_difference > 1e-3


# Rates


def rates_of(**params):
    network = classifier(**params)
    network, _ = pose_check(network, X, y, None)
    return [layer.rate for layer in network.network.layers if isinstance(layer, Dropout)]


def test_one_rate_is_that_of_every_hidden_layer():
    assert rates_of(dropout=0.3) == [0.3, 0.3]
    assert rates_of(dropout=0.3, hidden_layer_sizes=()) == []


def test_a_rate_a_layer():
    assert rates_of(dropout=[0.3, 0.1]) == [0.3, 0.1]
    assert rates_of(dropout=np.array([0.0, 0.25])) == [0.25]
    assert rates_of(dropout=(0, 0)) == []


@pytest.mark.parametrize(
    "rates",
    [[0.5], [0.5, 0.5, 0.5], [], [0.5, 1.0], [0.5, -0.1], [0.5, "x"], [0.5, np.nan]],
    ids=str,
)
def test_rates_that_do_not_fit_are_refused(rates):
    with pytest.raises(ValueError, match=r"dropout must be a number in \[0, 1\)"):
        classifier(dropout=rates).fit(X, y)


@pytest.mark.parametrize("rate", [1.0, -0.1, "much", None, np.nan], ids=str)
def test_a_rate_that_is_none_is_refused(rate):
    with pytest.raises(ValueError, match="'dropout' parameter"):
        classifier(dropout=rate).fit(X, y)


def test_no_dropout_is_no_dropout():
    zero, zeros, none = (classifier(dropout=rate).fit(X, y) for rate in (0.0, [0.0, 0.0], 0))
    assert np.array_equal(parameters(zero), parameters(zeros))
    assert np.array_equal(parameters(zero), parameters(none))


@pytest.mark.parametrize("solver", ["cg", "lbfgs", "newton-cg"])
def test_full_batch_solvers_name_those_that_take_it(solver):
    with pytest.raises(ValueError, match=r"dropout need.*'adam', 'rmsprop', 'sgd'.*got") as error:
        classifier(solver=solver).fit(X, y)
    assert f"solver={solver!r}" in str(error.value)
    with pytest.raises(ValueError, match="batch_norm and dropout need"):
        classifier(solver=solver, batch_norm=True).fit(X, y)


# Training


def test_a_seed_draws_the_same_masks():
    assert np.array_equal(parameters(classifier().fit(X, y)), parameters(classifier().fit(X, y)))
    other = classifier(random_state=1, initializer=zeros, shuffle=False).fit(X, y)
    same = classifier(random_state=0, initializer=zeros, shuffle=False).fit(X, y)
    assert not np.array_equal(parameters(other), parameters(same))


def zeros(rng, fan_in, fan_out):
    return np.full((fan_in, fan_out), 0.1)


def test_every_epoch_draws_new_masks():
    """Without steps only they can change the cost."""
    still = {"learning_rate": lambda step: 0.0, "shuffle": False}
    costs = classifier(**still).fit(X, y).loss_curve_
    assert len(set(costs)) == 5
    assert len(set(classifier(dropout=0.0, **still).fit(X, y).loss_curve_)) == 1


def test_every_batch_has_a_seed_of_its_own(monkeypatch):
    seeds = []
    block = RowBlocks.block

    def note(blocks, rows, seed=None):
        if seed is not None:
            seeds.append(seed)
        return block(blocks, rows, seed)

    monkeypatch.setattr(RowBlocks, "block", note)
    classifier(batch_size=1).fit(X, y)
    assert len(set(seeds)) == len(seeds) == 5 * len(X)


@pytest.mark.parametrize("solver", ["adam", "rmsprop", "sgd"])
def test_predictions_have_no_masks(solver):
    fitted = classifier(solver=solver).fit(X, y)
    a = X
    for W, b in zip(fitted.coefs_[:-1], fitted.intercepts_[:-1], strict=True):
        a = np.tanh(a @ W + b)
    z = a @ fitted.coefs_[-1] + fitted.intercepts_[-1]
    np.testing.assert_allclose(fitted.decision_function(X), z, rtol=1e-10, atol=1e-12)
    assert np.array_equal(fitted.predict_proba(X), fitted.predict_proba(X))
    assert fitted.cost(X, y) == fitted.cost(X, y)


def test_validation_has_no_masks():
    watched = {"X_val": X[::3], "y_val": y[::3]}
    fitted = classifier().fit(X, y, **watched)
    assert fitted.validation_scores_[-1] == fitted.score(*watched.values())


def test_it_helps_where_training_labels_are_wrong():
    """300 digits, three tenths of their labels drawn by lot."""
    X, y = load_digits(return_X_y=True)
    rng = np.random.default_rng(0)
    order = rng.permutation(len(X))
    X, y = X[order] / 16, y[order]
    noisy = np.where(rng.random(len(y)) < 0.3, rng.integers(10, size=len(y)), y)
    params = {"activation": "relu", "alpha": 0.0, "learning_rate_init": 0.01, "max_iter": 60}
    fitted = {}
    for rate in (0.0, 0.6):
        network = classifier(hidden_layer_sizes=(100,), dropout=rate, **params)
        network.set_params(n_iter_no_change=60).fit(
            X[:300], noisy[:300], X_val=X[300:600], y_val=y[300:600]
        )
        fitted[rate] = network
    scores = {rate: network.validation_scores_[-1] for rate, network in fitted.items()}
    costs = {rate: network.validation_loss_curve_[-1] for rate, network in fitted.items()}
    assert scores[0.6] > scores[0.0] + 0.05
    assert costs[0.6] < 0.8 * costs[0.0]


def test_batches_of_one_row_train():
    fitted = classifier(batch_size=1, dropout=0.8).fit(X, y, WEIGHTS)
    assert np.isfinite(fitted.loss_curve_).all()
