"""What holds for both searches over alpha, whatever they search for and keep."""

import itertools
import pickle
import warnings
from collections import Counter

import numpy as np
import pandas as pd
import pytest
import sklearn
from scipy.sparse import coo_matrix, csr_array, csr_matrix
from sklearn.base import clone
from sklearn.exceptions import DataConversionWarning
from sklearn.metrics import get_scorer, mean_poisson_deviance
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    LeaveOneOut,
    RepeatedKFold,
    cross_val_score,
    cross_validate,
)

from backprop_mlp import (
    BackpropMLPClassifier,
    BackpropMLPClassifierCV,
    BackpropMLPRegressor,
    BackpropMLPRegressorCV,
    IgnoredKeywordWarning,
    StrongPenaltyWarning,
)
from backprop_mlp._estimator import fitting
from backprop_mlp._estimator.pose import pose
from backprop_mlp._search.alpha_search import does_no_harm
from backprop_mlp._search.averaging import networks_of

rng = np.random.default_rng(0)
X = rng.normal(size=(60, 3))
NUMBERS = 100.0 + 3.0 * X[:, 0] + rng.normal(size=60)
CODES = (X[:, 0] > 0.0).astype(int) + (X[:, 1] > 0.5)
LABELS = (X > [0.0, 0.2, 0.5]).astype(int)
WEIGHTS = rng.uniform(0.5, 2.0, 60)
KINDS = {
    "two classes": (BackpropMLPClassifier, {}, np.where(CODES > 0, "yes", "no")),
    "three classes": (BackpropMLPClassifier, {}, CODES),
    "labels": (BackpropMLPClassifier, {}, LABELS),
    "numbers": (BackpropMLPRegressor, {}, NUMBERS),
    "outputs": (BackpropMLPRegressor, {}, np.column_stack([NUMBERS, X[:, 1]])),
    "counts": (BackpropMLPRegressor, {"loss": "poisson"}, CODES.astype(float)),
}
BY_LOSS = {BackpropMLPClassifier: "log_loss", BackpropMLPRegressor: "loss"}
OTHER = {BackpropMLPClassifier: "accuracy", BackpropMLPRegressor: "neg_mean_absolute_error"}
CHANGES = list(itertools.permutations([True, False, "folds"], 2))
METHODS = ["predict", "predict_proba", "predict_log_proba", "decision_function"]

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def search(kind, refit=True, network=None, **params):
    network_class, keywords, _ = KINDS[kind]
    given = {"max_iter": 5, "random_state": 0} | keywords | (network or {})
    estimator = network_class(**{"hidden_layer_sizes": 4} | given)
    of = {BackpropMLPClassifier: BackpropMLPClassifierCV}
    given = {"alphas": [0.1, 1.0, 10.0], "cv": KFold(3), "refit": refit} | params
    return of.get(network_class, BackpropMLPRegressorCV)(estimator, **given)


def fit(kind, *args, **params):
    return search(kind, *args, **params).fit(X, KINDS[kind][2])


def everything(fitted, kind):
    """What a fitted search says, by all methods and scores that it has."""
    network_class, _, y = KINDS[kind]
    said = {name: getattr(fitted, name)(X) for name in METHODS if hasattr(fitted, name)}
    for scoring in [None, BY_LOSS[network_class], OTHER[network_class]]:
        fitted.set_params(scoring=scoring)
        if hasattr(fitted, "score"):
            said[f"score by {scoring}"] = fitted.score(X, y, WEIGHTS)
    fitted.set_params(scoring=None)
    return said


# What was fitted decides


@pytest.mark.parametrize(("then", "now"), CHANGES)
@pytest.mark.parametrize("kind", KINDS)
def test_a_new_refit_changes_nothing_before_the_next_fit(kind, then, now):
    fitted = fit(kind, then)
    before = everything(fitted, kind)
    assert bool(before) == (then is not False)
    after = everything(fitted.set_params(refit=now), kind)
    again = everything(pickle.loads(pickle.dumps(fitted)), kind)
    assert before.keys() == after.keys() == again.keys()
    for name, values in before.items():
        np.testing.assert_array_equal(after[name], values)
        np.testing.assert_array_equal(again[name], values)


@pytest.mark.parametrize(("then", "now"), CHANGES)
@pytest.mark.parametrize("kind", ["three classes", "numbers"])
def test_a_new_refit_changes_nothing_in_onnx_before_the_next_fit(kind, then, now):
    door = pytest.importorskip("backprop_mlp.onnx", reason="skl2onnx comes with the extra onnx")
    fitted = fit(kind, then)
    if then is False:
        with pytest.raises(AttributeError, match="was fitted with refit=False"):
            door.to_onnx(fitted.set_params(refit=now), X[:1])
        return
    before = door.to_onnx(fitted, X[:1]).SerializeToString()
    assert door.to_onnx(fitted.set_params(refit=now), X[:1]).SerializeToString() == before


@pytest.mark.parametrize("refit", [True, False, "folds"])
def test_a_fit_that_fails_leaves_what_was_fitted(refit):
    fitted = fit("numbers", "folds")
    before = fitted.predict(X)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        fitted.set_params(refit=refit).fit(X, NUMBERS[:-1])
    np.testing.assert_array_equal(fitted.predict(X), before)


