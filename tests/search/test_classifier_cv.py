"""alpha by cross-validation: the same choice as a grid search, for a fraction of the work."""

import copy
import warnings

import numpy as np
import pandas as pd
import pytest
import sklearn
from scipy.sparse import csr_matrix
from sklearn.base import clone
from sklearn.datasets import load_digits, load_iris, make_multilabel_classification
from sklearn.exceptions import (
    ConvergenceWarning,
    DataConversionWarning,
    UndefinedMetricWarning,
)
from sklearn.linear_model import LogisticRegression, LogisticRegressionCV
from sklearn.metrics import (
    f1_score,
    get_scorer,
    log_loss,
    make_scorer,
    recall_score,
    roc_auc_score,
)
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    KFold,
    StratifiedKFold,
    ValidationCurveDisplay,
    cross_validate,
)
from sklearn.utils.fixes import parse_version

from backprop_mlp import BackpropMLPClassifier, BackpropMLPClassifierCV
from backprop_mlp._search.alpha_search import Choice

IRIS, SPECIES = load_iris(return_X_y=True)
IRIS = (IRIS - IRIS.mean(axis=0)) / IRIS.std(axis=0)
ALPHAS = [0.01, 1.0, 100.0]
WEIGHTS = np.random.default_rng(0).uniform(0.0, 2.0, len(IRIS))

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def network(**params):
    return BackpropMLPClassifier(
        **{"hidden_layer_sizes": 6, "activation": "tanh", "max_iter": 6, "random_state": 0} | params
    )


def search(alphas=ALPHAS, **params):
    return BackpropMLPClassifierCV(network(), alphas=alphas, **{"cv": 2} | params)


# What is chosen


def test_the_weakest_alpha_is_trained_from_the_beginning():
    fitted = search([0.01, 1.0], scoring="accuracy", cv=None, refit=False).fit(IRIS, SPECIES)
    expected = cross_validate(
        network(alpha=min(ALPHAS)), IRIS, SPECIES, cv=5, return_train_score=True
    )
    np.testing.assert_array_equal(fitted.scores_[0], expected["test_score"])
    np.testing.assert_array_equal(fitted.train_scores_[0], expected["train_score"])


def test_where_there_is_one_minimum_the_scores_are_those_of_a_grid_search():
    # Without hidden layers the cost is convex: the way to the minimum does not matter.
    estimator = network(hidden_layer_sizes=(), tol=1e-9, max_iter=3000, solver="lbfgs")
    params = {"scoring": "neg_log_loss", "cv": 2, "refit": False}
    path = BackpropMLPClassifierCV(estimator, alphas=ALPHAS, **params).fit(IRIS, SPECIES)
    grid = GridSearchCV(estimator, {"alpha": ALPHAS}, **params).fit(IRIS, SPECIES)
    np.testing.assert_allclose(
        path.scores_.mean(axis=1), grid.cv_results_["mean_test_score"], rtol=1e-5
    )
    assert path.alpha_ == grid.best_params_["alpha"]
    assert path.best_score_ == pytest.approx(grid.best_score_, rel=1e-5)


def test_the_chosen_alpha_has_the_highest_mean_score():
    fitted = search(scoring="neg_log_loss").fit(IRIS, SPECIES)
    means = fitted.scores_.mean(axis=1)
    assert fitted.best_score_ == means.max()
    assert fitted.alpha_ == fitted.alphas_[means.argmax()]


def test_of_equal_scores_the_strongest_penalty_is_chosen():
    fitted = search(scoring=lambda estimator, X, y: 1.0).fit(IRIS, SPECIES)
    assert fitted.alpha_ == max(ALPHAS)


def test_scores_that_differ_by_rounding_alone_are_equal():
    """66 of 90 rows are right with either alpha, in three folds of 30."""
    means = np.mean([np.array([20, 20, 26]) / 30.0, np.array([26, 20, 20]) / 30.0], axis=1)
    assert means[0] > means[1]
    assert Choice(np.array([0.1, 1.0]), [], means, -means).best == 1


