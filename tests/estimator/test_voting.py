"""Votes of searches: what they say of rows, and what is said of them."""

import numpy as np
import pytest
import sklearn
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.dummy import DummyRegressor
from sklearn.exceptions import DataConversionWarning, NotFittedError
from sklearn.metrics import log_loss, mean_pinball_loss
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.tree import DecisionTreeClassifier

from backprop_mlp import (
    BackpropMLPClassifier,
    BackpropMLPClassifierCV,
    BackpropMLPRegressor,
    BackpropMLPRegressorCV,
)
from backprop_mlp._estimator.voting import LabelVotingClassifier, SearchVotingRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, y = load_iris(return_X_y=True)
X = ((X - X.mean(axis=0)) / X.std(axis=0)).astype(np.float32)
NAMES = np.array(["a", "b", "c"])[y]


def classifier(**params):
    network = BackpropMLPClassifier(3, solver="lbfgs", max_iter=5)
    search = BackpropMLPClassifierCV(network, alphas=[1.0], cv=2, refit="folds")
    members = [(name, clone(search)) for name in ("first", "last")]
    voter = LabelVotingClassifier(members, **{"voting": "soft"} | params)
    return voter.set_params(first__random_state=0, last__random_state=1)


def regressor(members=("first", "last"), **params):
    network = BackpropMLPRegressor(3, solver="lbfgs", max_iter=3, random_state=0)
    search = BackpropMLPRegressorCV(network, alphas=[1.0], cv=3, refit="folds", random_state=0)
    named = [(name, "drop" if name == "dropped" else clone(search)) for name in members]
    return SearchVotingRegressor(named, **params).set_params(last__random_state=1)


def test_what_is_said_out_of_fold_leaves_the_weight_of_a_dropped_member_out():
    voter = regressor(("first", "dropped", "last"), weights=[1.0, 5.0, 2.0]).fit(X, X[:, 0])
    first, last = (member.oof_prediction_ for member in voter.estimators_)
    np.testing.assert_allclose(voter.oof_prediction_, (first + 2.0 * last) / 3.0, rtol=1e-12)


SHARES = np.linspace(0.0, 1.0, 201)[:, np.newaxis]
XATOL = 1e-5
"""How closely shares are found."""


def test_the_classifiers_weights_have_the_lowest_held_out_log_loss():
    voter = classifier().fit(X, NAMES)
    first, last = (member.oof_proba_ for member in voter.estimators_)
    losses = [log_loss(NAMES, (1.0 - share) * first + share * last) for share in SHARES]
    assert log_loss(NAMES, voter.oof_proba_) <= min(losses) + XATOL
    assert voter.weights_.min() > 0.0
    assert voter.weights_.sum() == pytest.approx(1.0)


def test_the_regressors_weights_have_the_lowest_held_out_loss():
    """By the networks' own loss, whatever it is."""
    quantile = {"loss": "quantile", "quantile": 0.8}
    params = {
        f"{name}__estimator__{key}": value
        for name in ("first", "last")
        for key, value in quantile.items()
    }
    voter = regressor().set_params(**params).fit(X, y)
    first, last = (member.oof_prediction_ for member in voter.estimators_)
    losses = [
        mean_pinball_loss(y, (1.0 - share) * first + share * last, alpha=0.8) for share in SHARES
    ]
    # The kink of the networks' loss is rounded off.
    assert mean_pinball_loss(y, voter.oof_prediction_, alpha=0.8) <= min(losses) + 1e-4


@pytest.mark.parametrize("make", [classifier, regressor])
def test_a_member_that_has_learned_nothing_counts_for_next_to_nothing(make):
    voter = make().set_params(first__alphas=[1e6]).fit(X, y)
    np.testing.assert_allclose(voter.weights_, [0.0, 1.0], atol=0.02)


