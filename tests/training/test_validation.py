"""Validation rows: which they are, what they are measured by, and what is kept."""

import copy

import numpy as np
import pytest
import sklearn
from keywords import FULL_BATCH, SOLVERS, read_by
from scipy.sparse import csr_array, csr_matrix
from sklearn.datasets import load_breast_cancer, load_iris, make_multilabel_classification
from sklearn.metrics import accuracy_score, f1_score, log_loss, make_scorer
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler, scale

from backprop_mlp import BackpropMLPClassifier
from backprop_mlp._training import validation
from backprop_mlp._training.validation import split_rows

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


X, y = load_iris(return_X_y=True)
X = scale(X)
rng = np.random.default_rng(5)
rows = rng.permutation(len(X))
X, y = X[rows], y[rows]
# Every sixth label is wrong, or validation would not get worse in the end.
y = np.where(np.arange(len(y)) % 6 == 0, rng.integers(3, size=len(y)), y)
WEIGHTS = rng.uniform(0.1, 3.0, len(X))
X_train, y_train, w_train = X[:90], y[:90], WEIGHTS[:90]
X_val, y_val, w_val = X[90:], y[90:], WEIGHTS[90:]
GIVEN = {"X_val": X_val, "y_val": y_val}


def constant(rng, fan_in, fan_out):
    """A start that does not depend on the seed."""
    return np.random.default_rng(fan_in).normal(size=(fan_in, fan_out)) / 2


def classifier(solver="adam", **params):
    defaults = {"activation": "tanh", "max_iter": 12, "tol": 0.0, "alpha": 0.1}
    defaults |= {"learning_rate_init": 0.05, "batch_size": 30, "random_state": 0}
    return BackpropMLPClassifier((12,), solver=solver, **read_by(solver, defaults | params))


def assert_same_parameters(one, other):
    assert all(map(np.array_equal, one.coefs_, other.coefs_))
    assert all(map(np.array_equal, one.intercepts_, other.intercepts_))


# The rows that are held out


def split(codes, fraction, seed=0, weights=None):
    """Both sides of a split of exclusive classes."""
    weights = np.ones(len(codes)) if weights is None else weights
    return split_rows(codes, weights, True, fraction, drawn(seed))


def drawn(random_state):
    """The seed of the split that a fit with this random_state draws."""
    return np.random.RandomState(random_state).randint(np.iinfo(np.int32).max)


@pytest.mark.parametrize(("fraction", "n_rows"), [(0.1, 150), (0.33, 150), (0.1, 141), (0.5, 7)])
def test_the_fraction_is_rounded_up(fraction, n_rows):
    train, held_out = split(y[:n_rows], fraction, 0)
    assert len(held_out) == np.ceil(fraction * n_rows)
    assert np.array_equal(np.sort(np.r_[train, held_out]), np.arange(n_rows))
    assert np.array_equal(train, np.sort(train))


def test_each_class_keeps_its_share():
    codes = np.repeat([0, 1, 2], [70, 20, 10])
    for seed in range(20):
        train, held_out = split(codes, 0.2, seed)
        assert np.bincount(codes[held_out]).tolist() == [14, 4, 2]
        assert np.bincount(codes[train]).tolist() == [56, 16, 8]


@pytest.mark.parametrize(
    ("codes", "fraction"),
    [
        (np.r_[np.zeros(49, int), 1], 0.2),  # a class of one row
        (np.arange(20) % 10, 0.1),  # fewer held-out rows than classes
        (np.arange(20) % 10, 0.9),  # fewer training rows than classes
    ],
    ids=["one row of a class", "few held out", "few left"],
)
def test_the_split_is_plain_where_a_class_is_too_small(codes, fraction):
    splits = {tuple(split(codes, fraction, seed)[1]) for seed in range(30)}
    assert len(splits) > 20
    assert {len(held_out) for held_out in splits} == {np.ceil(fraction * len(codes))}