@pytest.mark.parametrize(
    ("means", "best"),
    [
        ([0.7, 0.7 + 1e-9, 0.6], 1),
        ([-0.3, -0.2, -0.2], 2),
        ([-np.inf, -1.0, -np.inf], 1),
        ([-np.inf, -np.inf], 1),
        ([np.inf, 1.0], 0),
        ([0.0, 0.0, -1e-9], 1),
    ],
)
def test_the_best_is_the_last_of_the_highest_scores(means, best):
    assert Choice(np.arange(len(means)), [], np.array(means), -np.array(means)).best == best


def test_the_best_estimator_is_trained_on_all_rows_anew():
    fitted = search().fit(IRIS, SPECIES, WEIGHTS)
    expected = network(alpha=fitted.alpha_).fit(IRIS, SPECIES, WEIGHTS)
    assert fitted.best_estimator_.get_params() == expected.get_params()
    for method in ("predict", "predict_proba", "predict_log_proba", "decision_function"):
        np.testing.assert_array_equal(
            getattr(fitted, method)(IRIS), getattr(expected, method)(IRIS)
        )
    assert fitted.score(IRIS, SPECIES) == expected.score(IRIS, SPECIES)


@pytest.mark.parametrize(
    ("alphas", "grid"),
    [
        (3, [0.01, 1.0, 100.0]),
        (1, [0.01]),
        ([10.0, 0.0, 0.5], [0.0, 0.5, 10.0]),
        ((2, 2, 1), [1.0, 2.0]),
        (np.array([3.0]), [3.0]),
        (np.array([1, 3], dtype=np.uint8), [1.0, 3.0]),
        (np.array([0.5, 3.0], dtype=np.float32), [0.5, 3.0]),
    ],
)
def test_the_grid(alphas, grid):
    fitted = search(alphas, cv=2, refit=False).fit(IRIS, SPECIES)
    np.testing.assert_allclose(fitted.alphas_, grid)
    assert fitted.alphas_.dtype == np.float64
    assert fitted.scores_.shape == fitted.train_scores_.shape == (len(grid), 2)


# How it is found


def test_a_strong_penalty_takes_units_out_for_good():
    """Why the path leads from weak to strong."""
    collapsed = network(alpha=1e4, max_iter=20, warm_start=True).fit(IRIS, SPECIES)
    assert max(np.abs(W).max() for W in collapsed.coefs_) < 1e-3
    # Where training goes on for long enough they are zero.
    collapsed.coefs_ = [np.zeros_like(W) for W in collapsed.coefs_]
    again = collapsed.set_params(alpha=0.01, tol=1e-6).fit(IRIS, SPECIES)
    anew = network(alpha=0.01, max_iter=20, tol=1e-6).fit(IRIS, SPECIES)
    assert anew.score(IRIS, SPECIES) > 0.95
    assert again.score(IRIS, SPECIES) < 0.5


@pytest.mark.parametrize(
    ("alphas", "most"),
    [
        ([0.1, 1.0, 10.0], [15, 5, 5]),
        ([0.1, 0.2, 1.0], [15, 2, 4]),
        ([0.1, 1.0, 1.0 + 1e-9], [15, 5, 1]),
        ([0.0, 0.1, 1e9], [15, 15, 15]),
        (5, [15, 5, 5, 5, 5]),
    ],
)
def test_the_further_the_next_alpha_the_longer_its_fit(alphas, most):
    estimator = network(tol=0.0, max_iter=15)
    fitted = BackpropMLPClassifierCV(estimator, alphas=alphas, cv=2, refit=False).fit(IRIS, SPECIES)
    assert fitted.n_iter_.shape == (len(most), 2)
    assert np.all(fitted.n_iter_ <= np.array(most)[:, np.newaxis])
    assert np.all(fitted.n_iter_[:2].max(axis=1) == most[:2])


