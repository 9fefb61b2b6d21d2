"""The fitted network: the inner interface of a fitted estimator."""

import copy
import pickle
from dataclasses import dataclass

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.datasets import load_digits
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from backprop_mlp import (
    BackpropMLPClassifier,
    BackpropMLPClassifierCV,
    LossCurveDisplay,
    check_gradient,
    learning_rate_range_test,
)
from backprop_mlp._estimator.fitted import fitted_network
from backprop_mlp._network.losses import SigmoidLoss
from backprop_mlp._targets.exclusive import ExclusiveClasses

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, y = load_digits(return_X_y=True)
X = X / 16.0


@pytest.fixture(scope="module", params=[np.float32, np.float64])
def classifier(request):
    return BackpropMLPClassifier((9, 7), "tanh", max_iter=5, random_state=0).fit(
        X.astype(request.param), y
    )


def test_its_logits_are_those_of_the_decision_function(classifier):
    # BLAS may round otherwise in two threads, and predictions take one.
    with threadpool_limits(1, user_api="blas"):
        logits = fitted_network(classifier).logits(X)
    np.testing.assert_array_equal(logits, classifier.decision_function(X))


@pytest.mark.parametrize("n_rows", [1, 2, 300, 6000])
@pytest.mark.parametrize("container", [np.asarray, csr_matrix])
def test_functions_of_rows_are_mapped_block_by_block(classifier, container, n_rows):
    rows = container(np.resize(X, (n_rows, 64)))
    fitted = fitted_network(classifier)
    found = fitted.map_rows(rows, lambda z: z.max(axis=1))
    np.testing.assert_allclose(found, fitted.logits(rows).max(axis=1), rtol=1e-5)


def test_it_has_the_current_parameters(classifier):
    changed = copy.deepcopy(classifier)
    changed.coefs_[0][:] = 0.0
    fitted = fitted_network(changed)
    assert np.all(fitted.theta()[: 64 * 9] == 0.0)
    assert fitted.dense[0][0] is changed.coefs_[0]


def test_its_activations_begin_with_the_rows_and_end_with_the_outputs(classifier):
    fitted = fitted_network(classifier)
    layers = fitted.activations(X)
    assert [layer.shape[1] for layer in layers] == [64, 9, 7, 10]
    assert fitted.activation_names == ["tanh", "tanh", "logistic"]


def test_without_a_fit_there_is_none():
    with pytest.raises(NotFittedError):
        fitted_network(BackpropMLPClassifier())


@dataclass(frozen=True)
class Tempered(SigmoidLoss):
    """A loss with a parameter: probabilities at another temperature."""

    temperature: float = 1.0

    def proba(self, z):
        return super().proba(z / self.temperature)


def test_a_loss_with_parameters_is_kept(monkeypatch):
    """Nothing rebuilds it from a name; today's losses leave no trace in a file."""
    monkeypatch.setattr(ExclusiveClasses, "choose_loss", lambda targets, outputs: Tempered(3.0))
    tempered = BackpropMLPClassifier(5, "tanh", max_iter=3, random_state=0).fit(X, y > 4)
    monkeypatch.undo()
    for kept in (tempered, pickle.loads(pickle.dumps(tempered)), copy.deepcopy(tempered)):
        assert fitted_network(kept).network.loss == Tempered(3.0)
        outputs = kept.activations(X)[-1]
        np.testing.assert_allclose(
            outputs[:, 0], 1.0 / (1.0 + np.exp(-kept.decision_function(X) / 3.0))
        )
    plain = BackpropMLPClassifier(5, "tanh", max_iter=3, random_state=0).fit(X, y > 4)
    assert "_loss" in tempered.__getstate__()
    assert "_loss" not in plain.__getstate__()


@pytest.mark.parametrize(
    "use",
    [LossCurveDisplay.from_estimator, check_gradient, learning_rate_range_test],
    ids=lambda use: use.__qualname__,
)
@pytest.mark.parametrize(
    ("refit", "place"), [(True, "its best_estimator_"), ("folds", "one of its estimators_")]
)
def test_of_a_search_its_network_is_asked_for(use, refit, place):
    network = BackpropMLPClassifier(3, max_iter=2)
    search = BackpropMLPClassifierCV(network, alphas=[1.0], cv=2, refit=refit).fit(X[:40], y[:40])
    rows = () if use == LossCurveDisplay.from_estimator else (X, y)
    with pytest.raises(TypeError, match=rf"got BackpropMLPClassifierCV\((.|\n)*Give {place}"):
        use(search, *rows)


@pytest.mark.parametrize("use", [check_gradient, learning_rate_range_test])
def test_of_a_pipeline_its_last_step_is_asked_for(use):
    """Whose X is that of the steps before."""
    model = make_pipeline(StandardScaler(), BackpropMLPClassifier(3, solver="adam"))
    with pytest.raises(TypeError, match=r"got Pipeline\((.|\n)*Give its last step, and X as"):
        use(model, X, y)
