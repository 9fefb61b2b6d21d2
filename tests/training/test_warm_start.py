"""Going on: a fit in pieces equals a fit in one, whatever happens in between."""

import copy
import pickle

import numpy as np
import pytest
from keywords import FULL_BATCH, MINI_BATCH, SOLVERS, read_by
from scipy.sparse import csr_matrix
from sklearn.datasets import load_iris, make_multilabel_classification
from sklearn.preprocessing import scale

from backprop_mlp import BackpropMLPClassifier
from backprop_mlp._training.validation import split_rows
from backprop_mlp.schedules import Cosine

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


X, y = load_iris(return_X_y=True)
X = scale(X)
X_val, y_val = X[::5], y[::5]
WEIGHTS = np.random.default_rng(5).uniform(0.0, 3.0, len(X))
RECORD = (
    "loss_curve_",
    "validation_scores_",
    "validation_loss_curve_",
    "best_validation_score_",
    "loss_",
    "best_loss_",
    "n_fun_",
    "t_",
)


def network(solver="adam", **params):
    defaults = {"activation": "tanh", "tol": 0.0, "max_iter": 6, "batch_size": 40}
    params = defaults | {"random_state": 0, "learning_rate_init": 0.01} | params
    return BackpropMLPClassifier((5, 4), solver=solver, **read_by(solver, params))


def change(classifier, solver, **params):
    """Go on with another solver, and with the keywords that it reads."""
    defaults = BackpropMLPClassifier().get_params()
    unread = defaults.keys() - read_by(solver, defaults).keys()
    classifier.set_params(solver=solver, **{name: defaults[name] for name in unread})
    return classifier.set_params(**read_by(solver, params))


def assert_equal(one, other):
    """Same parameters, bit by bit, and same record."""
    for ours, theirs in zip(
        one.coefs_ + one.intercepts_, other.coefs_ + other.intercepts_, strict=True
    ):
        assert ours.dtype == theirs.dtype
        assert np.array_equal(ours, theirs)
    for name in RECORD:
        assert getattr(one, name) == getattr(other, name), name


# n fits of one epoch equal one fit of n epochs


IN_PIECES = {
    "plain": {},
    "batch norm": {"batch_norm": True},
    "dropout": {"dropout": 0.4},
    "both": {"batch_norm": True, "dropout": [0.4, 0.1]},
    "no shuffling": {"shuffle": False},
    "clipping": {"max_grad_norm": 0.1},
    "invscaling": {"learning_rate": "invscaling"},
    "step": {"learning_rate": "step"},
    "exponential": {"learning_rate": "exponential"},
    "inverse_time": {"learning_rate": "inverse_time"},
    "cosine": {"learning_rate": Cosine(0.01, horizon=20, warm_up=5)},
    "adaptive": {"learning_rate": "adaptive", "tol": 0.05, "n_iter_no_change": 1},
    "early stopping": {"early_stopping": True},
    "early stopping by loss": {"early_stopping": True, "scoring": "loss", "batch_norm": True},
    "adaptive early stopping": {
        "early_stopping": True,
        "learning_rate": "adaptive",
        "n_iter_no_change": 1,
        "tol": 0.05,
    },
}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("case", IN_PIECES)
@pytest.mark.parametrize("solver", MINI_BATCH)
def test_fits_of_one_epoch_equal_one_fit(solver, case, dtype):
    params = IN_PIECES[case]
    whole = network(solver, **params).fit(X.astype(dtype), y)
    pieces = network(solver, **params, warm_start=True).set_params(max_iter=1)
    for number in range(6):
        if number == 3:
            pieces = pickle.loads(pickle.dumps(pieces))
        pieces.fit(X.astype(dtype), y)
    assert whole.n_iter_ == 6
    assert_equal(pieces, whole)