@pytest.mark.slow
def test_half_the_work_of_a_grid_search_finds_as_good_an_alpha():
    X, y = load_digits(return_X_y=True)
    X, y = X[:900] / 16.0, y[:900]
    X_new, y_new = (part[900:] for part in load_digits(return_X_y=True))
    estimator = network(hidden_layer_sizes=25, solver="lbfgs", max_iter=100)
    folds = StratifiedKFold(3)
    path = BackpropMLPClassifierCV(estimator, alphas=10, cv=folds, scoring="accuracy").fit(X, y)
    grid = GridSearchCV(estimator, {"alpha": path.alphas_}, cv=folds).fit(X, y)
    n_iter = sum(
        clone(estimator).set_params(alpha=alpha).fit(X[train], y[train]).n_iter_
        for train, _ in folds.split(X, y)
        for alpha in path.alphas_
    )
    assert 2 * path.n_iter_.sum() <= n_iter
    # Three standard errors of a share of 900 rows.
    error = 3.0 * np.sqrt(0.05 * 0.95 / 900)
    assert path.best_score_ > grid.best_score_ - error
    assert path.score(X_new / 16.0, y_new) > grid.score(X_new / 16.0, y_new) - error


def test_the_number_of_jobs_changes_no_bit():
    one, two = (search(n_jobs=n_jobs).fit(IRIS, SPECIES) for n_jobs in (1, 2))
    np.testing.assert_array_equal(one.scores_, two.scores_)
    np.testing.assert_array_equal(one.predict_proba(IRIS), two.predict_proba(IRIS))


def test_paths_that_end_early_do_not_warn_but_the_last_fit_does(recwarn):
    estimator = network(max_iter=2)
    BackpropMLPClassifierCV(estimator, alphas=ALPHAS, refit=False).fit(IRIS, SPECIES)
    assert len(recwarn) == 0
    with pytest.warns(ConvergenceWarning, match="max_iter=2 ") as record:
        BackpropMLPClassifierCV(estimator, alphas=ALPHAS).fit(IRIS, SPECIES)
    assert len(record) == 1


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_warnings_of_others_are_shown_and_no_fit_of_others_is_silent(n_jobs):
    """A scorer warns, and trains a network of its own."""

    def scorer(estimator, X, y):
        warnings.warn("the scorer has not converged", ConvergenceWarning, stacklevel=1)
        return network(max_iter=1).fit(X, y).score(X, y)

    model = BackpropMLPClassifierCV(
        network(max_iter=2), alphas=[1.0], cv=2, scoring=scorer, refit=False, n_jobs=n_jobs
    )
    with pytest.warns(ConvergenceWarning) as record:
        model.fit(IRIS, SPECIES)
    messages = {str(warning.message) for warning in record}
    assert "the scorer has not converged" in messages
    assert any("after 1 iteration)" in message for message in messages)
    assert not any("after 2 iterations" in message for message in messages)


def test_a_search_does_not_keep_what_an_earlier_one_fitted():
    fitted = search(cv=2).fit(IRIS, SPECIES)
    fitted.set_params(refit=False).fit(IRIS, SPECIES)
    assert not hasattr(fitted, "best_estimator_")
    assert fitted.classes_.tolist() == [0, 1, 2]


# Folds without a class

SORTED = KFold(3)
"""Of iris: each fold trains on two species and is scored on the third."""


def probabilities_of_all(fitted, X, classes):
    P = np.zeros((len(X), len(classes)))
    P[:, np.isin(classes, fitted.classes_)] = fitted.predict_proba(X)
    return P


def brier(y, P, classes):
    return ((P - (y[:, np.newaxis] == classes)) ** 2).sum(axis=1).mean()


