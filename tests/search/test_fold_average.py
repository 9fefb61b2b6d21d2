"""refit="folds": the networks of the folds, averaged, and what held-out rows cost them."""

import copy
import pickle
import tracemalloc

import numpy as np
import pytest
from scipy.special import expit, logit, softmax
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_iris, make_multilabel_classification
from sklearn.metrics import log_loss
from sklearn.model_selection import (
    KFold,
    RepeatedStratifiedKFold,
    ShuffleSplit,
    StratifiedKFold,
    cross_val_score,
)

from backprop_mlp import BackpropMLPClassifier, BackpropMLPClassifierCV
from backprop_mlp._search.averaging import _log_mean_exp
from backprop_mlp._search.held_out import out_of_fold

IRIS, SPECIES = load_iris(return_X_y=True)
IRIS = (IRIS - IRIS.mean(axis=0)) / IRIS.std(axis=0)
X_LABELS, LABELS = make_multilabel_classification(90, 6, n_classes=3, random_state=0)
DATA = {
    "three": (IRIS, SPECIES),
    "two": (IRIS, np.array(["no", "yes"])[(SPECIES == 2).astype(int)]),
    "labels": (X_LABELS, LABELS),
}
WEIGHTS = np.random.default_rng(0).uniform(0.0, 2.0, len(IRIS))
ALPHAS = [0.1, 1.0, 10.0]


def search(**params):
    network = BackpropMLPClassifier(6, max_iter=6, random_state=0)
    given = {"alphas": ALPHAS, "cv": 3, "refit": "folds", "random_state": 0} | params
    return BackpropMLPClassifierCV(network, **given)


@pytest.fixture(scope="module", params=DATA)
def averaged(request):
    X, y = DATA[request.param]
    return search().fit(X, y), X, y


@pytest.fixture(scope="module")
def of_iris():
    return search().fit(IRIS, SPECIES)


# What is averaged


def test_the_probabilities_are_the_mean_of_the_networks(averaged):
    model, X, _ = averaged
    expected = np.mean([network.predict_proba(X) for network in model.estimators_], axis=0)
    np.testing.assert_allclose(model.predict_proba(X), expected, rtol=1e-12)


@pytest.mark.parametrize("data", ["three", "two"])
def test_there_is_a_network_per_fold_at_alpha_and_at_the_next_weaker_one(data):
    model = search()
    model.estimator.set_params(max_iter=60)
    model.fit(*DATA[data])
    assert model.alpha_ == 1.0
    assert [network.alpha for network in model.estimators_] == [0.1, 1.0] * 3


def test_where_a_score_chooses_alpha_the_loss_says_what_is_averaged():
    model = search(scoring="accuracy", alphas=[0.5, 1.0])
    model.estimator.set_params(max_iter=60)
    model.fit(*DATA["two"])
    assert model.alpha_ == 1.0
    assert [network.alpha for network in model.estimators_] == [0.5, 1.0] * 3


def test_a_network_of_a_fold_has_the_keywords_of_the_estimator(averaged):
    model, _, _ = averaged
    for network in model.estimators_:
        of_the_fold = {"alpha": network.alpha, "random_state": network.random_state}
        assert network.get_params() == model.estimator.get_params() | of_the_fold


def test_the_networks_of_folds_go_on_from_where_they_are_only_if_the_estimator_does():
    """Along the path they always do."""
    for warm_start in (False, True):
        model = search().set_params(estimator__warm_start=warm_start).fit(IRIS, SPECIES)
        assert {network.warm_start for network in model.estimators_} == {warm_start}


def test_a_network_of_a_fold_records_its_own_alpha_alone():
    """The weaker alphas, from which it went on, have records of their own."""
    model = search(alphas=[0.05, 0.1]).fit(IRIS, SPECIES)
    assert {network.alpha for network in model.estimators_} == {0.05, 0.1}
    for network in model.estimators_:
        assert len(network.loss_curve_) == network.n_iter_ <= 6


def test_at_the_weak_end_of_the_grid_only_its_networks_are_averaged():
    model = search(alphas=[1.0, 1000.0]).fit(IRIS, SPECIES)
    assert model.alpha_ == 1.0
    assert [network.alpha for network in model.estimators_] == [1.0] * 3