def test_before_a_fit_refit_says_what_there_will_be():
    assert hasattr(search("numbers", "folds"), "predict")
    assert hasattr(search("three classes", True), "predict_proba")
    assert not hasattr(search("numbers", False), "predict")


def test_the_reason_why_nothing_can_be_predicted_is_that_of_the_fit():
    fitted = fit("numbers", False)
    with pytest.raises(AttributeError) as error:
        fitted.set_params(refit=True).predict(X)
    assert "was fitted with refit=False" in str(error.value.__cause__)


@pytest.mark.parametrize("refit", [True, "folds"])
@pytest.mark.parametrize("kind", KINDS)
def test_one_network_and_an_average_have_one_inner_interface(kind, refit):
    fitted = fit(kind, refit)
    networks = networks_of(fitted)
    z = networks.map_rows(X, lambda z: z)
    assert z.shape == (60, networks.targets.n_outputs)
    np.testing.assert_array_equal(networks.map_rows(X, networks.predict), networks.predict(z))
    np.testing.assert_array_equal(networks.predict(z), fitted.predict(X))


@pytest.mark.parametrize("solver", ["cg", "lbfgs", "newton-cg"])
@pytest.mark.parametrize("named", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_the_networks_of_a_fold_are_warm_starts_on_its_rows(kind, named, solver):
    """Though the rows are validated and encoded once, not for each alpha."""
    y = KINDS[kind][2]
    rows = pd.DataFrame(X, columns=["a", "b", "c"]) if named else X
    alphas = [0.1, 10.0]
    fitted = search(kind, "folds", {"solver": solver}, alphas=alphas)
    fitted.fit(rows, y, sample_weight=WEIGHTS)
    members, kept = iter(fitted.estimators_), {each.alpha for each in fitted.estimators_}
    for train, _ in KFold(3).split(X):
        part = rows.iloc[train] if named else rows[train]
        network = clone(fitted.estimator).set_params(warm_start=True)
        for alpha, max_iter in zip(alphas, fitted.n_iter_.max(axis=1), strict=True):
            network.set_params(alpha=alpha, max_iter=int(max_iter))
            network.fit(part, y[train], sample_weight=WEIGHTS[train])
            if alpha in kept:
                member = next(members)
                for ours, theirs in zip(network.coefs_, member.coefs_, strict=True):
                    np.testing.assert_array_equal(ours, theirs)
    assert next(members, None) is None


class WithBaseline(BackpropMLPClassifier):
    """Fits another network on the same rows as well."""

    def fit(self, X, y, sample_weight=None):
        self.baseline_ = BackpropMLPClassifier((7, 2), max_iter=2, random_state=0).fit(X, y)
        return super().fit(X, y, sample_weight)


def test_other_networks_that_a_fit_of_a_fold_fits_are_trained_as_ever():
    model = BackpropMLPClassifierCV(WithBaseline(4), alphas=[1.0], cv=KFold(3), refit="folds")
    model.fit(X, CODES)
    for (train, _), network in zip(KFold(3).split(X), model.estimators_, strict=True):
        alone = BackpropMLPClassifier((7, 2), max_iter=2, random_state=0).fit(
            X[train], CODES[train]
        )
        for ours, theirs in zip(network.baseline_.coefs_, alone.coefs_, strict=True):
            np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("kind", KINDS)
def test_the_rows_of_a_fold_are_posed_once(kind, monkeypatch):
    posed = []

    def count(*args, **keywords):
        posed.append(args)
        return pose(*args, **keywords)

    monkeypatch.setattr(fitting, "pose", count)
    fit(kind, "folds")
    assert len(posed) == 3


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("kind", ["numbers", "outputs", "counts"])
def test_the_average_of_numbers_is_the_mean_of_the_predictions(kind, dtype):
    fitted = search(kind, "folds").fit(X.astype(dtype), KINDS[kind][2])
    members = [network.predict(X.astype(dtype)) for network in fitted.estimators_]
    predicted = fitted.predict(X.astype(dtype))
    assert predicted.dtype == np.float64
    rtol = 1e-12 if dtype == np.float64 else 1e-5
    np.testing.assert_allclose(predicted, np.mean(members, axis=0), rtol=rtol)


@pytest.mark.parametrize("refit", [True, False, "folds"])
@pytest.mark.parametrize("kind", ["two classes", "three classes", "labels"])
def test_a_fitted_search_knows_its_classes(kind, refit):
    y = KINDS[kind][2]
    expected = np.arange(3) if kind == "labels" else np.unique(y)
    np.testing.assert_array_equal(fit(kind, refit).classes_, expected)


# What is scored is checked as what is fitted


BAD_WEIGHTS = {
    "negative": (-WEIGHTS, "Negative values"),
    "nan": (np.full(60, np.nan), "NaN"),
    "zeros": (np.zeros(60), "sum above 0|at least one non-zero"),
    "infinite": (np.full(60, 1e308), "finite sum above 0"),
    "too few": (WEIGHTS[:5], r"sample_weight.shape == \(5,\)"),
    "a column": (WEIGHTS[:, np.newaxis], "must be 1D"),
}


@pytest.mark.parametrize("bad", BAD_WEIGHTS)
@pytest.mark.parametrize("kind", ["three classes", "labels", "numbers"])
def test_weights_are_refused_in_a_score_as_in_a_fit(kind, bad):
    weights, message = BAD_WEIGHTS[bad]
    y = KINDS[kind][2]
    fitted = fit(kind, scoring=BY_LOSS[KINDS[kind][0]])
    for method in (fitted.score, fitted.fit):
        with pytest.raises(ValueError, match=message):
            method(X, y, sample_weight=weights)


BAD_ROWS = {
    "one y": ("three classes", X, CODES[:1], "inconsistent numbers of samples"),
    "too few y": ("numbers", X, NUMBERS[:7], "inconsistent numbers of samples"),
    "nan in y": ("numbers", X, np.where(CODES > 0, NUMBERS, np.nan), "y contains NaN"),
    "nan in X": ("labels", X * np.nan, LABELS, "X contains NaN"),
    "other features": ("numbers", X[:, :2], NUMBERS, "2 features"),
    "columns for one output": ("numbers", X, np.column_stack([NUMBERS, NUMBERS]), "y must be"),
    "classes for labels": ("labels", X, CODES, "y must be a 0/1 matrix with 3 columns"),
    "labels for classes": ("three classes", X, LABELS, "1d array"),
    "other labels": ("two classes", X, CODES, "labels that are not among the classes"),
    "negative counts": ("counts", X, -CODES, "y must be >= 0"),
}


@pytest.mark.parametrize("refit", [True, "folds"])
@pytest.mark.parametrize("bad", BAD_ROWS)
def test_rows_that_can_not_be_scored_are_named(bad, refit):
    kind, rows, y, message = BAD_ROWS[bad]
    fitted = fit(kind, refit, scoring=BY_LOSS[KINDS[kind][0]])
    with pytest.raises(ValueError, match=message):
        fitted.score(rows, y)


@pytest.mark.parametrize("kind", ["two classes", "numbers"])
def test_a_column_is_scored_as_it_is_fitted(kind):
    fitted = fit(kind, scoring=BY_LOSS[KINDS[kind][0]])
    y = KINDS[kind][2]
    with pytest.warns(DataConversionWarning):
        assert fitted.score(X, y[:, np.newaxis]) == fitted.score(X, y)


def test_a_frame_is_scored_without_a_warning(recwarn):
    frame = pd.DataFrame(X, columns=["a", "b", "c"])
    fitted = search("numbers", "folds", scoring="loss").fit(frame, NUMBERS)
    recwarn.clear()
    fitted.score(frame, NUMBERS)
    assert not recwarn.list


@pytest.mark.parametrize("sparse", [csr_matrix, csr_array, coo_matrix])
@pytest.mark.parametrize("refit", [True, False, "folds"])
def test_sparse_labels_are_labels(refit, sparse):
    dense = fit("labels", refit)
    fitted = search("labels", refit).fit(X, sparse(LABELS))
    np.testing.assert_array_equal(fitted.scores_, dense.scores_)
    np.testing.assert_array_equal(fitted.oof_proba_, dense.oof_proba_)
    for scoring in [None, "log_loss"] if refit else []:
        fitted.set_params(scoring=scoring), dense.set_params(scoring=scoring)
        assert fitted.score(X, sparse(LABELS)) == dense.score(X, LABELS)


# Folds


FIRST = np.arange(60) < 10
NUMBERED = [(np.flatnonzero(~FIRST), np.flatnonzero(FIRST)), (np.arange(10), np.arange(10, 60))]


NUMBER_SCORINGS = ["loss", "r2", "neg_median_absolute_error"]
SCORINGS = ["log_loss", "accuracy", "roc_auc_ovr", "f1_macro", "neg_log_loss", *NUMBER_SCORINGS]


@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["unweighted", "weighted"])
@pytest.mark.parametrize("form", [np.asarray, list, pd.Series])
def test_masks_are_folds_as_the_numbers_of_their_rows(form, weights):
    masks = [(form(~FIRST), form(FIRST)), (form(FIRST), form(~FIRST))]
    fitted = search("numbers", "folds", cv=masks).fit(X, NUMBERS, weights)
    expected = search("numbers", "folds", cv=NUMBERED).fit(X, NUMBERS, weights)
    np.testing.assert_array_equal(fitted.scores_, expected.scores_)
    assert fitted.best_score_ == expected.best_score_
    np.testing.assert_array_equal(fitted.oof_prediction_, expected.oof_prediction_)