@pytest.mark.parametrize("fraction", [0.1, 0.9])
def test_a_side_of_fewer_rows_than_classes_may_have_two_of_one_class(fraction):
    """As in a plain split: the first rows of classes by lot would never be of one."""
    codes = np.arange(20) % 10
    few = (codes[min(split(codes, fraction, seed), key=len)] for seed in range(200))
    assert any(first == second for first, second in few)


def test_classes_without_any_row_do_not_hinder_stratification():
    """Class numbers of rows that partial knowledge leaves empty."""
    codes = np.repeat([0, 3], [40, 10])
    for seed in range(10):
        _, held_out = split(codes, 0.2, seed)
        assert np.bincount(codes[held_out]).tolist() == [8, 0, 0, 2]


def test_as_many_held_out_rows_as_classes_are_one_of_each():
    codes = np.arange(50) % 10
    for seed in range(10):
        for fraction, side in ((0.2, 1), (0.8, 0)):
            assert np.bincount(codes[split(codes, fraction, seed)[side]]).tolist() == [1] * 10


@pytest.mark.parametrize("fraction", [0.1, 0.25, 0.6])
def test_a_class_misses_its_share_by_less_than_a_row(fraction):
    codes = np.random.default_rng(0).choice(12, 1000, p=np.arange(1, 13) / 78)
    counts = np.bincount(codes)
    for seed in range(10):
        train, held_out = split(codes, fraction, seed)
        assert (np.abs(np.bincount(codes[held_out]) - fraction * counts) < 1).all()
        assert np.array_equal(np.sort(np.r_[train, held_out]), np.arange(1000))


def test_between_classes_with_equal_remainders_the_lot_decides():
    """Three of ten rows: one of each class, and of one class another."""
    codes = np.arange(10) % 2
    twice = {int(np.bincount(codes[split(codes, 0.3, seed)[1]]).argmax()) for seed in range(30)}
    assert twice == {0, 1}


@pytest.mark.parametrize("codes", [np.arange(40) % 3, np.r_[np.zeros(39, int), 1]], ids=str)
def test_every_row_is_held_out_as_often_as_the_others(codes):
    n_seeds = 2000
    seeds = np.random.RandomState(0).randint(np.iinfo(np.int32).max, size=n_seeds)
    weights = np.ones(len(codes))
    held_out = np.concatenate([split_rows(codes, weights, True, 0.25, s)[1] for s in seeds])
    often = np.bincount(held_out, minlength=40) / n_seeds
    # Five standard deviations; the classes of 14 and 13 rows lose to rounding alike.
    assert np.abs(often - 0.25).max() < 5 * np.sqrt(0.25 * 0.75 / n_seeds) + 0.02


@pytest.mark.parametrize("multilabel", [False, True])
def test_how_many_rows_are_drawn_at_once_does_not_matter(multilabel, monkeypatch):
    codes = np.random.default_rng(1).integers(4, size=500)
    weights = np.arange(500) % 7.0
    whole = split_rows(codes, weights, not multilabel, 0.2, 3)
    monkeypatch.setattr(validation, "ROWS_AT_ONCE", 11)
    for rows, again in zip(whole, split_rows(codes, weights, not multilabel, 0.2, 3), strict=True):
        assert np.array_equal(rows, again)
        assert (weights[rows] > 0.0).all()


def test_parts_may_lack_the_last_class(monkeypatch):
    codes = np.repeat([0, 1, 2], [50, 46, 4])
    whole = split_rows(codes, np.ones(100), True, 0.25, 0)
    monkeypatch.setattr(validation, "ROWS_AT_ONCE", 3)
    for rows, again in zip(whole, split_rows(codes, np.ones(100), True, 0.25, 0), strict=True):
        np.testing.assert_array_equal(again, rows)


def test_the_rows_numbers_take_32_bits():
    assert [rows.dtype for rows in split(y, 0.1)] == [np.int32, np.int32]