def test_each_fold_network_was_trained_without_the_rows_it_leaves_out():
    model = search(alphas=[1.0], cv=KFold(3), random_state=None).fit(IRIS, SPECIES % 2)
    for network, (train, _) in zip(model.estimators_, KFold(3).split(IRIS), strict=True):
        alone = clone(model.estimator).set_params(alpha=1.0)
        expected = alone.fit(IRIS[train], SPECIES[train] % 2).predict_proba(IRIS)
        np.testing.assert_array_equal(network.predict_proba(IRIS), expected)


def test_the_decision_function_is_the_logarithm_of_the_mean_probabilities(averaged):
    model, X, _ = averaged
    P, z = model.predict_proba(X), model.decision_function(X)
    if z.ndim == 1:
        np.testing.assert_allclose(z, logit(P[:, 1]), rtol=1e-7, atol=1e-9)
        np.testing.assert_allclose(expit(z), P[:, 1], rtol=1e-12)
    elif z.shape[1] == 3 and np.allclose(P.sum(axis=1), 1.0):
        np.testing.assert_allclose(z, np.log(P), rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(softmax(z, axis=1), P, rtol=1e-12)
    else:
        np.testing.assert_allclose(expit(z), P, rtol=1e-12)


def test_what_is_predicted_has_the_largest_probability(averaged):
    model, X, _ = averaged
    P, z, predicted = model.predict_proba(X), model.decision_function(X), model.predict(X)
    if predicted.ndim == 2:
        np.testing.assert_array_equal(predicted, z > 0.0)
        np.testing.assert_array_equal(predicted, P > 0.5)
    else:
        np.testing.assert_array_equal(predicted, model.classes_[P.argmax(axis=1)])
        codes = z.argmax(axis=1) if z.ndim == 2 else (z > 0.0).astype(int)
        np.testing.assert_array_equal(predicted, model.classes_[codes])


def test_log_probabilities_are_finite_far_away(averaged):
    model, X, _ = averaged
    log_P = model.predict_log_proba(1e6 * X)
    assert np.isfinite(log_P).all()
    near = model.predict_log_proba(X)
    np.testing.assert_allclose(np.exp(near), model.predict_proba(X), rtol=1e-12)


def test_float32_stays_float32():
    X, y = DATA["three"]
    model = search().fit(X.astype(np.float32), y)
    assert model.predict_proba(X.astype(np.float32)).dtype == np.float32
    assert all(W.dtype == np.float32 for W in model.estimators_[0].coefs_)


@pytest.mark.parametrize(("dtype", "rtol"), [(np.float64, 1e-12), (np.float32, 1e-5)])
def test_blocks_of_rows_do_not_matter(dtype, rtol, monkeypatch):
    X = IRIS.astype(dtype)
    model = search().fit(X, SPECIES)
    expected = model.predict_proba(X)
    monkeypatch.setattr("backprop_mlp._search.averaging.ROWS_AT_A_TIME", 7)
    np.testing.assert_allclose(model.predict_proba(X), expected, rtol=rtol)
    assert model.predict_proba(X).dtype == dtype


def test_networks_that_know_some_of_the_classes_only():
    """Each of iris' species is missing in the training rows of one fold."""
    model = search(cv=KFold(3), random_state=None, alphas=[1.0]).fit(IRIS, SPECIES)
    P = np.zeros((len(IRIS), 3))
    for network in model.estimators_:
        assert len(network.classes_) == 2
        P[:, network.classes_] += network.predict_proba(IRIS) / 3.0
    np.testing.assert_allclose(model.predict_proba(IRIS), P, rtol=1e-12)
    assert np.isfinite(model.predict_log_proba(IRIS)).all()


def test_a_class_that_no_network_knows_has_probability_zero():
    splits = [(np.arange(100), np.arange(100, 150)), (np.arange(100), np.arange(50, 150))]
    model = search(cv=splits, alphas=[1.0]).fit(IRIS, SPECIES)
    np.testing.assert_array_equal(model.predict_proba(IRIS)[:, 2], 0.0)
    assert np.isfinite(model.predict_log_proba(IRIS)).all()
    assert np.isfinite(model.decision_function(IRIS)).all()


def test_a_pickle_predicts_the_same(averaged):
    model, X, _ = averaged
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))