@pytest.mark.parametrize(
    ("train", "test", "message"),
    [
        (np.arange(60), [], "at least one row"),
        ([], np.arange(60), "at least one row"),
        (np.arange(30.0), np.arange(30, 60), "whole numbers below 60"),
        (np.arange(30), np.arange(30, 61), "whole numbers below 60"),
        (np.arange(30), [-61], "whole numbers below 60"),
        (np.arange(30), FIRST[:-1], "masks of 60"),
        ([[1], [2, 3]], np.arange(30), "1-D arrays"),
    ],
)
def test_folds_that_are_none_are_refused_before_training(train, test, message):
    untouched = search("numbers", cv=[(train, test)])
    with pytest.raises(ValueError, match=f"cv must give .*{message}"):
        untouched.fit(X, NUMBERS)
    assert not hasattr(untouched, "alpha_")


@pytest.mark.parametrize(
    ("kind", "weights", "network"),
    [
        ("numbers", np.where(FIRST, 1.0, 0.0), {}),
        ("three classes", np.where(FIRST, 1.0, 0.0), {}),
        ("three classes", None, {"class_weight": [{0: 0.0, 1: 0.0}]}),
    ],
)
def test_a_fold_that_trains_on_rows_without_weight_is_named(kind, weights, network):
    y = np.where(FIRST, 2, 0) if kind == "three classes" else NUMBERS
    y = np.where(np.arange(60) == 59, 1, y) if kind == "three classes" else y
    with pytest.raises(ValueError, match="all rows of fold 1 have weight 0"):
        search(kind, True, network, cv=[(FIRST, ~FIRST), (~FIRST, FIRST)]).fit(X, y, weights)