@pytest.mark.parametrize("output_activation", ["logistic", "softmax"])
@pytest.mark.parametrize(
    ("scoring", "measure"),
    [
        ("neg_log_loss", lambda y, P, labels: -log_loss(y, P, labels=labels)),
        ("neg_brier_score", lambda y, P, labels: -brier(y, P, labels)),
        ("accuracy", lambda y, P, labels: np.mean(labels[P.argmax(axis=1)] == y)),
        (
            "f1_macro",
            lambda y, P, labels: f1_score(
                y, labels[P.argmax(axis=1)], labels=labels, average="macro", zero_division=0.0
            ),
        ),
    ],
)
@pytest.mark.parametrize("names", [None, np.array(["setosa", "versicolor", "virginica"])])
def test_scores_of_rows_whose_class_is_in_no_training_row(
    scoring, measure, names, output_activation
):
    if scoring == "neg_brier_score" and parse_version(sklearn.__version__) < parse_version("1.7"):
        pytest.skip("several classes came to the Brier score with scikit-learn 1.7")
    y = SPECIES if names is None else names[SPECIES]
    classes = np.unique(y)
    estimator = network(alpha=1.0, output_activation=output_activation)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UndefinedMetricWarning)
        search = BackpropMLPClassifierCV(
            estimator, alphas=[1.0], cv=SORTED, scoring=scoring, refit=False
        )
        scores = search.fit(IRIS, y).scores_
    expected = []
    for train, test in SORTED.split(IRIS):
        fitted = clone(estimator).fit(IRIS[train], y[train])
        expected.append(
            measure(y[test], probabilities_of_all(fitted, IRIS[test], classes), classes)
        )
    np.testing.assert_allclose(scores, [expected], rtol=1e-12)


IS_VIRGINICA = np.array(["no", "yes"])[(SPECIES == 2).astype(int)]
ONE_CLASS_LEFT_OUT = [
    (np.arange(40, 150), np.arange(40)),  # only "no"
    (np.arange(120), np.arange(120, 150)),  # only "yes"
    (np.arange(0, 150, 2), np.arange(1, 150, 2)),
]


@pytest.mark.skipif(
    parse_version(sklearn.__version__) < parse_version("1.9"),
    reason="LogisticRegressionCV passes the classes on from scikit-learn 1.9",
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.UndefinedMetricWarning")
@pytest.mark.parametrize(
    "scoring",
    ["neg_log_loss", "neg_brier_score", "f1", "precision", "recall", "jaccard"],
)
def test_scores_agree_with_scikit_learns_logistic_regression(scoring):
    """Without hidden layers it is the same model, with C = 1 / alpha."""
    estimator = network(hidden_layer_sizes=(), solver="lbfgs", tol=1e-12, max_iter=5000)
    params = {"cv": ONE_CLASS_LEFT_OUT, "scoring": scoring}
    search = BackpropMLPClassifierCV(estimator, alphas=[0.5], refit=False, **params)
    ours = search.fit(IRIS, IS_VIRGINICA)
    theirs = LogisticRegressionCV(
        Cs=[2.0], l1_ratios=(0,), use_legacy_attributes=False, tol=1e-10, max_iter=5000, **params
    ).fit(IRIS, IS_VIRGINICA)
    np.testing.assert_allclose(ours.scores_.ravel(), theirs.scores_.ravel(), rtol=1e-4)


def test_the_average_precision_of_labels_that_are_words():
    fitted = search([1.0], cv=3, scoring="average_precision").fit(IRIS, IS_VIRGINICA)
    numbers = search([1.0], cv=3, scoring="average_precision").fit(IRIS, SPECIES == 2)
    np.testing.assert_array_equal(fitted.scores_, numbers.scores_)
    score = fitted.score(IRIS, IS_VIRGINICA)
    assert score == numbers.score(IRIS, SPECIES == 2)


def test_a_fold_that_trains_on_one_of_two_classes():
    y = np.repeat(["no", "yes"], 75)
    params = {"alphas": [1.0], "cv": KFold(2)}
    eps = np.finfo(np.float64).eps
    losses = search(scoring="neg_log_loss", **params).fit(IRIS, y).scores_
    np.testing.assert_allclose(losses, [[np.log(eps)] * 2])
    squares = search(scoring="neg_brier_score", **params).fit(IRIS, y).scores_
    np.testing.assert_allclose(squares, [[-1.0] * 2])
    both = [(np.arange(75), np.arange(50, 100)), (np.arange(75, 150), np.arange(50, 100))]
    for scoring in ("roc_auc", make_scorer(roc_auc_score, response_method="predict_proba")):
        with warnings.catch_warnings():
            # Of the training rows, which are of one class, there is no area.
            warnings.simplefilter("ignore", UndefinedMetricWarning)
            fitted = search([1.0], scoring=scoring, cv=both).fit(IRIS, y)
        np.testing.assert_array_equal(fitted.scores_, [[0.5, 0.5]])
        np.testing.assert_array_equal(fitted.train_scores_, [[np.nan, np.nan]])


def test_a_scorer_of_the_users_sees_all_classes():
    seen = []

    def scorer(estimator, X, y):
        P = estimator.predict_proba(X)
        seen.append((estimator.classes_.tolist(), P.shape[1], estimator.alpha))
        return P[np.arange(len(y)), y].mean()

    fitted = search(cv=SORTED, scoring=scorer).fit(IRIS, SPECIES)
    assert {(tuple(classes), width) for classes, width, _ in seen} == {((0, 1, 2), 3)}
    assert {alpha for *_, alpha in seen} == set(ALPHAS)
    np.testing.assert_array_equal(fitted.scores_, 0.0)  # of a class that is in no training row


def test_the_positive_class_of_a_scorer_stays():
    of_no = search([1.0], scoring=make_scorer(f1_score, pos_label="no")).fit(IRIS, IS_VIRGINICA)
    of_zero = search([1.0], scoring=make_scorer(f1_score, pos_label=0)).fit(
        IRIS, (SPECIES == 2).astype(int)
    )
    np.testing.assert_array_equal(of_no.scores_, of_zero.scores_)


def test_rare_classes_among_stratified_folds():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(60, 3)), np.repeat([0, 1, 2], [30, 28, 2])
    with pytest.warns(UserWarning, match="least populated class"):
        fitted = search(cv=3, scoring="neg_log_loss").fit(X, y)
    assert np.all(np.isfinite(fitted.scores_))