@pytest.mark.parametrize(("dtype", "atol"), [(np.float64, 1e-12), (np.float32, 1e-6)])
@pytest.mark.parametrize("cv", [3, KFold(3)])
@pytest.mark.parametrize("data", DATA)
def test_onnx_has_one_graph_that_predicts_the_same(data, cv, dtype, atol):
    runtime = pytest.importorskip("onnxruntime", reason="onnxruntime comes with the extra onnx")
    door = pytest.importorskip("backprop_mlp.onnx", reason="skl2onnx comes with the extra onnx")
    X, y = DATA[data]
    X = X.astype(dtype)
    model = search(cv=cv, alphas=[0.1, 1.0]).fit(X, y)
    graph = door.to_onnx(model, X[:1]).SerializeToString()
    labels, P = runtime.InferenceSession(graph).run(None, {"X": X})
    np.testing.assert_allclose(P, model.predict_proba(X), atol=atol)
    np.testing.assert_array_equal(labels, model.predict(X))


# How alpha is chosen


def test_the_score_is_minus_the_log_loss_of_all_held_out_rows_together():
    model = search(refit=True, cv=ShuffleSplit(4, test_size=0.3, random_state=0), alphas=[1.0])
    model.fit(IRIS, SPECIES, WEIGHTS)
    splits = list(model.cv.split(IRIS))
    rows = np.concatenate([test for _, test in splits])
    P = np.concatenate(
        [
            clone(model.estimator)
            .set_params(alpha=1.0, random_state=seed)
            .fit(IRIS[train], SPECIES[train], WEIGHTS[train])
            .predict_proba(IRIS[test])
            for (train, test), seed in zip(splits, seeds_of(model, 4), strict=True)
        ]
    )
    expected = -log_loss(SPECIES[rows], P, sample_weight=WEIGHTS[rows])
    assert model.best_score_ == pytest.approx(expected, rel=1e-10)


def seeds_of(model, n_folds):
    """The seeds that a search draws: one for the last fit, and one per fold."""
    rng = np.random.RandomState(model.random_state)
    return rng.randint(np.iinfo(np.int32).max, size=1 + n_folds)[1:].tolist()


def test_the_scores_of_labels_are_sums_over_the_labels():
    model = search(refit=True, alphas=[1.0]).fit(X_LABELS, LABELS)
    P = model.oof_proba_
    losses = [log_loss(LABELS[:, k], P[:, k]) for k in range(LABELS.shape[1])]
    assert model.best_score_ == pytest.approx(-np.sum(losses), rel=1e-12)


def test_the_choice_is_not_that_of_accuracy():
    X, y = load_breast_cancer(return_X_y=True)
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    X, y = X[::2], y[::2]
    by_loss = search(refit=True, alphas=4).fit(X, y)
    assert by_loss.alpha_ == by_loss.alphas_[by_loss.scores_.mean(axis=1).argmax()]
    named = search(refit=True, alphas=4, scoring="log_loss").fit(X, y)
    np.testing.assert_array_equal(by_loss.scores_, named.scores_)


def test_score_is_accuracy_unless_the_log_loss_is_asked_for(of_iris):
    model = copy.deepcopy(of_iris)
    assert model.score(IRIS, SPECIES) == np.mean(model.predict(IRIS) == SPECIES)
    model.set_params(scoring="log_loss")
    expected = -log_loss(SPECIES, model.predict_proba(IRIS), sample_weight=WEIGHTS)
    assert model.score(IRIS, SPECIES, WEIGHTS.tolist()) == pytest.approx(expected, rel=1e-12)


def test_a_label_that_was_in_no_row_has_no_loss():
    model = search(scoring="log_loss").fit(IRIS, SPECIES)
    with pytest.raises(ValueError, match=r"labels that are not among the classes .*: \[7\]"):
        model.score(IRIS, np.where(SPECIES == 0, 7, SPECIES))


def test_the_grid_goes_on_until_the_best_alpha_lies_inside():
    model = search(alphas="auto").fit(IRIS, SPECIES)
    best = model.alphas_.tolist().index(model.alpha_)
    at_an_end = best in (0, len(model.alphas_) - 1)
    assert not at_an_end or model.alpha_ in (0.01, 1000.0)
    np.testing.assert_allclose(np.diff(np.log10(model.alphas_)), 0.5)
    assert model.scores_.shape == model.train_scores_.shape == model.n_iter_.shape
    assert model.scores_.shape == (len(model.alphas_), 3)