@pytest.mark.parametrize("scoring", SCORINGS)
@pytest.mark.parametrize("refit", [True, "folds"])
def test_a_fold_that_leaves_out_rows_without_weight_does_not_count(scoring, refit):
    kind = "numbers" if scoring in NUMBER_SCORINGS else "three classes"
    y = NUMBERS if kind == "numbers" else np.arange(60) % 3
    weights = np.where(FIRST, 0.0, 1.0)
    some = [(np.arange(60) < 40, np.arange(60) >= 40), (np.arange(60) >= 30, np.arange(60) < 30)]
    fitted = search(kind, refit, scoring=scoring, cv=[(~FIRST, FIRST), *some]).fit(X, y, weights)
    expected = search(kind, refit, scoring=scoring, cv=some).fit(X, y, weights)
    assert np.isnan(fitted.scores_[:, 0]).all()
    np.testing.assert_array_equal(fitted.scores_[:, 1:], expected.scores_)
    assert fitted.best_score_ == expected.best_score_
    assert fitted.alpha_ == expected.alpha_


def test_a_scorer_that_reads_no_weights_counts_every_fold():
    weights = np.where(FIRST, 0.0, 1.0)
    with sklearn.config_context(enable_metadata_routing=True):
        scorer = get_scorer("r2").set_score_request(sample_weight=False)
        model = search("numbers", scoring=scorer, cv=[(~FIRST, FIRST)])
        assert np.isfinite(model.fit(X, NUMBERS, sample_weight=weights).scores_).all()


@pytest.mark.parametrize("outputs", [1, 2])
def test_a_scorer_that_reads_no_weights_is_given_the_y_of_rows_without_weight(outputs):
    y = NUMBERS if outputs == 1 else np.column_stack([NUMBERS, X[:, 0]])
    weights, seen = np.where(np.arange(60) % 3 == 0, 0.0, 1.0), []

    def scorer(estimator, X, y):
        seen.append(y)
        return estimator.score(X, y)

    with sklearn.config_context(enable_metadata_routing=True):
        model = search("numbers", alphas=[1.0], scoring=scorer, cv=[(~FIRST, FIRST)])
        model.fit(X, y, sample_weight=weights)
    left_out, trained = seen
    np.testing.assert_array_equal(left_out, y[FIRST])
    np.testing.assert_array_equal(trained, y[~FIRST])


@pytest.mark.parametrize("scoring", [None, "default"])
@pytest.mark.parametrize("kind", ["numbers", "three classes"])
def test_folds_that_leave_out_rows_without_weight_alone_are_refused(kind, scoring):
    if scoring:
        scoring = "r2" if kind == "numbers" else "accuracy"
    untouched = search(kind, cv=[(FIRST, ~FIRST)], scoring=scoring)
    with pytest.raises(ValueError, match="all rows that are left out have weight 0"):
        untouched.fit(X, NUMBERS.round().clip(-1, 1).astype(int), FIRST.astype(float))
    assert not hasattr(untouched, "alpha_")


@pytest.mark.parametrize("refit", [True, "folds"])
@pytest.mark.parametrize("kind", ["numbers", "three classes"])
def test_a_scorer_may_ask_its_estimator_for_the_default_score(kind, refit):
    y = NUMBERS if kind == "numbers" else NUMBERS.round().clip(-1, 1).astype(int)
    asking = search(kind, refit, scoring=lambda estimator, X, y: estimator.score(X, y)).fit(X, y)
    named = search(kind, refit, scoring="r2" if kind == "numbers" else "accuracy").fit(X, y)
    np.testing.assert_array_equal(asking.scores_, named.scores_)
    assert asking.score(X, y) == named.score(X, y)


@pytest.mark.parametrize("fold", [1, (1, 2, 3), None, (FIRST,)])
@pytest.mark.parametrize("kind", ["numbers", "three classes"])
def test_folds_that_are_no_pairs_are_refused(kind, fold):
    with pytest.raises(ValueError, match="cv must give pairs of rows"):
        search(kind, cv=[(FIRST, ~FIRST), fold]).fit(X, FIRST.astype(int))


@pytest.mark.parametrize("routing", [True, False])
def test_a_generator_of_folds_is_used_by_the_fit_alone(routing):
    expected = search("numbers", cv=list(KFold(2).split(X))).fit(X, NUMBERS, WEIGHTS)
    with sklearn.config_context(enable_metadata_routing=routing):
        model = search("numbers", cv=KFold(2).split(X))
        model.get_metadata_routing()
        fitted = model.fit(X, NUMBERS, sample_weight=WEIGHTS)
    np.testing.assert_array_equal(fitted.scores_, expected.scores_)
    with pytest.raises(ValueError, match=r"at least one fold; got <generator.*put it into a list"):
        fitted.fit(X, NUMBERS)