def test_given_weights_are_the_weights():
    voter = classifier(weights=[3.0, 1.0]).fit(X, NAMES)
    first, last = (member.predict_proba(X) for member in voter.estimators_)
    np.testing.assert_allclose(voter.predict_proba(X), 0.75 * first + 0.25 * last, rtol=1e-6)


def test_weights_of_a_vote_count_its_rows_by_their_weights():
    """Rows of weight zero say nothing of them, and a weight of two is the row twice."""
    weights = np.random.default_rng(0).integers(0, 3, len(y)).astype(float)
    with sklearn.config_context(enable_metadata_routing=True):
        voter = classifier()
        for _, member in voter.estimators:
            member.set_fit_request(sample_weight=True)
        voter.fit(X, NAMES, sample_weight=weights)
    first, last = (member.oof_proba_ for member in voter.estimators_)
    losses = [
        log_loss(NAMES, (1.0 - share) * first + share * last, sample_weight=weights)
        for share in SHARES
    ]
    assert log_loss(NAMES, voter.oof_proba_, sample_weight=weights) <= min(losses) + XATOL


@pytest.mark.parametrize("make", [classifier, regressor])
@pytest.mark.parametrize("in_pipelines", [False, True])
def test_weights_of_rows_may_have_any_name(make, in_pipelines):
    weights = np.random.default_rng(2).integers(0, 3, len(y)).astype(float)

    def found(name):
        voter, request = make(), True if name == "sample_weight" else name
        for _, member in voter.estimators:
            member.set_fit_request(sample_weight=request)
        if in_pipelines:
            members = [(name, make_pipeline(member)) for name, member in voter.estimators]
            voter.set_params(estimators=members)
        return voter.fit(X, y, **{name: weights}).weights_

    with sklearn.config_context(enable_metadata_routing=True):
        np.testing.assert_array_equal(found("counts"), found("sample_weight"))


@pytest.mark.parametrize("make", [classifier, regressor])
def test_weights_of_rows_are_found_where_the_first_member_is_dropped(make):
    weights = np.random.default_rng(2).integers(0, 3, len(y)).astype(float)

    def found(*dropped):
        voter = make()
        for _, member in voter.estimators:
            member.set_fit_request(sample_weight=True)
        voter.set_params(estimators=[*dropped, *voter.estimators])
        return voter.fit(X, y, sample_weight=weights).weights_

    with sklearn.config_context(enable_metadata_routing=True):
        np.testing.assert_array_equal(found(("dropped", "drop")), found())


@pytest.mark.parametrize(
    ("make", "predict"), [(classifier, "predict_proba"), (regressor, "predict")]
)
def test_a_vote_without_weights_of_its_own_is_the_mean(make, predict):
    """Files of older versions have none, and members that are no searches get none."""
    voter = make().fit(X, y)
    del voter.weights_
    expected = np.mean([getattr(member, predict)(X) for member in voter.estimators_], axis=0)
    np.testing.assert_allclose(getattr(voter, predict)(X), expected, rtol=1e-6)
    with_another = make().set_params(first=clone(make().estimators[0][1].estimator))
    assert with_another.fit(X, y).weights_ is None