def test_a_walk_to_stronger_alphas_is_a_path_along_all_of_them():
    X, y = np.random.default_rng(0).normal(size=(60, 2)), np.arange(60) % 2
    walked = search(alphas="auto").fit(X, y)
    assert walked.alphas_[0] == 1.0
    assert len(walked.alphas_) > 3
    given = search(alphas=walked.alphas_).fit(X, y)
    np.testing.assert_array_equal(given.scores_, walked.scores_)
    # Those of an alpha stay as they are when the next one goes on from them.
    np.testing.assert_array_equal(given.predict_proba(X), walked.predict_proba(X))


def test_where_there_is_nothing_to_learn_the_grid_ends_at_its_limit():
    rng = np.random.default_rng(0)
    model = search(alphas="auto").fit(rng.normal(size=(60, 2)), np.arange(60) % 2)
    assert model.alphas_[-1] <= 1000.0


def test_with_other_scorings_auto_is_a_fixed_grid():
    model = search(alphas="auto", scoring="accuracy").fit(IRIS, SPECIES)
    np.testing.assert_allclose(model.alphas_, np.logspace(-1, 2, 7))


# Folds and seeds


def test_random_state_shuffles_the_folds_and_repeats_itself(of_iris):
    again = search().fit(IRIS, SPECIES)
    np.testing.assert_array_equal(again.predict_proba(IRIS), of_iris.predict_proba(IRIS))
    other = search(random_state=1).fit(IRIS, SPECIES)
    assert not np.array_equal(of_iris.scores_, other.scores_)
    unshuffled = {"random_state": None, "refit": False, "alphas": [1.0]}
    plain = search(**unshuffled).fit(IRIS, SPECIES)
    given = search(**unshuffled, cv=StratifiedKFold(3)).fit(IRIS, SPECIES)
    np.testing.assert_array_equal(plain.scores_, given.scores_)


def test_the_networks_of_the_folds_start_differently_with_a_random_state(of_iris):
    assert len({network.random_state for network in of_iris.estimators_}) == 3
    model = search(random_state=None).fit(IRIS, SPECIES)
    assert {network.random_state for network in model.estimators_} == {0}


def test_the_number_of_jobs_changes_no_bit():
    one, two = (search(alphas="auto", n_jobs=n).fit(IRIS, SPECIES) for n in (1, 2))
    np.testing.assert_array_equal(one.predict_proba(IRIS), two.predict_proba(IRIS))


# Out-of-fold probabilities


def test_out_of_fold_probabilities_are_those_of_the_networks_that_left_the_row_out():
    cv = KFold(3, shuffle=True, random_state=0)
    model = search(cv=cv).fit(IRIS, SPECIES)
    n_alphas = len(model.estimators_) // 3
    for fold, (_, test) in enumerate(cv.split(IRIS)):
        members = model.estimators_[fold * n_alphas : (fold + 1) * n_alphas]
        expected = np.mean([network.predict_proba(IRIS[test]) for network in members], axis=0)
        np.testing.assert_allclose(model.oof_proba_[test], expected, rtol=1e-12)


def test_rows_that_are_left_out_twice_have_the_mean_and_others_have_none():
    twice = search(cv=RepeatedStratifiedKFold(n_splits=3, n_repeats=2, random_state=0))
    np.testing.assert_allclose(twice.fit(IRIS, SPECIES).oof_proba_.sum(axis=1), 1.0)
    splits = [(np.arange(50, 150), np.arange(50)), (np.arange(0, 150, 2), np.arange(50))]
    P = search(cv=splits).fit(IRIS, SPECIES).oof_proba_
    np.testing.assert_array_equal(np.isnan(P).any(axis=1), np.arange(150) >= 50)


# As an estimator


def test_a_search_keeps_one_kind_of_fit(of_iris):
    model = copy.deepcopy(of_iris)
    assert not hasattr(model, "best_estimator_")
    model.set_params(refit=True).fit(IRIS, SPECIES)
    assert not hasattr(model, "estimators_")
    assert hasattr(model, "best_estimator_")


def test_it_is_scored_like_every_classifier():
    longer = search(alphas=[0.1, 1.0]).set_params(estimator__max_iter=15)
    assert cross_val_score(longer, IRIS, SPECIES, cv=2).mean() > 0.9