@pytest.mark.parametrize(
    "cv", [RepeatedKFold(n_splits=2, n_repeats=2, random_state=0), NUMBERED[:1]]
)
@pytest.mark.parametrize("kind", KINDS)
def test_any_number_of_folds_will_do(kind, cv):
    fitted = fit(kind, "folds", cv=cv, alphas=[1.0])
    n_folds = 4 if isinstance(cv, RepeatedKFold) else 1
    assert fitted.scores_.shape == (1, n_folds)
    assert len(fitted.estimators_) == n_folds


def test_there_may_be_a_fold_for_each_row():
    fitted = search("numbers", cv=8, alphas=[1.0]).fit(X[:8], NUMBERS[:8])
    assert fitted.scores_.shape == (1, 8)


@pytest.mark.parametrize("kind", ["three classes", "numbers"])
def test_groups_are_kept_together(kind):
    groups = np.arange(60) // 7
    y = KINDS[kind][2]
    splits = list(GroupKFold(3).split(X, y, groups))
    with sklearn.config_context(enable_metadata_routing=True):
        fitted = search(kind, cv=GroupKFold(3)).fit(X, y, groups=groups)
    np.testing.assert_array_equal(fitted.scores_, fit(kind, cv=splits).scores_)


@pytest.mark.parametrize("requests", [True, False])
@pytest.mark.parametrize("refit", [True, "folds"])
@pytest.mark.parametrize("kind", KINDS)
def test_row_weights_reach_the_default_score_with_metadata_routing_as_without(
    kind, refit, requests
):
    y = KINDS[kind][2]
    expected = fit(kind, refit).score(X, y, WEIGHTS)
    with sklearn.config_context(enable_metadata_routing=True):
        model = search(kind, refit)
        if requests:
            model.set_score_request(sample_weight=True)
        fitted = model.fit(X, y)
        assert fitted.score(X, y, sample_weight=WEIGHTS) == expected


@pytest.mark.parametrize("kind", ["three classes", "numbers"])
def test_weighted_searches_are_cross_validated_with_metadata_routing(kind):
    y = KINDS[kind][2]
    with sklearn.config_context(enable_metadata_routing=True):
        model = search(kind, alphas=[1.0]).set_fit_request(sample_weight=True)
        model.set_score_request(sample_weight=True)
        found = cross_val_score(model, X, y, params={"sample_weight": WEIGHTS}, cv=KFold(2))
    expected = [
        fit_of_rows.score(X[test], y[test], WEIGHTS[test])
        for train, test in KFold(2).split(X)
        for fit_of_rows in [search(kind, alphas=[1.0]).fit(X[train], y[train], WEIGHTS[train])]
    ]
    np.testing.assert_array_equal(found, expected)


# Rows in which networks overflow


FAR = X.astype(np.float32)
FAR[7] = 3e38
NEVER_TRAINED_ON = [
    (np.setdiff1d(train, [7]), np.union1d(test, [7])) for train, test in KFold(3).split(X)
]


def scoring_of(kind, by_loss):
    return None if by_loss else OTHER[KINDS[kind][0]]


@pytest.mark.parametrize("by_loss", [True, False])
@pytest.mark.parametrize("kind", ["two classes", "labels", "numbers", "outputs"])
def test_an_overflow_in_a_row_that_is_left_out_rules_out_that_alpha_alone(kind, by_loss):
    """Only the strongest penalty leaves weights small enough for the outlying row."""
    model = search(
        kind, "folds", {"activation": "relu"}, cv=NEVER_TRAINED_ON, alphas=[0.1, 1.0, 1e5]
    )
    fitted = model.set_params(scoring=scoring_of(kind, by_loss)).fit(FAR, KINDS[kind][2])
    assert np.isneginf(fitted.scores_[0]).any()
    assert fitted.alpha_ == 1e5
    assert np.isfinite(fitted.best_score_)
    said = fitted.oof_proba_ if hasattr(fitted, "oof_proba_") else fitted.oof_prediction_
    assert np.isfinite(said).all()
    assert {network.alpha for network in fitted.estimators_} == {1e5}


@pytest.mark.parametrize("by_loss", [True, False])
@pytest.mark.parametrize("kind", ["two classes", "labels", "numbers", "outputs"])
def test_an_overflow_at_every_alpha_is_said_with_what_to_do(kind, by_loss):
    model = search(kind, "folds", {"activation": "relu"}, cv=NEVER_TRAINED_ON, alphas=[0.1, 0.2])
    with pytest.raises(FloatingPointError, match=r"No alpha from 0.1 to 0.2 .* overflow .* larger"):
        model.set_params(scoring=scoring_of(kind, by_loss)).fit(FAR, KINDS[kind][2])