@pytest.mark.parametrize("container", [np.asarray, csr_matrix])
def test_label_matrices_are_split_plainly(container):
    L = container(np.eye(3, dtype=int)[np.zeros(50, int)])
    train, held_out = split_rows(L, np.ones(50), False, 0.1, 0)
    assert (len(train), len(held_out)) == (45, 5)


@pytest.mark.parametrize("solver", ["lbfgs", "adam"])
def test_a_split_that_leaves_no_row_is_an_error(solver):
    with pytest.raises(ValueError, match=r"validation_fraction=0.99 leaves no row to train on"):
        classifier(solver, early_stopping=True, validation_fraction=0.99).fit(X[:20], y[:20])
    with pytest.raises(ValueError, match=r"leaves no row.*got n_samples=1"):
        classifier(solver, early_stopping=True).fit(X[:1], y[:1])
    classifier(solver, early_stopping=True).fit(X[:2], [0, 1])  # one on each side will do


@pytest.mark.parametrize("solver", ["lbfgs", "adam"])
def test_a_split_that_holds_out_no_row_is_an_error(solver):
    """MLPClassifier, too, takes a fraction of 0 as long as it does not stop early."""
    with pytest.raises(ValueError, match=r"validation_fraction=0 leaves no row to validate on"):
        classifier(solver, early_stopping=True, validation_fraction=0).fit(X, y)
    classifier(solver, early_stopping=True, validation_fraction=0).fit(X_train, y_train, **GIVEN)
    classifier(solver, validation_fraction=0.0).fit(X, y)


@pytest.mark.parametrize("fraction", [1.0, -0.1, "a tenth"], ids=str)
def test_a_wrong_fraction_is_named(fraction):
    with pytest.raises(ValueError, match="'validation_fraction' parameter"):
        classifier(validation_fraction=fraction).fit(X, y)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("weighted", [False, True])
def test_held_out_rows_are_like_rows_that_are_given(solver, weighted):
    """They are not trained on, and belong to no m."""
    params = {"initializer": constant, "shuffle": False, "early_stopping": True}
    weights = WEIGHTS if weighted else None
    holding_out = classifier(solver, **params, validation_fraction=0.2).fit(X, y, weights)
    train, held_out = split(y, 0.2, 0)
    given = classifier(solver, **params).fit(
        X[train],
        y[train],
        weights if weights is None else weights[train],
        X_val=X[held_out],
        y_val=y[held_out],
        sample_weight_val=weights if weights is None else weights[held_out],
    )
    np.testing.assert_allclose(holding_out.loss_curve_, given.loss_curve_, rtol=1e-12)
    np.testing.assert_allclose(
        holding_out.validation_loss_curve_, given.validation_loss_curve_, rtol=1e-12
    )
    np.testing.assert_allclose(holding_out.validation_scores_, given.validation_scores_, rtol=1e-12)
    for ours, theirs in zip(holding_out.coefs_, given.coefs_, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-9)


def test_a_seed_holds_out_the_same_rows():
    one, two = (classifier(early_stopping=True).fit(X, y) for _ in range(2))
    assert one.validation_scores_ == two.validation_scores_
    other = classifier(early_stopping=True, random_state=1).fit(X, y)
    assert one.validation_loss_curve_ != other.validation_loss_curve_


def test_balanced_classes_are_balanced_over_the_rows_that_train():
    params = {"class_weight": "balanced", "early_stopping": True, "validation_fraction": 0.4}
    skewed = np.r_[np.zeros(60, int), np.ones(30, int), np.full(60, 2)]
    fitted = classifier(**params).fit(X, skewed, WEIGHTS)
    train, _ = split(skewed, 0.4, 0)
    totals = np.bincount(skewed[train], WEIGHTS[train])
    np.testing.assert_allclose(fitted.class_weight_, totals.sum() / (3 * totals))