@pytest.mark.parametrize("class_weight", [{0: 2.0, 1: 1.0, 2: 0.5}, {2: 3.0}, "balanced"])
def test_class_weights_of_classes_that_a_fold_lacks(class_weight):
    estimator = network(class_weight=class_weight)
    fitted = BackpropMLPClassifierCV(estimator, alphas=[1.0], cv=SORTED, scoring="accuracy").fit(
        IRIS, SPECIES
    )
    assert fitted.best_estimator_.class_weight == class_weight
    assert fitted.scores_.tolist() == [[0.0] * 3]
    train, _ = next(iter(SORTED.split(IRIS)))
    kept = class_weight
    if isinstance(class_weight, dict):
        kept = {label: weight for label, weight in class_weight.items() if label != 0}
    alone = clone(estimator).set_params(class_weight=kept).fit(IRIS[train], SPECIES[train])
    assert fitted.train_scores_[0, 0] == alone.score(IRIS[train], SPECIES[train])


def test_a_class_weight_of_a_class_that_no_row_has_is_an_error():
    estimator = network(class_weight={"none of them": 1.0})
    with pytest.raises(ValueError, match="class_weight names labels"):
        BackpropMLPClassifierCV(estimator, alphas=[1.0]).fit(IRIS, SPECIES)


def test_metadata_reach_a_metric_that_is_given_the_classes():
    with sklearn.config_context(enable_metadata_routing=True):
        scorer = get_scorer("neg_log_loss").set_score_request(sample_weight=True)
        routed = search([1.0], cv=SORTED, scoring=scorer).fit(IRIS, SPECIES, WEIGHTS)
    plain = search([1.0], cv=SORTED, scoring="neg_log_loss").fit(IRIS, SPECIES, WEIGHTS)
    np.testing.assert_array_equal(routed.scores_, plain.scores_)


def test_a_column_of_labels_warns_once():
    with pytest.warns(match="column-vector y") as record:
        fitted = search(cv=2).fit(IRIS, SPECIES[:, np.newaxis])
    assert [warning.category for warning in record].count(DataConversionWarning) == 1
    np.testing.assert_array_equal(fitted.scores_, search(cv=2).fit(IRIS, SPECIES).scores_)