@pytest.mark.parametrize("solver", MINI_BATCH)
def test_that_holds_with_weights_and_validation_rows(solver):
    given = {"X_val": X_val, "y_val": y_val, "sample_weight_val": WEIGHTS[::5]}
    for early_stopping in (False, True):
        params = {"early_stopping": early_stopping, "class_weight": {0: 2.0}}
        whole = network(solver, **params).fit(X, y, WEIGHTS, **given)
        pieces = network(solver, **params, warm_start=True).set_params(max_iter=2)
        for _ in range(3):
            pieces.fit(X, y, WEIGHTS, **given)
        assert len(whole.validation_scores_) == 6
        assert_equal(pieces, whole)


@pytest.mark.parametrize("solver", MINI_BATCH)
def test_that_holds_for_sparse_multilabel_data(solver):
    X, Y = make_multilabel_classification(80, 6, n_classes=3, random_state=0)
    X, Y = csr_matrix(X), csr_matrix(Y)
    whole = network(solver, early_stopping=True).fit(X, Y)
    pieces = network(solver, early_stopping=True, warm_start=True, max_iter=3)
    assert_equal(pieces.fit(X, Y).fit(X, Y), whole)


def test_a_fit_that_goes_on_leaves_an_earlier_copy_alone():
    """The solver's state is not shared."""
    first = network(warm_start=True, max_iter=3, batch_norm=True).fit(X, y)
    shallow, pickled = copy.copy(first), pickle.dumps(first)
    first.fit(X, y)
    assert_equal(shallow, pickle.loads(pickled))
    assert_equal(shallow.fit(X, y), first)


def test_a_refused_fit_in_between_changes_nothing():
    whole = network().fit(X, y)
    pieces = network(warm_start=True, max_iter=3).fit(X, y)
    with pytest.raises(ValueError, match="NaN"):
        pieces.fit(np.where(X > 1, np.nan, X), y)
    with pytest.raises(ValueError, match="learning_rate"):
        pieces.set_params(
            learning_rate=lambda step: -1.0 if step == 20 else 0.01, learning_rate_init=0.001
        ).fit(X, y)
    pieces.set_params(learning_rate="constant", learning_rate_init=0.01)
    assert_equal(pieces.fit(X, y), whole)


def test_restarts_belong_to_the_first_fit_alone():
    first = network(n_init=4, warm_start=True, max_iter=3).fit(X, y)
    best = first.loss_
    first.fit(X, y)
    assert first.loss_curve_[2] == best
    assert len(first.loss_curve_) == 6


# Full-batch solvers


@pytest.mark.parametrize("solver", FULL_BATCH)
def test_full_batch_solvers_go_on_from_the_parameters(solver):
    classifier = network(solver, warm_start=True).fit(X, y)
    first = copy.copy(classifier)
    classifier.fit(X, y)
    assert classifier.n_iter_ == 6
    assert len(classifier.loss_curve_) == 12
    assert classifier.loss_curve_[:6] == first.loss_curve_
    assert np.all(np.diff(classifier.loss_curve_) <= 0)
    assert classifier.n_fun_ > first.n_fun_
    assert classifier.t_ == classifier.n_fun_ * len(X)


@pytest.mark.parametrize("solver", FULL_BATCH)
def test_there_is_nothing_to_do_at_the_minimum(solver):
    params = {"tol": 1e-3, "max_iter": 1000, "n_iter_no_change": 1000}
    classifier = network(solver, warm_start=True, **params).fit(X, y)
    assert classifier.converged_
    before = copy.copy(classifier)
    classifier.fit(X, y)
    assert classifier.converged_
    assert classifier.n_iter_ == 0
    assert classifier.loss_curve_ == before.loss_curve_
    assert classifier.n_fun_ == before.n_fun_ + 1
    for ours, theirs in zip(classifier.coefs_, before.coefs_, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)
    assert classifier.loss_ == pytest.approx(before.loss_, rel=1e-12)


@pytest.mark.parametrize("solver", SOLVERS)
def test_without_warm_start_a_fit_begins_anew(solver):
    once = network(solver).fit(X, y)
    assert_equal(network(solver).fit(X[:100], y[:100] * 0 + 1).fit(X, y), once)