@pytest.mark.parametrize("seed", range(5))
def test_rows_without_weight_are_no_rows(seed):
    """They are on neither side, and change nothing on both."""
    weights = np.random.default_rng(seed).integers(0, 2, len(y))
    kept = np.flatnonzero(weights)
    train, held_out = split(y, 0.2, seed, weights)
    train_kept, held_out_kept = split(y[kept], 0.2, seed)
    assert np.array_equal(train, kept[train_kept])
    assert np.array_equal(held_out, kept[held_out_kept])


@pytest.mark.parametrize("solver", ["lbfgs", "adam"])
def test_rows_without_weight_may_be_left_out(solver):
    weights = np.where(np.arange(len(y)) % 3 == 0, 0.0, WEIGHTS)
    kept = weights > 0
    params = {"early_stopping": True, "scoring": "loss", "batch_size": len(y)}
    weighted = classifier(solver, **params).fit(X, y, weights)
    without = classifier(solver, **params).fit(X[kept], y[kept], weights[kept])
    np.testing.assert_allclose(weighted.validation_scores_, without.validation_scores_, rtol=1e-9)


def test_rows_without_weight_do_not_count_for_a_split():
    with pytest.raises(ValueError, match=r"leaves no row.*n_samples=1 with weight"):
        classifier(early_stopping=True).fit(X[:9], y[:9], np.eye(9)[4])


# What is measured


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("weights", [None, w_val], ids=["unweighted", "weighted"])
def test_the_score_is_accuracy(solver, weights):
    fitted = classifier(solver).fit(X_train, y_train, **GIVEN, sample_weight_val=weights)
    assert len(fitted.validation_scores_) == fitted.n_iter_ == 12
    expected = fitted.score(X_val, y_val, weights)
    assert fitted.validation_scores_[-1] == pytest.approx(expected, rel=1e-12)
    assert fitted.best_validation_score_ == max(fitted.validation_scores_)


@pytest.mark.parametrize("solver", SOLVERS)
def test_every_entry_of_the_record_is_that_of_its_iteration(solver):
    """A fit that ends there measures the same."""
    whole = classifier(solver, scoring="loss").fit(X_train, y_train, **GIVEN)
    for number in (1, 5, 12):
        part = classifier(solver, scoring="loss", max_iter=number)
        part.fit(X_train, y_train, **GIVEN)
        assert part.validation_scores_ == whole.validation_scores_[:number]
        assert part.validation_loss_curve_ == whole.validation_loss_curve_[:number]


@pytest.mark.parametrize("weights", [None, w_val], ids=["unweighted", "weighted"])
@pytest.mark.parametrize("solver", SOLVERS)
def test_the_validation_cost_is_the_mean_loss_with_the_penalty_of_training(solver, weights):
    fitted = classifier(solver, output_activation="softmax", alpha=2.0)
    fitted.fit(X_train, y_train, w_train, **GIVEN, sample_weight_val=weights)
    loss = log_loss(y_val, fitted.predict_proba(X_val), sample_weight=weights)
    penalty = 2.0 / (2 * w_train.sum()) * sum((W**2).sum() for W in fitted.coefs_)
    assert fitted.validation_loss_curve_[-1] == pytest.approx(loss + penalty, rel=1e-10)


def test_on_the_training_rows_it_is_the_cost():
    """J there and here, iteration by iteration."""
    fitted = classifier("lbfgs").fit(X, y, WEIGHTS, X_val=X, y_val=y, sample_weight_val=WEIGHTS)
    np.testing.assert_allclose(fitted.validation_loss_curve_, fitted.loss_curve_, rtol=1e-9)


@pytest.mark.parametrize("solver", ["lbfgs", "adam"])
def test_loss_is_a_score(solver):
    fitted = classifier(solver, scoring="loss", output_activation="softmax")
    fitted.fit(X_train, y_train, **GIVEN, sample_weight_val=w_val)
    expected = -log_loss(y_val, fitted.predict_proba(X_val), sample_weight=w_val)
    assert fitted.validation_scores_[-1] == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["unweighted", "weighted"])