@pytest.mark.parametrize(
    "params",
    [
        {"batch_norm": True},
        {"dropout": 0.1},
        {"learning_rate": "cosine", "learning_rate_init": 0.5},
    ],
)
def test_mini_batch_solvers_walk_too(params):
    estimator = network(**{"solver": "sgd", "learning_rate_init": 0.1, "max_iter": 60} | params)
    fitted = BackpropMLPClassifierCV(
        estimator, alphas=[0.01, 0.1, 1.0], cv=2, scoring="accuracy", refit=False
    ).fit(IRIS, SPECIES)
    assert np.all(fitted.scores_.mean(axis=1) > 0.9)


def test_a_rate_that_adaptive_has_lowered_begins_again_at_the_next_alpha():
    """Lowered after the last epoch of an alpha, it is the constant one in every epoch."""
    params = {"solver": "sgd", "max_iter": 2, "tol": 1e9, "n_iter_no_change": 1}
    adaptive, constant = (
        BackpropMLPClassifierCV(
            network(learning_rate=rate, learning_rate_init=0.1, **params), alphas=[1.0, 10.0], cv=3
        )
        .set_params(scoring="neg_log_loss")
        .fit(IRIS, SPECIES)
        for rate in ("adaptive", "constant")
    )
    np.testing.assert_array_equal(adaptive.scores_, constant.scores_)


# Weights, metadata, kinds of data


def test_weights_count_in_training_and_in_scoring():
    fitted = search(cv=3, scoring="accuracy").fit(IRIS, SPECIES, WEIGHTS)
    for fold, (train, test) in enumerate(StratifiedKFold(3).split(IRIS, SPECIES)):
        expected = network(alpha=min(ALPHAS)).fit(IRIS[train], SPECIES[train], WEIGHTS[train])
        score = expected.score(IRIS[test], SPECIES[test], WEIGHTS[test])
        assert fitted.scores_[0, fold] == pytest.approx(score, rel=1e-12)
    assert fitted.score(IRIS, SPECIES, WEIGHTS) == pytest.approx(
        fitted.best_estimator_.score(IRIS, SPECIES, WEIGHTS), rel=1e-12
    )


def test_metadata_routing():
    groups = np.arange(len(IRIS)) % 3
    with sklearn.config_context(enable_metadata_routing=True):
        model = search([0.01, 1.0], cv=GroupKFold(3), scoring=get_scorer("accuracy"))
        fitted = clone(model).fit(IRIS, SPECIES, groups=groups)
        splits = list(GroupKFold(3).split(IRIS, SPECIES, groups))
        scorer = make_scorer(recall_score, average="macro").set_score_request(sample_weight=True)
        weighted = model.set_params(scoring=scorer).fit(IRIS, SPECIES, WEIGHTS, groups=groups)
        assert weighted.score(IRIS, SPECIES, sample_weight=WEIGHTS) > 0.9
    expected = search([0.01, 1.0], cv=splits, scoring="accuracy").fit(IRIS, SPECIES)
    np.testing.assert_array_equal(fitted.scores_, expected.scores_)
    with pytest.raises(ValueError, match="groups"):
        search().fit(IRIS, SPECIES, groups=groups)


def test_kinds_of_data():
    short = search([0.01, 1.0], cv=2)
    expected = clone(short).fit(IRIS, SPECIES)
    sparse = clone(short).fit(csr_matrix(IRIS), SPECIES)
    np.testing.assert_allclose(sparse.predict_proba(IRIS), expected.predict_proba(IRIS), atol=1e-9)
    names = ["a", "b", "c", "d"]
    frame = pd.DataFrame(IRIS, columns=names)
    labels = pd.Series(SPECIES, index=frame.index[::-1]).map(lambda label: f"species {label}")
    named = clone(short).fit(frame, labels)
    np.testing.assert_array_equal(named.feature_names_in_, names)
    np.testing.assert_array_equal(named.best_estimator_.feature_names_in_, names)
    np.testing.assert_allclose(named.predict_proba(frame), expected.predict_proba(IRIS), atol=1e-9)
    assert list(named.classes_) == ["species 0", "species 1", "species 2"]
    X, Y = make_multilabel_classification(90, 6, n_classes=3, random_state=0)
    multilabel = search([1.0], cv=2).fit(X, Y)
    assert multilabel.predict(X).shape == Y.shape