@pytest.mark.parametrize("solver", SOLVERS)
def test_early_stopping_keeps_the_best_over_all_fits(solver):
    params = {"early_stopping": True, "learning_rate_init": 0.3, "random_state": 4}
    classifier = network(solver, warm_start=True, **params)
    seed = np.random.RandomState(4).randint(np.iinfo(np.int32).max)
    _, held_out = split_rows(y, np.ones(len(y)), True, 0.1, seed)
    for _ in range(4):
        classifier.fit(X, y)
        scores = classifier.validation_scores_
        assert classifier.best_validation_score_ == max(scores)
        assert classifier.score(X[held_out], y[held_out]) == max(scores)


# After a change


@pytest.mark.parametrize("before", SOLVERS)
@pytest.mark.parametrize("after", SOLVERS)
def test_the_solver_may_change(before, after):
    classifier = network(before, warm_start=True, max_iter=30).fit(X, y)
    cost = classifier.cost(X, y)
    change(classifier, after, max_iter=3, learning_rate_init=1e-6).fit(X, y)
    assert (classifier.n_iter_, len(classifier.loss_curve_)) == (3, 33)
    # It began where the other ended.
    assert classifier.loss_curve_[30] < cost * 1.001


@pytest.mark.parametrize("after", MINI_BATCH)
def test_batch_normalisation_survives_a_change_of_the_solver(after):
    """Its scales are folded into coefs_, from where they could not be read again."""
    classifier = network("adam", batch_norm=True, warm_start=True, max_iter=30).fit(X, y)
    first, last = classifier.loss_curve_[0], classifier.loss_
    assert last < 0.7 * first  # or the test would show nothing
    classifier.set_params(solver=after, max_iter=1, learning_rate_init=1e-9).fit(X, y)
    assert classifier.loss_ < last + 0.1 * (first - last)


@pytest.mark.parametrize("after", FULL_BATCH)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_full_batch_solvers_work_in_float64_whatever_was_before(after, dtype):
    """The last iterate of a mini-batch solver, which dropout keeps, has the rows' precision."""
    classifier = network("adam", warm_start=True, dropout=0.2).fit(X.astype(np.float32), y)
    same = copy.deepcopy(classifier)
    # Assigned weights are all that training goes on from.
    del same._memory
    for one in (classifier, same):
        change(one, after, dropout=0.0).fit(X.astype(dtype), y)
    assert all(map(np.array_equal, classifier.coefs_, same.coefs_))
    assert classifier.loss_ == same.loss_
    if dtype is np.float64:
        assert classifier.loss_ == pytest.approx(classifier.cost(X, y), rel=1e-12)


def test_batch_normalisation_survives_a_change_of_the_precision():
    classifier = network("adam", batch_norm=True, warm_start=True, max_iter=60).fit(X, y)
    first, last = classifier.loss_curve_[0], classifier.loss_
    classifier.set_params(max_iter=1, learning_rate_init=1e-9).fit(X.astype(np.float32), y)
    assert classifier.coefs_[0].dtype == np.float32
    assert classifier.loss_ < last + 0.1 * (first - last)


@pytest.mark.parametrize("after", SOLVERS)
def test_the_precision_may_change(after):
    classifier = network(warm_start=True, max_iter=30).fit(X, y)
    cost = classifier.cost(X, y)
    change(classifier, after, max_iter=2, learning_rate_init=1e-6)
    classifier.fit(X.astype(np.float32), y)
    assert {coef.dtype for coef in classifier.coefs_} == {np.dtype(np.float32)}
    assert classifier.loss_curve_[30] < cost * 1.001
    classifier.fit(X, y)
    assert {coef.dtype for coef in classifier.coefs_} == {np.dtype(np.float64)}
    assert classifier.loss_curve_[32] < cost * 1.001


@pytest.fixture(scope="module")
def trained():
    return network(warm_start=True, max_iter=60).fit(X, y)