def test_accuracy_by_name_is_the_default(weights):
    fits = [
        classifier(scoring=scoring, early_stopping=True).fit(X, y, weights)
        for scoring in (None, "accuracy")
    ]
    np.testing.assert_allclose(*(fitted.validation_scores_ for fitted in fits), rtol=1e-12)
    assert_same_parameters(*fits)


@pytest.mark.parametrize(
    ("scoring", "metric"),
    [
        ("f1_macro", lambda fitted: f1_score(y_val, fitted.predict(X_val), average="macro")),
        ("neg_log_loss", lambda fitted: -log_loss(y_val, fitted.predict_proba(X_val))),
        (make_scorer(accuracy_score), lambda fitted: fitted.score(X_val, y_val)),
        (lambda fitted, X, y: -np.abs(fitted.decision_function(X)).max(), None),
        (lambda fitted, X, y: -fitted.cost(X, y), None),
    ],
    ids=["f1_macro", "neg_log_loss", "make_scorer", "largest logit", "cost"],
)
@pytest.mark.parametrize("solver", ["cg", "sgd"])
def test_any_scorer_is_a_score(solver, scoring, metric):
    fitted = classifier(solver, scoring=scoring).fit(X_train, y_train, **GIVEN)
    expected = scoring(fitted, X_val, y_val) if metric is None else metric(fitted)
    assert fitted.validation_scores_[-1] == pytest.approx(expected, rel=1e-12)


def test_a_scorer_is_given_the_row_weights_and_nothing_else():
    seen = []

    def note(fitted, X, y, **given):
        seen.append((X, y, given))
        return 0.0

    params = {"scoring": note, "max_iter": 1, "class_weight": {0: 5.0}}
    classifier(**params).fit(X_train, y_train, **GIVEN)
    classifier(**params).fit(X_train, y_train, **GIVEN, sample_weight_val=w_val)
    (X_seen, y_seen, nothing), (*_, given) = seen
    assert np.array_equal(X_seen, X_val)
    assert np.array_equal(y_seen, y_val)
    assert nothing == {}
    assert given.keys() == {"sample_weight"}
    assert np.array_equal(given["sample_weight"], w_val)


def test_a_scorer_sees_the_labels_as_the_user_wrote_them():
    names = np.array(["setosa", "versicolor", "virginica"])
    seen = []

    def note(fitted, X, y):
        seen.append((set(y), set(fitted.predict(X))))
        return 0.0

    classifier(scoring=note, early_stopping=True, max_iter=1).fit(X, names[y])
    (labels, predictions) = seen[0]
    assert labels | predictions <= set(names)


def test_what_a_scorer_is_given_predicts_with_folded_layers():
    """And is another one in each iteration."""
    seen = []

    def keep(fitted, X, y):
        seen.append(fitted)
        return 0.0

    fitted = classifier(scoring=keep, batch_norm=True, dropout=0.3)
    fitted.fit(X_train, y_train, **GIVEN)
    assert_same_parameters(seen[-1], fitted)
    assert not np.array_equal(seen[0].coefs_[0], seen[-1].coefs_[0])
    assert len({id(estimator) for estimator in seen}) == 12


@pytest.mark.parametrize("scoring", ["speed", 3, ["accuracy", "f1_macro"]], ids=str)
def test_a_wrong_scoring_is_named(scoring):
    with pytest.raises(ValueError, match="'scoring' parameter"):
        classifier(scoring=scoring).fit(X, y)


@pytest.mark.parametrize("given", ["good", None, np.ones(2)], ids=repr)
@pytest.mark.parametrize("solver", ["lbfgs", "adam"])
def test_a_score_that_is_no_number_is_named(solver, given):
    model = classifier(solver, scoring=lambda estimator, X, y: given)
    with pytest.raises(TypeError, match="scoring must give a number; got"):
        model.fit(X_train, y_train, **GIVEN)
    assert not hasattr(model, "coefs_")