@pytest.mark.parametrize("by_loss", [True, False])
@pytest.mark.parametrize("kind", ["two classes", "labels", "numbers", "outputs"])
def test_an_overflow_in_a_row_with_zero_weight_does_not_count(kind, by_loss):
    """Its own outputs are missing; those of its fold are not."""
    weights = np.where(np.arange(60) == 7, 0.0, WEIGHTS)
    y = KINDS[kind][2]
    network = {"activation": "relu"}
    model = search(kind, "folds", network, cv=NEVER_TRAINED_ON, alphas=[0.1, 1.0])
    model.set_params(scoring=scoring_of(kind, by_loss))
    near = np.where(np.arange(60)[:, np.newaxis] == 7, 0.0, FAR)
    fitted, expected = (clone(model).fit(rows, y, weights) for rows in (FAR, near))
    np.testing.assert_allclose(fitted.scores_, expected.scores_, rtol=1e-5)
    said, of_near = (
        each.oof_proba_ if hasattr(each, "oof_proba_") else each.oof_prediction_
        for each in (fitted, expected)
    )
    assert np.isnan(said[7]).all()
    np.testing.assert_allclose(np.delete(said, 7, 0), np.delete(of_near, 7, 0), rtol=1e-4)


@pytest.mark.parametrize("by_loss", [True, False])
@pytest.mark.parametrize("kind", ["two classes", "labels", "numbers", "outputs"])
def test_an_overflow_in_a_training_row_with_zero_weight_does_not_count(kind, by_loss):
    weights = np.where(np.arange(60) == 7, 0.0, WEIGHTS)
    model = search(kind, False, {"activation": "relu"}, scoring=scoring_of(kind, by_loss))
    fitted = model.fit(FAR, KINDS[kind][2], weights)
    with pytest.raises(FloatingPointError):
        clone(model.estimator).fit(FAR, KINDS[kind][2], weights).predict(FAR)
    assert np.isfinite(fitted.train_scores_).all()


def test_an_error_of_the_scorer_itself_is_not_taken_for_an_overflow():
    def scorer(estimator, X, y):
        raise FloatingPointError("of the scorer")

    with pytest.raises(FloatingPointError, match="of the scorer"):
        fit("numbers", scoring=scorer)


def test_a_scorer_may_find_every_alpha_infinitely_bad():
    fitted = fit("numbers", scoring=lambda estimator, X, y: -np.inf)
    assert fitted.alpha_ == 10.0
    assert fitted.best_score_ == -np.inf


# Which networks are averaged


@pytest.mark.parametrize("scoring", [None, "neg_mean_absolute_error"])
def test_a_weaker_alpha_that_runs_away_from_outlying_rows_is_not_averaged(scoring):
    """Counts grow with the exponential: one row beyond the others can cost any amount."""
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(300, 3))
    counts = rng.poisson(np.exp(0.8 * rows[:, 0])).astype(float)
    rows[7, 0] = 100.0
    network = BackpropMLPRegressor(20, loss="poisson", solver="lbfgs", max_iter=40)
    model = BackpropMLPRegressorCV(
        network, cv=3, random_state=0, refit="folds", scoring=scoring, alphas=[1.0, 10.0, 1000.0]
    )
    fitted = model.fit(rows, counts)
    assert fitted.alpha_ > 1.0
    assert {estimator.alpha for estimator in fitted.estimators_} == {fitted.alpha_}
    alone = clone(model).set_params(refit=False).fit(rows, counts)
    np.testing.assert_array_equal(fitted.oof_prediction_, alone.oof_prediction_)


@pytest.mark.parametrize("kind", ["two classes", "numbers"])
def test_a_weaker_alpha_that_learns_noise_by_heart_is_not_averaged(kind):
    noise = np.random.default_rng(1).permutation(KINDS[kind][2])
    network = {"max_iter": 200, "solver": "lbfgs", "activation": "relu"}
    model = search(kind, "folds", network, alphas=[1e-4, 100.0])
    fitted = model.set_params(estimator__hidden_layer_sizes=30).fit(X, noise)
    weaker, best = fitted.scores_.mean(axis=1)
    assert weaker < 2.0 * best
    assert {estimator.alpha for estimator in fitted.estimators_} == {100.0}


def test_a_weaker_alpha_that_makes_rare_counts_worse_is_not_averaged():
    """The deviance of rare counts is next to all noise: what knows nothing costs hardly more.

    So a network that is worse than a constant does not have twice the loss of the best one.
    """
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(1500, 5))
    counts = rng.poisson(0.1 * np.exp(0.6 * rows[:, 0] + 0.5 * np.sin(2.0 * rows[:, 1])))
    network = BackpropMLPRegressor((32, 16), loss="poisson", solver="lbfgs")
    alone, averaged = (
        BackpropMLPRegressorCV(network, cv=3, random_state=0, refit=refit, alphas=[2.0, 10.0]).fit(
            rows, counts
        )
        for refit in (False, "folds")
    )
    weaker, best = -alone.scores_.mean(axis=1)
    mean = counts.mean()
    of_the_mean = mean_poisson_deviance(counts, np.full(1500, mean)) / 2.0
    assert best < of_the_mean < weaker < 2.0 * best
    assert {estimator.alpha for estimator in averaged.estimators_} == {10.0}
    assert mean_poisson_deviance(counts, averaged.oof_prediction_) / 2.0 < of_the_mean