@pytest.mark.parametrize(
    "change",
    [
        {"batch_size": 7},
        {"batch_size": 1000},
        {"dropout": 0.1},
        {"shuffle": False},
        {"beta_1": 0.5, "beta_2": 0.9},
        {"learning_rate": "cosine"},
        {"max_grad_norm": 0.1},
        {"alpha": 1.1},
    ],
    ids=str,
)
def test_keywords_of_the_solver_may_change(trained, change):
    classifier = copy.deepcopy(trained)
    first, last = classifier.loss_curve_[0], classifier.loss_
    classifier.set_params(**change, max_iter=2, learning_rate_init=1e-6).fit(X, y)
    assert classifier.n_iter_ == 2
    assert classifier.loss_ < last + 0.2 * (first - last)


@pytest.mark.parametrize("batch_norm", [False, True])
def test_batch_normalisation_may_come_and_go(batch_norm):
    classifier = network(warm_start=True, max_iter=60, batch_norm=batch_norm)
    classifier.set_params(n_iter_no_change=100).fit(X, y)
    classifier.set_params(batch_norm=not batch_norm).fit(X, y)
    assert len(classifier.loss_curve_) > 60
    assert classifier.score(X, y) > 0.95


def test_without_batch_normalisation_training_goes_on_from_the_folded_network():
    classifier = network(warm_start=True, max_iter=60, batch_norm=True).fit(X, y)
    cost = classifier.cost(X, y)
    classifier.set_params(batch_norm=False, max_iter=1, learning_rate_init=1e-9).fit(X, y)
    assert classifier.loss_ == pytest.approx(cost, rel=1e-5)


def test_a_rate_that_adaptive_has_lowered_is_no_constant_rate():
    params = {"learning_rate": "adaptive", "tol": 1e9, "n_iter_no_change": 1, "max_iter": 5}
    lowered = network("sgd", warm_start=True, momentum=0.0, **params).fit(X, y)
    fresh = BackpropMLPClassifier.from_thetas(
        lowered.thetas_,
        **{
            name: value
            for name, value in lowered.get_params().items()
            if name != "hidden_layer_sizes"
        },
    )
    for classifier in (lowered, fresh):
        classifier.set_params(learning_rate="constant", max_iter=1, shuffle=False).fit(X, y)
    assert all(map(np.array_equal, lowered.coefs_, fresh.coefs_))


@pytest.mark.parametrize(("alpha", "n_iter"), [(1.0, 6), (2.0, 21)])
def test_the_lack_of_progress_goes_on_counting_for_the_same_penalty_alone(alpha, n_iter):
    params = {"alpha": 1.0, "tol": 1e9, "n_iter_no_change": 20}
    classifier = network(warm_start=True, max_iter=15, **params).fit(X, y)
    classifier.set_params(max_iter=50, alpha=alpha).fit(X, y)
    assert classifier.n_iter_ == n_iter


def test_early_stopping_that_is_switched_on_later_counts_its_own_scores():
    """The lack of progress in the cost before says nothing about the scores."""
    classifier = network(warm_start=True, tol=1e9, n_iter_no_change=20, max_iter=50).fit(X, y)
    assert classifier.n_iter_ == 21
    classifier.set_params(early_stopping=True, n_iter_no_change=2).fit(X, y)
    # The parameters at its start are what has to be beaten: they count as the first.
    assert classifier.n_iter_ == 2
    assert np.isnan(classifier.validation_scores_[:21]).all()
    assert not np.isnan(classifier.validation_scores_[21:]).any()
    assert classifier.converged_


def test_adaptive_counts_the_scores_of_early_stopping_that_is_switched_on_later():
    """Two epochs, then five times three, without progress lead from 1e-3 below 1e-6."""
    classifier = network(warm_start=True, learning_rate_init=1e-3, max_iter=20).fit(X, y)
    classifier.set_params(early_stopping=True, learning_rate="adaptive", max_iter=100)
    classifier.set_params(tol=1e9, n_iter_no_change=2).fit(X, y)
    assert classifier.n_iter_ == 2 + 5 * 3