@pytest.mark.parametrize("solver", ["lbfgs", "adam"])
def test_nan_is_a_score_that_can_not_decide_when_to_stop(solver):
    model = classifier(solver, scoring=lambda estimator, X, y: np.nan)
    assert np.isnan(model.fit(X_train, y_train, **GIVEN).validation_scores_).all()
    with pytest.raises(ValueError, match="scoring must give a number where early_stopping=True"):
        model.set_params(early_stopping=True).fit(X_train, y_train, **GIVEN)


def test_class_weights_count_in_the_default_score_and_in_the_loss():
    class_weight = {0: 5.0, 2: 0.5}
    factors = np.array([5.0, 1.0, 0.5])[y_val] * w_val
    for scoring in (None, "loss"):
        by_class = classifier(scoring=scoring, class_weight=class_weight)
        by_class.fit(X_train, y_train, **GIVEN, sample_weight_val=w_val)
        by_row = classifier(scoring=scoring)
        by_row.fit(
            X_train,
            y_train,
            np.array([5.0, 1.0, 0.5])[y_train],
            **GIVEN,
            sample_weight_val=factors,
        )
        assert by_class.validation_scores_ == by_row.validation_scores_
        assert by_class.validation_loss_curve_ == by_row.validation_loss_curve_


def test_class_weights_of_each_label_count_in_the_loss():
    """The mean over rows of the cross-entropies of the labels, each by its class's weight."""
    labels, labels_val = (np.column_stack([y == 0, y > 1]).astype(int) for y in (y_train, y_val))
    model = classifier("lbfgs", class_weight=[{0: 3.0}, {1: 0.25}], max_iter=3)
    model.fit(X_train, labels, X_val=X_val, y_val=labels_val)
    P = model.predict_proba(X_val)
    of_own_class = np.where(labels_val == 1, P, 1.0 - P)
    weights = np.where(labels_val == 1, [1.0, 0.25], [3.0, 1.0])
    expected = (weights * -np.log(of_own_class)).sum() / len(X_val)
    assert model.validation_loss_curve_[-1] == pytest.approx(
        expected + model.alpha * sum((W**2).sum() for W in model.coefs_) / 2 / len(X_train)
    )


# What is kept


@pytest.mark.parametrize("solver", SOLVERS)
def test_watching_changes_nothing(solver):
    watched = classifier(solver, dropout=0.2 * (solver == "adam"))
    alone = copy.deepcopy(watched).fit(X_train, y_train)
    watched.fit(X_train, y_train, **GIVEN)
    assert_same_parameters(watched, alone)
    assert watched.loss_curve_ == alone.loss_curve_
    assert alone.validation_scores_ is alone.validation_loss_curve_ is None
    assert alone.best_validation_score_ is None


@pytest.mark.parametrize("scoring", [None, "loss"])
@pytest.mark.parametrize("solver", SOLVERS)
def test_early_stopping_keeps_the_parameters_with_the_best_score(solver, scoring):
    params = {"early_stopping": True, "scoring": scoring, "max_iter": 60}
    params |= {"alpha": 0.0, "n_iter_no_change": 60}
    fitted = classifier(solver, **params).fit(X_train, y_train, **GIVEN)
    best = int(np.argmax(fitted.validation_scores_))
    assert best < fitted.n_iter_ - 1  # or the test would show nothing
    there = classifier(solver, **params | {"max_iter": best + 1}).fit(X_train, y_train, **GIVEN)
    assert_same_parameters(fitted, there)
    assert there.loss_ == there.loss_curve_[-1]
    if solver in FULL_BATCH:
        assert fitted.loss_ == fitted.loss_curve_[best]
    assert fitted.loss_ == pytest.approx(fitted.cost(X_train, y_train), rel=1e-12)
    assert fitted.best_validation_score_ == fitted.validation_scores_[best]
    assert len(fitted.validation_scores_) == fitted.n_iter_