@pytest.mark.parametrize("estimator", [None, BackpropMLPClassifier()])
def test_the_default_estimator(estimator):
    fitted = BackpropMLPClassifierCV(estimator, alphas=[1.0], cv=2).fit(IRIS[::3], SPECIES[::3])
    assert fitted.best_estimator_.get_params() == BackpropMLPClassifier().get_params()


def test_the_given_estimator_is_not_fitted():
    estimator = network()
    BackpropMLPClassifierCV(estimator, alphas=ALPHAS).fit(IRIS, SPECIES)
    assert not hasattr(estimator, "coefs_")
    assert estimator.get_params() == network().get_params()


def test_without_a_last_fit_nothing_can_be_predicted():
    fitted = search(refit=False).fit(IRIS, SPECIES)
    assert fitted.alpha_ in ALPHAS
    assert not hasattr(fitted, "best_estimator_")
    with pytest.raises(AttributeError, match="predict"):
        fitted.predict(IRIS)


def test_scikit_learns_picture_of_a_validation_curve():
    fitted = search(scoring="accuracy").fit(IRIS, SPECIES)
    display = ValidationCurveDisplay(
        param_name="alpha",
        param_range=fitted.alphas_,
        train_scores=fitted.train_scores_,
        test_scores=fitted.scores_,
        score_name="Accuracy",
    ).plot()
    (train, test) = display.lines_
    np.testing.assert_array_equal(test.get_xdata(), fitted.alphas_)
    np.testing.assert_array_equal(test.get_ydata(), fitted.scores_.mean(axis=1))
    np.testing.assert_array_equal(train.get_ydata(), fitted.train_scores_.mean(axis=1))


# Wrong input


@pytest.fixture(scope="module")
def small():
    return search([1.0], cv=2).fit(IRIS, SPECIES)


@pytest.mark.parametrize(
    ("params", "arguments", "message"),
    [
        ({"alphas": 0}, {}, "'alphas' parameter"),
        ({"alphas": []}, {}, r"alphas must be .* got \[\]"),
        ({"alphas": [1.0, -1.0]}, {}, "alphas must be 'auto', an int > 0 or finite numbers >= 0"),
        ({"alphas": [1.0, np.nan]}, {}, "alphas must be"),
        ({"alphas": [1.0, np.inf]}, {}, "alphas must be"),
        ({"estimator": LogisticRegression()}, {}, "'estimator' parameter"),
        ({"estimator__max_iter": 0}, {}, "'max_iter' parameter"),
        ({"estimator__early_stopping": True}, {}, "early_stopping of the estimator must be False"),
        ({"scoring": "best"}, {}, "'scoring' parameter"),
        ({"cv": 1}, {}, "'cv' parameter"),
        ({}, {"y": SPECIES[:-1]}, "inconsistent numbers of samples"),
        ({}, {"sample_weight": WEIGHTS[:-1]}, "sample_weight.shape"),
        ({}, {"sample_weight": -WEIGHTS}, "Negative values"),
        ({}, {"X": IRIS * np.nan}, "NaN"),
        ({}, {"y": IRIS[:, 0]}, "Unknown label type"),
    ],
)
def test_wrong_input_is_named_and_changes_nothing(params, arguments, message, small):
    fitted = copy.deepcopy(small)
    before = fitted.predict_proba(IRIS), fitted.alphas_
    fitted.set_params(**params)
    with pytest.raises(ValueError, match=message):
        fitted.fit(**{"X": IRIS, "y": SPECIES} | arguments)
    np.testing.assert_array_equal(fitted.predict_proba(IRIS), before[0])
    np.testing.assert_array_equal(fitted.alphas_, before[1])


@pytest.mark.parametrize("given", [np.nan, "good", None])
def test_a_score_that_can_not_be_compared_is_named(given):
    """nan would be the highest mean."""
    hopeless = search().set_params(scoring=lambda estimator, X, y: given, estimator__max_iter=1)
    with pytest.raises(ValueError, match=f"scoring must give a number; got {given!r} for alpha="):
        hopeless.fit(IRIS, SPECIES)
    assert not hasattr(hopeless, "alpha_")