@pytest.mark.parametrize("weights", [None, (1.0, 3.0)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_averaged_probabilities_have_the_precision_in_which_they_sum_to_one(dtype, weights):
    """Metrics warn of others."""
    voter = classifier(weights=weights).fit(X.astype(dtype), NAMES)
    P = voter.predict_proba(X.astype(dtype))
    assert P.dtype == dtype
    np.testing.assert_allclose(P.sum(axis=1), 1.0, rtol=4.0 * np.finfo(dtype).eps)


def test_the_mean_of_whole_numbers_is_no_whole_number():
    whole = {"first": DummyRegressor(strategy="constant", constant=[1])}
    whole["last"] = DummyRegressor(strategy="constant", constant=[2])
    voter = regressor().set_params(**whole).fit(X, y)
    assert {member.predict(X).dtype.kind for member in voter.estimators_} == {"i"}
    np.testing.assert_array_equal(voter.predict(X), 1.5)


@pytest.mark.parametrize("weights", [None, (1.0, 3.0)])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_log_probabilities_and_decisions_are_those_of_the_probabilities(n_classes, weights):
    rows, labels = X[y < n_classes], NAMES[y < n_classes]
    voter = classifier(weights=weights).fit(rows, labels)
    P, log_P, z = (
        getattr(voter, name)(rows)
        for name in ("predict_proba", "predict_log_proba", "decision_function")
    )
    assert log_P.dtype == np.float32
    np.testing.assert_allclose(np.exp(log_P), P, rtol=1e-5)
    decided = z.argmax(axis=1) if n_classes > 2 else (z > 0.0).astype(int)
    np.testing.assert_array_equal(voter.classes_[decided], voter.predict(rows))
    np.testing.assert_array_equal(z, log_P if n_classes > 2 else log_P[:, 1] - log_P[:, 0])


def test_log_probabilities_are_finite_where_probabilities_are_zero():
    voter = classifier().fit(X[:100], NAMES[:100])
    far = 1e6 * X[[0, 99]]
    assert voter.predict_proba(far).min() == 0.0
    assert np.isfinite(voter.predict_log_proba(far)).all()
    assert np.isfinite(voter.decision_function(far)).all()


@pytest.mark.parametrize("other", [KNeighborsClassifier(1), DecisionTreeClassifier()])
@pytest.mark.filterwarnings("ignore:divide by zero:RuntimeWarning")  # the tree's own
def test_log_probabilities_need_nothing_of_a_member_but_its_probabilities(other):
    """Some have no method for them, and some say minus infinity."""
    voter = classifier(weights=[0.0, 1.0]).set_params(last=other).fit(X, NAMES)
    P, log_P = voter.predict_proba(X), voter.predict_log_proba(X)
    assert P.min() == 0.0
    np.testing.assert_allclose(np.exp(log_P), P, rtol=1e-6)
    assert np.isfinite(log_P).all()
    assert np.isfinite(voter.decision_function(X)).all()


def test_a_dropped_member_says_nothing_of_log_probabilities():
    voter = classifier(weights=[5.0, 2.0]).set_params(first="drop").fit(X, NAMES)
    (last,) = voter.estimators_
    np.testing.assert_array_equal(voter.predict_log_proba(X), last.predict_log_proba(X))


def test_votes_of_the_majority_find_no_weights():
    assert classifier(voting="hard").fit(X, NAMES).weights_ is None


@pytest.mark.parametrize("make", [classifier, regressor])
def test_a_vote_among_the_members_leaves_their_weights_equal(make):
    voter = make()
    voter.set_params(estimators=[("vote", clone(voter)), voter.estimators[0]])
    assert voter.fit(X, y).weights_ is None


def test_class_weights_in_a_list_name_labels_too():
    balance = {"a": 1.0, "b": 50.0, "c": 2.0}
    voters = [
        classifier().set_params(first__estimator__class_weight=weights).fit(X, NAMES)
        for weights in (balance, [balance])
    ]
    one, other = (voter.predict_proba(X) for voter in voters)
    np.testing.assert_array_equal(one, other)


def test_votes_of_the_majority_have_no_probabilities():
    voter = classifier(voting="hard")
    assert not hasattr(voter, "predict_proba")
    assert not hasattr(voter, "predict_log_proba")
    assert not hasattr(voter, "decision_function")


@pytest.mark.parametrize(
    ("make", "name"), [(classifier, "oof_proba_"), (regressor, "oof_prediction_")]
)
def test_a_voter_that_is_not_fitted_says_so(make, name):
    with pytest.raises(NotFittedError, match="not fitted yet"):
        getattr(make(), name)


def test_y_as_a_column_is_spoken_of_once():
    with pytest.warns(DataConversionWarning) as record:
        classifier().fit(X, NAMES[:, np.newaxis])
    assert sum(issubclass(warning.category, DataConversionWarning) for warning in record) == 1