def test_it_keeps_them_folded():
    params = {"early_stopping": True, "batch_norm": True, "max_iter": 40, "alpha": 0.0}
    fitted = classifier(**params).fit(X_train, y_train, **GIVEN)
    best = int(np.argmax(fitted.validation_scores_))
    assert best < fitted.n_iter_ - 1
    assert fitted.score(X_val, y_val) == fitted.best_validation_score_


@pytest.mark.parametrize("solver", SOLVERS)
def test_it_stops_where_the_score_rises_no_more(solver):
    params = {"early_stopping": True, "n_iter_no_change": 5, "max_iter": 500, "tol": 0.001}
    fitted = classifier(solver, **params).fit(X_train, y_train, **GIVEN)
    scores = np.array(fitted.validation_scores_)
    assert fitted.converged_
    assert fitted.n_iter_ < 500
    assert scores[-5:].max() - scores[:-5].max() < 0.001
    for end in range(6, len(scores)):
        assert scores[end - 5 : end].max() - scores[: end - 5].max() >= 0.001


@pytest.mark.parametrize("solver", ["lbfgs", "adam"])
def test_the_best_restart_is_the_one_with_the_best_score(solver):
    """More starts begin with the same ones, so that the best score rises with their number.

    The score is one that has nothing to do with the cost.
    """
    params = {"early_stopping": True, "scoring": lambda fitted, X, y: fitted.coefs_[0][0, 0]}
    params["max_iter"] = 6
    fits = [
        classifier(solver, n_init=n_init, **params).fit(X_train, y_train, **GIVEN)
        for n_init in range(1, 6)
    ]
    scores = [fitted.best_validation_score_ for fitted in fits]
    assert scores == sorted(scores)
    assert scores[-1] > scores[0]
    cheapest = classifier(solver, n_init=5, max_iter=6).fit(X_train, y_train)
    assert scores[-1] > cheapest.coefs_[0][0, 0]


def test_a_restart_is_chosen_by_cost_where_scores_are_only_watched():
    watched = classifier("lbfgs", n_init=5).fit(X_train, y_train, **GIVEN)
    assert_same_parameters(watched, classifier("lbfgs", n_init=5).fit(X_train, y_train))


@pytest.mark.parametrize("container", [np.asarray, csr_matrix, csr_array])
@pytest.mark.parametrize("solver", ["cg", "adam"])
@pytest.mark.parametrize("scoring", [None, "loss", "f1_micro"])
def test_label_matrices_stop_early_too(container, solver, scoring):
    Z, L = make_multilabel_classification(100, 8, n_classes=3, random_state=0)
    params = {"early_stopping": True, "scoring": scoring, "max_iter": 6}
    fitted = classifier(solver, **params).fit(Z, container(L))
    dense = classifier(solver, **params).fit(Z, L)
    assert_same_parameters(fitted, dense)
    assert fitted.validation_scores_ == dense.validation_scores_
    validation = {"X_val": Z[80:], "y_val": container(L[80:])}
    given = classifier(solver, max_iter=2).fit(Z[:80], container(L[:80]), **validation)
    assert given.validation_scores_[-1] == given.score(Z[80:], L[80:])


# The caller's own rows


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("container", [np.asarray, csr_matrix, csr_array])
def test_they_may_be_of_another_kind_than_the_training_rows(container, dtype):
    fitted = classifier().fit(X_train, y_train, X_val=container(X_val.astype(dtype)), y_val=y_val)
    same = classifier().fit(X_train, y_train, **GIVEN)
    assert_same_parameters(fitted, same)
    np.testing.assert_allclose(
        fitted.validation_loss_curve_, same.validation_loss_curve_, rtol=1e-5
    )


