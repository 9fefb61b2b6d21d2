"""Transfer: another network's hidden layers, to start from or as features."""

import warnings

import numpy as np
import pytest
from keywords import MINI_BATCH, SOLVERS, read_by
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from backprop_mlp import BackpropMLPClassifier
from backprop_mlp.initializers import GlorotUniform

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


X, y = load_digits(return_X_y=True)
X = X / 16
OLD, NEW = y < 7, y >= 7
NAMES = np.array(["seven", "eight", "nine"])
NEW_TRAIN = np.flatnonzero(NEW)[:120]
NEW_TEST = np.flatnonzero(NEW)[120:]
LABELS = NAMES[(y - 7) % 3]


@pytest.fixture(scope="module")
def donor():
    """Knows the digits 0 to 6."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return BackpropMLPClassifier((40, 20), "tanh", random_state=0).fit(X[OLD], y[OLD])


def receiver(donor, classes, **params):
    """The donor's hidden layers, and a fresh output layer for other classes."""
    n_hidden = donor.coefs_[-1].shape[0]
    n_outputs = 1 if len(classes) == 2 else len(classes)
    fresh = GlorotUniform()(np.random.default_rng(0), n_hidden, n_outputs)
    return BackpropMLPClassifier.from_thetas(
        [*donor.thetas_[:-1], np.column_stack([np.zeros(n_outputs), fresh.T])],
        classes=classes,
        activation=donor.activation,
        warm_start=True,
        random_state=0,
        **params,
    )


def assert_hidden_layers_are_those_of(donor, classifier, tolerance=0.0):
    for ours, theirs in zip(classifier.thetas_[:-1], donor.thetas_[:-1], strict=True):
        assert np.abs(ours - theirs).max() <= tolerance


@pytest.mark.parametrize("solver", SOLVERS)
def test_a_network_starts_from_anothers_hidden_layers(donor, solver):
    params = read_by(solver, {"max_iter": 1, "learning_rate_init": 1e-12})
    network = receiver(donor, NAMES, solver=solver, **params)
    assert_hidden_layers_are_those_of(donor, network)
    start = network.cost(X[NEW_TRAIN], LABELS[NEW_TRAIN])
    network.fit(X[NEW_TRAIN], LABELS[NEW_TRAIN])
    assert network.classes_.tolist() == sorted(NAMES)
    assert network.n_iter_ == 1
    if solver in MINI_BATCH:
        assert_hidden_layers_are_those_of(donor, network, 1e-9)
        assert network.loss_ == pytest.approx(start, rel=1e-9)
    else:
        assert network.loss_ < start


@pytest.mark.parametrize("solver", SOLVERS)
def test_it_learns_new_classes_and_leaves_the_donor_alone(donor, solver):
    before = [theta.copy() for theta in donor.thetas_]
    # RMSprop's first steps are larger than the rate: nothing corrects its mean square's start.
    rate = 0.001 if solver == "rmsprop" else 0.01
    params = read_by(solver, {"alpha": 0.1, "learning_rate_init": rate})
    network = receiver(donor, NAMES, solver=solver, **params)
    network.fit(X[NEW_TRAIN], LABELS[NEW_TRAIN])
    assert network.score(X[NEW_TEST], LABELS[NEW_TEST]) > 0.85
    assert all(map(np.array_equal, donor.thetas_, before))
    assert set(network.predict(X[NEW_TEST])) == set(NAMES)


@pytest.mark.parametrize("solver", ["lbfgs", "adam"])
def test_a_few_iterations_lead_further_than_from_scratch(donor, solver):
    """Both without biases fitted to the rows, which a fresh start has and parameters lack."""

    def random_weights(rng, fan_in, fan_out):
        return np.vstack([np.zeros(fan_out), GlorotUniform()(rng, fan_in, fan_out)])

    params = {"solver": solver, "max_iter": 5, "learning_rate_init": 0.01, "batch_size": 10}
    params = read_by(solver, params)
    transferred = receiver(donor, NAMES, **params).fit(X[NEW_TRAIN], LABELS[NEW_TRAIN])
    scratch = BackpropMLPClassifier(
        (40, 20), "tanh", initializer=random_weights, random_state=0, **params
    )
    scratch.fit(X[NEW_TRAIN], LABELS[NEW_TRAIN])
    cost, scratch_cost = (
        network.cost(X[NEW_TEST], LABELS[NEW_TEST]) for network in (transferred, scratch)
    )
    assert cost < scratch_cost