@pytest.mark.parametrize(
    ("loss", "best", "expected"),
    [
        (0.3, 0.4, True),
        (0.419, 0.4, True),
        (0.421, 0.4, False),
        (np.inf, 0.4, False),
        (np.inf, np.inf, False),
        (0.0, 0.0, True),
        (0.5, np.nan, False),
    ],
)
def test_a_weaker_alpha_is_averaged_if_the_mean_costs_little_more(loss, best, expected):
    assert does_no_harm(loss, best) is expected


# What a search warns of


def warned(kind, refit, network=None, weights=None, y=None, rows=X, **params):
    model = search(kind, refit, {"max_iter": 50} | (network or {}), **params)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(rows, KINDS[kind][2] if y is None else y, weights)
    ours = (StrongPenaltyWarning, IgnoredKeywordWarning)
    return [warning.category for warning in caught if issubclass(warning.category, ours)]


@pytest.mark.parametrize("refit", [True, False, "folds"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_constant_model_is_warned_of_once(kind, refit):
    assert warned(kind, refit, alphas=[1e6]) == [StrongPenaltyWarning]
    some = {"rows": X[:20], "y": KINDS[kind][2][:20]}
    assert warned(kind, refit, alphas=[1e6], cv=LeaveOneOut(), **some) == [StrongPenaltyWarning]
    assert warned(kind, refit, alphas=[1.0]) == []


@pytest.mark.parametrize("refit", [True, False, "folds"])
@pytest.mark.parametrize("kind", KINDS)
def test_an_outlying_row_with_zero_weight_hides_no_constant_model(kind, refit):
    outlying = np.arange(60) == 7
    rows = np.where(outlying[:, np.newaxis], 1e5, X)
    network = {"hidden_layer_sizes": (), "solver": "lbfgs"}
    said = warned(kind, refit, network, np.where(outlying, 0.0, 1.0), rows=rows, alphas=[1e6])
    assert said == [StrongPenaltyWarning]


@pytest.mark.parametrize("refit", [True, False, "folds"])
@pytest.mark.parametrize("kind", KINDS)
def test_where_nothing_differs_no_penalty_is_too_strong(kind, refit):
    y = KINDS[kind][2]
    same = np.ones_like(y) if kind != "two classes" else np.full(60, "yes")
    assert warned(kind, refit, alphas=[1e6], y=same) == []
    assert warned(kind, refit, alphas=[1e6], rows=np.ones_like(X)) == []
    assert warned(kind, refit, alphas=[1e6], rows=csr_matrix(np.ones_like(X))) == []


@pytest.mark.parametrize("refit", [True, False, "folds"])
@pytest.mark.parametrize("weights", [None, np.ones(60)], ids=["unweighted", "ones"])
def test_light_class_weights_are_warned_of_once(refit, weights):
    light = {"class_weight": {0: 1e-3, 1: 1e-3, 2: 1e-3}}
    assert warned("three classes", refit, light, weights) == [StrongPenaltyWarning]


@pytest.mark.parametrize("refit", [True, False, "folds"])
@pytest.mark.parametrize("kind", ["three classes", "numbers"])
def test_light_rows_and_ignored_keywords_are_warned_of_once(kind, refit):
    found = warned(kind, refit, {"momentum": 0.5}, np.full(60, 1e-3))
    assert sorted(found, key=str) == [IgnoredKeywordWarning, StrongPenaltyWarning]


# Keywords


@pytest.mark.parametrize("kind", ["three classes", "numbers"])
@pytest.mark.parametrize("alphas", [[[1], [2, 3]], True, np.True_, [True], [[1.0]], ["1"], {1.0}])
def test_a_grid_that_is_none_is_named(kind, alphas):
    with pytest.raises(ValueError, match=r"alphas.* must be") as error:
        fit(kind, alphas=alphas)
    assert repr(alphas) in str(error.value)


@pytest.mark.parametrize("kind", ["three classes", "numbers"])
def test_the_alpha_of_a_network_is_a_plain_float(kind):
    fitted = fit(kind, "folds")
    assert {type(network.alpha) for network in fitted.estimators_} == {float}
    assert "np.float64" not in repr(fitted.estimators_[0])


@pytest.mark.parametrize(
    ("model", "scoring", "instead"),
    [
        (search("three classes"), "loss", "'log_loss' (not 'loss'"),
        (search("numbers"), "log_loss", "'loss' (what training minimises"),
        (BackpropMLPClassifier(), "log_loss", "log-loss of probabilities is 'neg_log_loss'"),
    ],
)
def test_the_name_of_the_other_loss_is_refused_with_what_to_take_instead(model, scoring, instead):
    with pytest.raises(ValueError, match="'scoring' parameter") as error:
        clone(model).set_params(scoring=scoring).fit(X, CODES)
    assert instead in str(error.value)


@pytest.mark.parametrize(
    "class_weight", [{0: 1.0, 1: 2.0, 2: 3.0}, [{0: 1.0, 1: 2.0, 2: 3.0}]], ids=["dict", "list"]
)
def test_a_fold_may_lack_a_class_that_has_a_weight(class_weight):
    """Without it, the class weights are those of the others."""
    train, test = np.flatnonzero(CODES > 0), np.flatnonzero(CODES == 0)
    network = {"class_weight": class_weight}
    fitted = fit("three classes", False, network, cv=[(train, test)], alphas=[1.0])
    others = {"class_weight": {1: 2.0, 2: 3.0}}
    expected = search("three classes", False, others, cv=KFold(2), alphas=[1.0]).estimator
    expected.set_params(alpha=1.0).fit(X[train], CODES[train])
    np.testing.assert_array_equal(
        fitted.oof_proba_[np.ix_(test, [1, 2])], expected.predict_proba(X[test])
    )


@pytest.mark.parametrize("labels", [["0", "1"], np.array([0, 1], "M8[D]"), [False, True], [5, 7]])
def test_a_fold_may_lack_a_class_whatever_labels_look_like(labels):
    y = np.asarray(labels)[(CODES > 0).astype(int)]
    network = {"class_weight": dict(zip(np.unique(y), [2.0, 3.0], strict=True))}
    cv = [(np.flatnonzero(CODES > 0), np.flatnonzero(CODES == 0)), *KFold(2).split(X)]
    fitted = search("two classes", True, network, cv=cv, alphas=[1.0]).fit(X, y)
    assert fitted.best_estimator_.class_weight_.tolist() == [2.0, 3.0]


@pytest.mark.parametrize("class_weight", [[], [{0: 1.0}, {1: 1.0}], [1, 2], {"a": 1.0}, {0: -1.0}])
def test_class_weights_are_refused_before_training(class_weight):
    calls = []
    model = search("three classes", network={"class_weight": class_weight})
    model.set_params(scoring=lambda *args: calls.append(args))
    with pytest.raises((ValueError, TypeError), match="class_weight"):
        model.fit(X, CODES)
    assert not calls


# As estimators


class Forgetful(BackpropMLPRegressorCV):
    """Leaves out of pickles what it was given."""

    def __getstate__(self):
        return {name: value for name, value in super().__getstate__().items() if name != "given"}


def test_a_fit_keeps_what_a_subclass_leaves_out_of_pickles():
    model = Forgetful(BackpropMLPRegressor(4, max_iter=5), alphas=[1.0], cv=2)
    model.given = open
    assert model.fit(X, NUMBERS).given is open


class Narrow(BackpropMLPClassifier):
    """Takes one keyword of its own, and leaves all others as it sets them."""

    def __init__(self, n_units=4):
        self.n_units = n_units
        super().__init__(n_units, max_iter=5, random_state=0, class_weight={0: 2.0})


@pytest.mark.parametrize("seed", [None, 1])
@pytest.mark.parametrize("refit", [True, "folds"])
def test_a_network_may_have_an_init_of_its_own(refit, seed):
    params = {"alphas": [0.1, 1.0], "cv": 2, "refit": refit, "random_state": seed}
    wide = BackpropMLPClassifier(4, max_iter=5, random_state=0, class_weight={0: 2.0})
    narrow, wide = (
        BackpropMLPClassifierCV(network, **params).fit(X, CODES) for network in (Narrow(), wide)
    )
    np.testing.assert_array_equal(narrow.predict_proba(X), wide.predict_proba(X))


@pytest.mark.parametrize("refit", [True, "folds"])
@pytest.mark.parametrize("kind", KINDS)
def test_searches_are_cross_validated_side_by_side(kind, refit):
    model = search(kind, refit, alphas=[1.0, 10.0])
    alone = cross_validate(model, X, KINDS[kind][2], cv=2, error_score="raise")
    both = cross_validate(model, X, KINDS[kind][2], cv=2, n_jobs=2, error_score="raise")
    np.testing.assert_array_equal(both["test_score"], alone["test_score"])


# What is printed


def printed(capsys):
    """How many lines begin with each name, which stands before the number of the iteration."""
    lines = capsys.readouterr().out.splitlines()
    return Counter(line.partition("teration ")[0].removesuffix(", i") for line in lines)


@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize("kind", ["three classes", "numbers"])
def test_verbose_names_the_fold_and_the_alpha(kind, n_jobs, capsys):
    alphas = [0.0, np.sqrt(10.0), 1000.0]
    fitted = fit(kind, network={"verbose": True}, alphas=alphas, n_jobs=n_jobs)
    expected = {
        f"Fold {fold}, alpha {alpha}": n_iter
        for alpha, of_folds in zip(["0", "3.162", "1000"], fitted.n_iter_, strict=True)
        for fold, n_iter in enumerate(of_folds, start=1)
    }
    assert printed(capsys) == expected | {"Refit": fitted.best_estimator_.n_iter_}
    # By itself the network is part of nothing.
    fitted.best_estimator_.fit(X, KINDS[kind][2])
    assert printed(capsys).keys() == {"I"}


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_verbose_names_the_start_of_a_fold(n_jobs, capsys):
    fit("numbers", network={"verbose": True, "n_init": 2, "n_jobs": 2}, alphas=[1], n_jobs=n_jobs)
    fits = ["Fold 1, alpha 1", "Fold 2, alpha 1", "Fold 3, alpha 1", "Refit"]
    assert printed(capsys).keys() == {f"{name}, start {start}" for name in fits for start in (1, 2)}


def test_verbose_names_the_folds_of_a_grid_that_grows(capsys):
    fitted = fit("numbers", "folds", {"verbose": True}, alphas="auto")
    assert printed(capsys).keys() == {
        f"Fold {fold}, alpha {alpha:.4g}" for fold in (1, 2, 3) for alpha in fitted.alphas_
    }