def test_a_train_score_is_minus_the_log_loss_of_the_weighted_rows_that_train():
    cv = KFold(3, shuffle=True, random_state=0)
    model = search(cv=cv, alphas=[1.0]).fit(IRIS, SPECIES, WEIGHTS)
    expected = [
        -log_loss(SPECIES[train], network.predict_proba(IRIS[train]), sample_weight=WEIGHTS[train])
        for network, (train, _) in zip(model.estimators_, cv.split(IRIS), strict=True)
    ]
    np.testing.assert_allclose(model.train_scores_[0], expected, rtol=1e-10)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_walk_to_weaker_alphas_goes_on_from_the_weakest_one_so_far():
    cv = KFold(3, shuffle=True, random_state=0)
    model = search(alphas="auto", cv=cv, random_state=None, refit=False).fit(IRIS, SPECIES)
    number = np.flatnonzero(model.alphas_ == 1.0)[0] - 1
    assert number >= 0
    for fold, (train, test) in enumerate(cv.split(IRIS)):
        network = clone(model.estimator).set_params(alpha=1.0, warm_start=True)
        network.fit(IRIS[train], SPECIES[train])
        network.set_params(alpha=model.alphas_[number], max_iter=int(model.n_iter_[number, fold]))
        P = network.fit(IRIS[train], SPECIES[train]).predict_proba(IRIS[test])
        expected = -log_loss(SPECIES[test], P)
        assert model.scores_[number, fold] == pytest.approx(expected, rel=1e-10)


def test_rows_count_the_same_in_folds_of_different_sizes():
    numbers = np.random.default_rng(0).permutation(len(SPECIES))
    tests = np.split(numbers, [10, 60])
    folds = [(np.setdiff1d(numbers, test), test) for test in tests]
    model = search(cv=folds, alphas=[1.0]).fit(IRIS, SPECIES)
    assert model.best_score_ == pytest.approx(-log_loss(SPECIES, model.oof_proba_), rel=1e-12)
    assert model.best_score_ != pytest.approx(model.scores_.mean(), rel=1e-3)


def test_a_class_that_a_fold_lacks_costs_what_scikit_learns_smallest_probability_does():
    model = search(cv=KFold(3), random_state=None, alphas=[1.0]).fit(IRIS, SPECIES)
    np.testing.assert_allclose(model.scores_, np.log(np.finfo(np.float64).eps), rtol=1e-12)


def test_out_of_fold_probabilities_of_float32_sum_to_one_in_their_own_precision():
    P = search(alphas=[1.0]).fit(IRIS.astype(np.float32), SPECIES).oof_proba_
    assert P.dtype == np.float64
    np.testing.assert_allclose(P.sum(axis=1), 1.0, rtol=1e-14)


@pytest.mark.parametrize(
    "network",
    [
        {"solver": "lbfgs", "max_iter": 60, "tol": 0.0},
        {"solver": "sgd", "max_iter": 6, "tol": 1e9, "n_iter_no_change": 1}
        | {"learning_rate": "adaptive", "learning_rate_init": 0.1},
        {"solver": "sgd", "max_iter": 6, "learning_rate": "cosine", "learning_rate_init": 0.1},
    ],
    ids=["lbfgs", "adaptive", "cosine"],
)
def test_each_alpha_of_a_walk_is_trained_as_long_and_at_the_rate_as_on_a_given_grid(network):
    X, y = np.random.default_rng(0).normal(size=(60, 2)), np.arange(60) % 2
    estimator = BackpropMLPClassifier(6, random_state=0, **network)
    walked = search(alphas="auto").set_params(estimator=estimator).fit(X, y)
    assert len(walked.alphas_) > 3
    given = search(alphas=walked.alphas_).set_params(estimator=estimator).fit(X, y)
    np.testing.assert_array_equal(given.n_iter_, walked.n_iter_)
    np.testing.assert_array_equal(given.scores_, walked.scores_)


def test_a_row_that_a_fold_leaves_out_twice_keeps_its_outputs():
    """As folds drawn with replacement do."""
    tests, outputs = [np.array([0, 0, 2])], [np.array([[0.25], [0.25], [0.5]])]
    np.testing.assert_array_equal(out_of_fold(3, tests, outputs), [[0.25], [np.nan], [0.5]])


def test_a_mean_takes_no_memory_of_the_size_of_all_members():
    members = [np.zeros((2_000, 50)) for _ in range(20)]
    tracemalloc.start()
    _log_mean_exp(members)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 6 * members[0].nbytes