def test_they_may_be_more_than_a_block():
    many = {"X_val": np.tile(X_val, (50, 1)), "y_val": np.tile(y_val, 50)}
    fitted = classifier().fit(X_train, y_train, **many)
    same = classifier().fit(X_train, y_train, **GIVEN)
    np.testing.assert_allclose(fitted.validation_scores_, same.validation_scores_, rtol=1e-12)


def test_they_may_lack_classes():
    one_class = y_val == 1
    fitted = classifier().fit(X_train, y_train, X_val=X_val[one_class], y_val=y_val[one_class])
    assert len(fitted.validation_scores_) == 12


def test_with_them_all_rows_are_trained_on():
    watched = classifier(early_stopping=True).fit(X_train, y_train, **GIVEN)
    assert watched.t_ == watched.n_iter_ * len(X_train)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"X_val": X_val}, "X_val and y_val must be given together"),
        ({"y_val": y_val}, "X_val and y_val must be given together"),
        ({"sample_weight_val": w_val}, "sample_weight_val needs X_val and y_val"),
        ({"y_val": y_val, "sample_weight_val": w_val}, "X_val and y_val must be given together"),
        ({"X_val": X_val[:, :3], "y_val": y_val}, "3 features"),
        ({"X_val": X_val[:-1], "y_val": y_val}, "inconsistent numbers of samples"),
        ({"X_val": X_val * np.nan, "y_val": y_val}, "NaN"),
        ({"X_val": X_val, "y_val": y_val + 1}, r"labels that are not among the classes .*\[3\]"),
        ({"X_val": X_val, "y_val": y_val.astype(str)}, "not among the classes"),
        (GIVEN | {"sample_weight_val": w_val[:-1]}, r"(?i)sample.?weight.*shape"),
        (GIVEN | {"sample_weight_val": -w_val}, "Negative"),
        (GIVEN | {"sample_weight_val": 0 * w_val}, r"(?i)weight"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
@pytest.mark.parametrize("early_stopping", [False, True])
def test_wrong_validation_rows_are_named_before_any_work(given, message, early_stopping):
    estimator = classifier(early_stopping=early_stopping, initializer=lambda *_: 1 / 0)
    with pytest.raises(ValueError, match=message):
        estimator.fit(X_train, y_train, **given)
    assert vars(estimator).keys() == classifier().get_params().keys()


@pytest.fixture
def routing():
    with sklearn.config_context(enable_metadata_routing=True):
        yield


def test_a_pipeline_transforms_them(routing):
    raw, labels = load_breast_cancer(return_X_y=True)
    network = classifier("lbfgs", early_stopping=True, alpha=1.0)
    network.set_fit_request(X_val=True, y_val=True, sample_weight=True)
    pipeline = Pipeline(
        [("scale", StandardScaler().set_fit_request(sample_weight=False)), ("net", network)],
        transform_input=["X_val"],
    )
    weights = np.ones(400)
    pipeline.fit(
        raw[:400], labels[:400], X_val=raw[400:], y_val=labels[400:], sample_weight=weights
    )
    scores = pipeline["net"].validation_scores_
    assert pipeline.score(raw[400:], labels[400:]) == max(scores) > 0.9


def test_without_routing_a_pipeline_passes_them_on_as_they_are():
    pipeline = Pipeline([("scale", StandardScaler()), ("net", classifier())])
    scaled = StandardScaler().fit(X_train).transform(X_val)
    pipeline.fit(X_train, y_train, net__X_val=scaled, net__y_val=y_val)
    assert pipeline["net"].validation_scores_[-1] == pipeline.score(X_val, y_val)


def test_a_grid_search_passes_them_on():
    search = GridSearchCV(classifier(max_iter=3), {"alpha": [0.1, 1.0]}, cv=2)
    search.fit(X_train, y_train, X_val=X_val, y_val=y_val)
    best = search.best_estimator_
    assert best.validation_scores_[-1] == best.score(X_val, y_val)