@pytest.mark.parametrize("params", [{"batch_norm": True}, {"dropout": 0.2}], ids=str)
def test_layers_that_exist_in_training_alone_may_join_in(donor, params):
    network = receiver(
        donor, NAMES, solver="adam", alpha=0.1, learning_rate_init=0.01, max_iter=100, **params
    )
    network.fit(X[NEW_TRAIN], LABELS[NEW_TRAIN])
    assert network.score(X[NEW_TEST], LABELS[NEW_TEST]) > 0.85


def test_the_donor_may_have_been_normalised():
    """Its fitted layers are plain."""
    params = {"solver": "adam", "batch_norm": True, "learning_rate_init": 0.01, "max_iter": 30}
    donor = BackpropMLPClassifier((40, 20), "tanh", random_state=0, **params).fit(X[OLD], y[OLD])
    network = receiver(donor, NAMES)
    expected, features = (net.activations(X)[-2] for net in (donor, network))
    np.testing.assert_allclose(features, expected, rtol=1e-12)
    network.fit(X[NEW_TRAIN], LABELS[NEW_TRAIN])
    assert network.score(X[NEW_TEST], LABELS[NEW_TEST]) > 0.8


def test_two_new_classes_need_one_row(donor):
    two = NEW & (y < 9)
    network = receiver(donor, [8, 7], solver="adam", learning_rate_init=0.01).fit(X[two], y[two])
    assert network.classes_.tolist() == [7, 8]
    assert network.n_outputs_ == 1
    assert network.score(X[two], y[two]) > 0.95


def test_partial_fit_goes_on_from_them_too(donor):
    network = receiver(donor, NAMES, solver="adam", learning_rate_init=1e-12)
    network.partial_fit(X[NEW_TRAIN], LABELS[NEW_TRAIN])
    assert_hidden_layers_are_those_of(donor, network, 1e-9)


def test_single_precision_goes_on_from_them_too(donor):
    network = receiver(donor, NAMES, solver="adam", learning_rate_init=1e-12, max_iter=1)
    network.fit(X[NEW_TRAIN].astype(np.float32), LABELS[NEW_TRAIN])
    assert network.coefs_[0].dtype == np.float32
    assert_hidden_layers_are_those_of(donor, network, 1e-6)


def test_classes_that_do_not_come_are_refused(donor):
    network = receiver(donor, ["seven", "eight", "ten"])
    with pytest.raises(ValueError, match="where `y` has the same classes"):
        network.fit(X[NEW_TRAIN], LABELS[NEW_TRAIN])


# As features


def hidden_activations(X, donor):
    return donor.activations(X)[-2]


def test_hidden_activations_are_what_the_output_layer_sees(donor):
    features = hidden_activations(X, donor)
    assert features.shape == (len(X), 20)
    z = features @ donor.coefs_[-1] + donor.intercepts_[-1]
    np.testing.assert_allclose(z, donor.decision_function(X), rtol=1e-10, atol=1e-12)


def test_they_are_features_for_another_estimator(donor):
    """Frozen, the donor stays fitted where pipelines are copied."""
    pipeline = make_pipeline(
        FunctionTransformer(hidden_activations, kw_args={"donor": FrozenEstimator(donor)}),
        StandardScaler(),
        LogisticRegression(),
    )
    assert cross_val_score(pipeline, X[NEW], LABELS[NEW], cv=3).min() > 0.75
    pipeline.fit(X[NEW_TRAIN], LABELS[NEW_TRAIN])
    by_hand = make_pipeline(StandardScaler(), LogisticRegression())
    by_hand.fit(hidden_activations(X[NEW_TRAIN], donor), LABELS[NEW_TRAIN])
    expected = by_hand.predict_proba(hidden_activations(X[NEW_TEST], donor))
    np.testing.assert_allclose(pipeline.predict_proba(X[NEW_TEST]), expected, rtol=1e-9)