@pytest.mark.parametrize("solver", ["lbfgs", "adam"])
def test_early_stopping_that_is_switched_on_later_keeps_parameters_that_have_their_score(solver):
    """The best score of a fit that only watched does not belong to the parameters it left."""
    watched = {"X_val": X_val, "y_val": y_val}
    classifier = network(solver, warm_start=True, learning_rate_init=0.3, max_iter=3)
    classifier.fit(X, y, **watched)
    # Or the test would show nothing.
    assert classifier.score(X_val, y_val) < classifier.best_validation_score_
    change(classifier, solver, early_stopping=True, learning_rate_init=1e-9, max_iter=2)
    classifier.fit(X, y, **watched)
    assert classifier.score(X_val, y_val) == classifier.best_validation_score_
    assert classifier.loss_ == pytest.approx(classifier.cost(X, y), rel=1e-9)


@pytest.mark.parametrize("solver", MINI_BATCH)
def test_scores_of_early_stopping_that_is_switched_off_later_say_nothing_of_costs(solver):
    watched = {"X_val": X_val, "y_val": y_val}
    classifier = network(solver, warm_start=True, early_stopping=True, n_iter_no_change=3)
    classifier.set_params(max_iter=3).fit(X, y, **watched)
    classifier.set_params(early_stopping=False, max_iter=8).fit(X, y, **watched)
    assert classifier.n_iter_ == 8


@pytest.mark.parametrize("solver", ["cg", "adam"])
@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize(
    "changed",
    [{"activation": "relu"}, {"output_activation": "softmax", "scoring": "loss"}],
    ids=["activation", "loss"],
)
def test_what_has_to_be_beaten_is_measured_as_it_would_predict(solver, batch_norm, changed):
    """The same weights with another activation function or loss are another network."""
    watched = {"X_val": X_val, "y_val": y_val}
    batch_norm = batch_norm and solver == "adam"
    classifier = network("lbfgs", warm_start=True, early_stopping=True, max_iter=50)
    classifier.set_params(**{"scoring": "loss"} if "scoring" in changed else {})
    classifier.fit(X, y, **watched)
    change(classifier, solver, max_iter=1, learning_rate_init=1e3, batch_norm=batch_norm, **changed)
    classifier.fit(X, y, **watched)
    val_loss = classifier.set_params(alpha=0.0).cost(X_val, y_val)
    score = -val_loss if "scoring" in changed else classifier.score(X_val, y_val)
    assert classifier.best_validation_score_ == pytest.approx(score, rel=1e-9)


@pytest.mark.parametrize("solver", MINI_BATCH)
def test_progress_of_another_network_does_not_count(solver):
    """The lowest cost of earlier epochs is that of another activation function."""
    classifier = network(solver, warm_start=True, tol=1e9, n_iter_no_change=9, max_iter=6)
    classifier.fit(X, y).set_params(activation="relu", max_iter=20).fit(X, y)
    assert classifier.n_iter_ == 10


# What can't be gone on from


@pytest.mark.parametrize("solver", ["lbfgs", "adam"])
def test_another_problem_is_refused(solver):
    classifier = network(solver, warm_start=True).fit(X, y)
    before = copy.copy(classifier)
    with pytest.raises(ValueError, match="where `y` has the same classes"):
        classifier.fit(X, y == 1)
    with pytest.raises(ValueError, match="features"):
        classifier.fit(X[:, :3], y)
    with pytest.raises(ValueError, match="warm_start needs the hidden_layer_sizes"):
        classifier.set_params(hidden_layer_sizes=(5,)).fit(X, y)
    classifier.set_params(hidden_layer_sizes=(5, 4))
    assert_equal(classifier, before)


def test_rows_are_compared_by_those_that_have_weight():
    """The first of them: other labels in their place are other rows, which begin anew."""
    rng = np.random.default_rng(0)
    data, weights = rng.normal(size=(30_000, 10)), (np.arange(30_000) >= 20_000).astype(float)
    labels = data[:, 0] + rng.normal(size=30_000) > 0.0
    fitted = BackpropMLPClassifier(3, solver="adam", warm_start=True, max_iter=3, random_state=0)
    lowest = fitted.fit(data, labels, weights).best_loss_
    assert min(fitted.fit(data, ~labels, weights).loss_curve_[3:]) > lowest
    assert fitted._memory["progress"]["lowest"] > lowest
