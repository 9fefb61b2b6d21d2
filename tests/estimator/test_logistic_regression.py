"""Without hidden layers the network is logistic regression: scikit-learn's finds the same."""

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.preprocessing import scale

from backprop_mlp import BackpropMLPClassifier

ALPHAS = [1.0, 5.0]


def iris():
    X, y = load_iris(return_X_y=True)
    return scale(X), y


def cancer():
    X, y = load_breast_cancer(return_X_y=True)
    # Radius, texture, smoothness, compactness, concavity, symmetry: other columns are
    # nearly collinear, and their coefficients less determined than 1e-5.
    return scale(X[:, [0, 1, 4, 5, 6, 8]]), y


def network(alpha, solver="lbfgs", **params):
    return BackpropMLPClassifier(
        (),
        alpha=alpha,
        solver=solver,
        tol=1e-8,
        n_iter_no_change=20_000,
        max_iter=20_000,
        **params,
    )


def regression(alpha):
    """The same objective: scikit-learn's C is 1 / alpha, and its sum is not divided by m."""
    return LogisticRegression(C=1.0 / alpha, solver="newton-cg", tol=1e-10, max_iter=1000)


def row_weights(n_rows):
    weights = np.random.default_rng(0).integers(0, 4, n_rows).astype(float)
    return {"unweighted": None, "weighted": weights}


@pytest.mark.parametrize("solver", ["cg", "lbfgs"])
@pytest.mark.parametrize("weights", ["unweighted", "weighted"])
@pytest.mark.parametrize("alpha", ALPHAS)
def test_two_classes(alpha, weights, solver):
    X, y = cancer()
    sample_weight = row_weights(len(y))[weights]
    ours = network(alpha, solver).fit(X, y, sample_weight)
    theirs = regression(alpha).fit(X, y, sample_weight)
    assert ours.converged_
    np.testing.assert_allclose(ours.coefs_[0].T, theirs.coef_, atol=1e-5)
    np.testing.assert_allclose(ours.intercepts_[0], theirs.intercept_, atol=1e-5)
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), atol=1e-5)


@pytest.mark.parametrize("solver", ["cg", "lbfgs"])
@pytest.mark.parametrize("weights", ["unweighted", "weighted"])
@pytest.mark.parametrize("alpha", ALPHAS)
def test_softmax_is_multinomial_regression(alpha, weights, solver):
    X, y = iris()
    sample_weight = row_weights(len(y))[weights]
    ours = network(alpha, solver, output_activation="softmax").fit(X, y, sample_weight)
    theirs = regression(alpha).fit(X, y, sample_weight)
    assert ours.converged_
    np.testing.assert_allclose(ours.coefs_[0].T, theirs.coef_, atol=1e-5)
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), atol=1e-5)


@pytest.mark.parametrize("solver", ["cg", "lbfgs"])
@pytest.mark.parametrize("weights", ["unweighted", "weighted"])
@pytest.mark.parametrize("alpha", ALPHAS)
def test_logistic_outputs_are_one_regression_a_class(alpha, weights, solver):
    X, y = iris()
    sample_weight = row_weights(len(y))[weights]
    ours = network(alpha, solver).fit(X, y, sample_weight)
    assert ours.converged_
    for k in range(3):
        theirs = regression(alpha).fit(X, y == k, sample_weight)
        np.testing.assert_allclose(ours.coefs_[0][:, k], theirs.coef_[0], atol=1e-5)
        np.testing.assert_allclose(ours.intercepts_[0][k], theirs.intercept_[0], atol=1e-5)


def test_logistic_outputs_have_the_probabilities_of_one_vs_rest():
    X, y = iris()
    ours = network(0.5).fit(X, y)
    theirs = OneVsRestClassifier(regression(0.5)).fit(X, y)
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), atol=1e-5)
    np.testing.assert_array_equal(ours.predict(X), theirs.predict(X))


def test_labels_are_regressions_of_their_own():
    X, y = iris()
    labels = np.column_stack([y == 0, y > 0, X[:, 1] > 0.5]).astype(int)
    ours = network(0.5).fit(X, labels)
    theirs = OneVsRestClassifier(regression(0.5)).fit(X, labels)
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), atol=1e-5)


def test_balanced_class_weights():
    X, y = iris()
    X, y = X[20:120], y[20:120]
    ours = network(0.5, output_activation="softmax", class_weight="balanced").fit(X, y)
    theirs = regression(0.5).set_params(class_weight="balanced").fit(X, y)
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), atol=1e-5)
