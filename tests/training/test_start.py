"""What training goes on from is never stale, whatever the user has changed in between."""

import copy
import pickle

import numpy as np
import pytest
from keywords import FULL_BATCH, MINI_BATCH, SOLVERS, read_by
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.preprocessing import scale

from backprop_mlp import BackpropMLPClassifier

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

PRECISIONS = (np.float32, np.float64)

X, y = load_iris(return_X_y=True)
X = scale(X)
ORDER = np.random.default_rng(0).permutation(len(X))
X, y = X[ORDER], y[ORDER]


def network(solver="adam", **params):
    defaults = {"activation": "tanh", "tol": 0.0, "max_iter": 5, "batch_size": 40}
    defaults |= {"random_state": 0, "learning_rate_init": 0.01, "warm_start": True}
    return BackpropMLPClassifier((5, 4), solver=solver, **read_by(solver, defaults | params))


def parameters(classifier):
    return np.concatenate([a.ravel() for a in classifier.coefs_ + classifier.intercepts_])


def assign(classifier, coefs, intercepts):
    classifier.coefs_ = [np.array(W) for W in coefs]
    classifier.intercepts_ = [np.array(b) for b in intercepts]


# Parameters that a user assigns


@pytest.mark.parametrize("call", ["fit", "partial_fit"])
@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("dtype", PRECISIONS)
@pytest.mark.parametrize("solver", SOLVERS)
def test_training_goes_on_from_parameters_that_are_assigned(solver, dtype, early_stopping, call):
    if call == "partial_fit" and (solver in FULL_BATCH or early_stopping):
        pytest.skip("partial_fit is for mini-batches, and holds out no rows")
    trained = network(solver, early_stopping=early_stopping).fit(X.astype(dtype), y)
    other = network(solver, random_state=7, max_iter=15).fit(X.astype(dtype), y)
    assign(trained, other.coefs_, other.intercepts_)
    # Steps that are too small to matter, or a start that is good enough to stay.
    trained.set_params(
        **read_by(solver, {"learning_rate_init": 1e-12, "momentum": 0.0, "tol": 1e9})
    )
    getattr(trained, call)(X.astype(dtype), y)
    np.testing.assert_allclose(parameters(trained), parameters(other), atol=1e-5)


@pytest.mark.parametrize("kind", [int, np.float16, np.float32, ">f8", np.longdouble, "list"])
@pytest.mark.parametrize("layer", [0, 1, 2])
@pytest.mark.parametrize("solver", SOLVERS)
def test_a_layer_of_another_precision_leaves_the_others_theirs(solver, layer, kind):
    trained = network(solver, max_iter=1).fit(X, y)
    trained.coefs_[layer] = np.round(3 * trained.coefs_[layer])
    expected = copy.deepcopy(trained)
    if kind == "list":
        trained.coefs_[layer] = trained.coefs_[layer].astype(int).tolist()
    else:
        trained.coefs_[layer] = trained.coefs_[layer].astype(kind)
    np.testing.assert_array_equal(trained.predict_proba(X), expected.predict_proba(X))
    assert np.array_equal(parameters(trained.fit(X, y)), parameters(expected.fit(X, y)))


@pytest.mark.parametrize("in_place", [False, True], ids=["new arrays", "in place"])
@pytest.mark.parametrize("solver", MINI_BATCH)
def test_parameters_changed_in_place_are_seen_too(solver, in_place):
    trained = network(solver).fit(X, y)
    if in_place:
        for array in trained.coefs_ + trained.intercepts_:
            array[...] = 0.0
    else:
        assign(trained, [0 * W for W in trained.coefs_], [0 * b for b in trained.intercepts_])
    trained.set_params(
        **read_by(solver, {"learning_rate_init": 1e-12, "momentum": 0.0})
    ).partial_fit(X, y)
    assert np.abs(parameters(trained)).max() < 1e-6


@pytest.mark.parametrize("solver", MINI_BATCH)
def test_the_moments_are_kept_where_parameters_are_assigned(solver):
    trained = network(solver).fit(X, y)
    same = pickle.loads(pickle.dumps(trained))
    assign(same, trained.coefs_, trained.intercepts_)
    assert np.array_equal(parameters(same.fit(X, y)), parameters(trained.fit(X, y)))


def test_clients_that_are_averaged_train_from_the_average():
    clients = [
        network(random_state=seed).partial_fit(X[seed::2], y[seed::2], classes=[0, 1, 2])
        for seed in (0, 1)
    ]
    coefs = [np.mean(layer, axis=0) for layer in zip(*(c.coefs_ for c in clients), strict=True)]
    biases = [
        np.mean(layer, axis=0) for layer in zip(*(c.intercepts_ for c in clients), strict=True)
    ]
    for client in clients:
        assign(client, coefs, biases)
        client.set_params(learning_rate_init=1e-12).partial_fit(X, y)
    np.testing.assert_allclose(*map(parameters, clients), atol=1e-8)


@pytest.mark.parametrize("early_stopping", [False, True])
def test_assigned_parameters_begin_new_scales_of_batch_normalisation(early_stopping):
    params = {"batch_norm": True, "early_stopping": early_stopping, "max_iter": 20}
    params |= {"batch_size": 150, "shuffle": False}
    trained = network(**params).fit(X, y)
    fresh = BackpropMLPClassifier.from_thetas(
        trained.thetas_,
        **{
            name: value
            for name, value in trained.get_params().items()
            if name != "hidden_layer_sizes"
        },
    )
    assign(trained, [W.copy() for W in trained.coefs_], trained.intercepts_)
    trained.coefs_[0][0, 0] += 1.0
    fresh.coefs_[0][0, 0] += 1.0
    for classifier in (trained, fresh):
        classifier.set_params(learning_rate_init=1e-12, max_iter=1, early_stopping=False)
        classifier.fit(X, y)
    np.testing.assert_allclose(parameters(trained), parameters(fresh), atol=1e-6)


# What early stopping has to beat


@pytest.mark.parametrize("solver", SOLVERS)
def test_a_changed_scorer_has_no_score_to_beat_yet(solver):
    held_out = {"X_val": X[:50], "y_val": y[:50]}
    params = {"early_stopping": True, "n_iter_no_change": 100}
    trained = network(solver, **params).fit(X[50:], y[50:], **held_out)
    assert trained.best_validation_score_ > 0.0 - 1e-9
    trained.set_params(scoring="loss", max_iter=30).fit(X[50:], y[50:], **held_out)
    scores = trained.validation_scores_[5:]
    assert trained.best_validation_score_ == max(scores)
    trained.set_params(scoring=None)
    assert np.argmax(scores) > 0
    assert trained.cost(X[:50], y[:50]) < trained.validation_loss_curve_[4]


@pytest.mark.parametrize("solver", SOLVERS)
def test_other_validation_rows_have_no_score_to_beat_yet(solver):
    params = {"early_stopping": True, "n_iter_no_change": 100}
    trained = network(solver, **params, max_iter=12)
    trained.fit(X, y, X_val=X[:5], y_val=trained.fit(X, y, X_val=X, y_val=y).predict(X[:5]))
    assert trained.best_validation_score_ == 1.0
    wrong = (y + 1) % 3
    trained.fit(X, wrong, X_val=X, y_val=wrong)
    assert trained.best_validation_score_ == trained.score(X, wrong)
    assert trained.best_validation_score_ > 0.4


@pytest.fixture(scope="module")
def good():
    return network("lbfgs", max_iter=100).fit(X, y)


@pytest.mark.parametrize("dtype", PRECISIONS)
@pytest.mark.parametrize("solver", SOLVERS)
def test_a_warm_start_never_ends_with_a_worse_score_than_it_began_with(good, solver, dtype):
    tuned = BackpropMLPClassifier.from_thetas(
        good.thetas_,
        activation="tanh",
        solver=solver,
        warm_start=True,
        early_stopping=True,
        **read_by(solver, {"learning_rate_init": 30.0}),
        max_iter=3,
        tol=0.0,
    )
    before = tuned.score(X, y)
    tuned.fit(X[:100].astype(dtype), 2 - y[:100], X_val=X.astype(dtype), y_val=y)
    assert tuned.score(X, y) == before == tuned.best_validation_score_
    assert tuned.loss_ == pytest.approx(tuned.cost(X[:100].astype(dtype), 2 - y[:100]), rel=1e-5)
    assert before not in tuned.validation_scores_


@pytest.mark.parametrize("solver", MINI_BATCH)
def test_another_data_set_does_not_end_training_by_its_cost(solver):
    """Costs of easy rows are never reached on hard ones."""
    noise = np.random.default_rng(0).permutation(y)
    params = {"n_iter_no_change": 3, "tol": 1e-6, "max_iter": 30, "alpha": 0.0}
    trained = network(solver, **params).fit(X, y)
    reached = trained.loss_
    trained.fit(X, noise)
    assert min(trained.loss_curve_[-trained.n_iter_ :]) > reached  # or the test shows nothing
    assert trained.n_iter_ > 3


@pytest.mark.parametrize("solver", MINI_BATCH)
def test_another_alpha_does_not_end_training_by_its_cost(solver):
    params = {"n_iter_no_change": 3, "tol": 1e-6, "max_iter": 20}
    trained = network(solver, alpha=1e-3, **params).fit(X, y)
    reached = trained.loss_
    trained.set_params(alpha=100.0, learning_rate_init=0.003).fit(X, y)
    assert min(trained.loss_curve_[20:]) > reached  # or the test shows nothing
    assert trained.n_iter_ > 3


# Rows that are held out


@pytest.mark.parametrize("random_state", [None, 0, np.random.RandomState(3)], ids=str)
@pytest.mark.parametrize("solver", ["lbfgs", "adam"])
def test_rows_that_are_held_out_stay_held_out(solver, random_state):
    """The score of labels that are noise can't rise by learning them."""
    seen = []

    def scorer(estimator, X_val, y_val):
        seen.append(X_val[:, 0].tolist())
        return estimator.score(X_val, y_val)

    params = {"scoring": scorer, "early_stopping": True, "random_state": random_state}
    trained = network(solver, **params)
    for _ in range(4):
        trained.fit(X, y)
        trained = pickle.loads(pickle.dumps(trained.set_params(scoring=None)))
        trained.set_params(scoring=scorer)
    assert all(rows == seen[0] for rows in seen)
    # partial_fit and a fit without early stopping lie in between.
    if solver == "adam":
        trained.set_params(early_stopping=False).partial_fit(X, y).fit(X, y)
        trained.set_params(early_stopping=True).fit(X, y)
        assert seen[-1] == seen[0]
    n_seen = len(seen)
    clone(trained).set_params(random_state=5, warm_start=False).fit(X, y)
    assert seen[n_seen] != seen[0]


@pytest.mark.parametrize("solver", ["lbfgs", "newton-cg", *MINI_BATCH])
def test_only_mini_batches_count_on_the_iterations_that_brought_nothing(solver):
    """A full-batch solver forgets the way that it came, and so may find a better one."""
    rows = {"X": X[50:], "y": y[50:], "X_val": X[:50], "y_val": y[:50]}
    trained = network(solver, early_stopping=True, n_iter_no_change=5, learning_rate_init=0.05)
    n_iter = copy.deepcopy(trained).set_params(max_iter=500).fit(**rows).n_iter_
    assert n_iter < 500
    trained.set_params(max_iter=n_iter - 1).fit(**rows)
    trained.set_params(max_iter=50).fit(**rows)
    assert trained.n_iter_ == (1 if solver in MINI_BATCH else 5)


# A state in another precision


@pytest.mark.parametrize("call", ["fit", "partial_fit"])
@pytest.mark.parametrize("solver", MINI_BATCH)
def test_rows_in_another_precision_convert_the_state(solver, call):
    params = {"batch_norm": True, "max_iter": 10, "learning_rate": "invscaling"}
    double = network(solver, **params).fit(X, y)
    single = copy.deepcopy(double)
    for dtype, classifier in ((np.float32, single), (np.float64, double)):
        for _ in range(3):
            getattr(classifier.set_params(max_iter=1), call)(X.astype(dtype), y)
    assert single.coefs_[0].dtype == np.float32
    np.testing.assert_allclose(parameters(single), parameters(double), rtol=1e-2, atol=1e-3)
    getattr(single, call)(X, y)
    assert single.coefs_[0].dtype == np.float64


# The record


@pytest.mark.parametrize("solver", SOLVERS)
def test_a_validation_score_belongs_to_its_iteration(solver):
    watched = {"X_val": X[::3], "y_val": y[::3]}
    trained = network(solver)
    n_iter = []
    for given in ({}, watched, {}, watched):
        n_iter.append(trained.fit(X, y, **given).n_iter_)
    measured = np.repeat([False, True, False, True], n_iter)
    for curve in (trained.validation_scores_, trained.validation_loss_curve_):
        assert len(curve) == len(trained.loss_curve_) == sum(n_iter)
        assert np.array_equal(~np.isnan(curve), measured)
    assert trained.validation_scores_[-1] == pytest.approx(trained.score(X[::3], y[::3]))


@pytest.mark.parametrize("solver", SOLVERS)
def test_the_loss_is_the_cost_of_the_parameters(solver):
    """Of full-batch solvers always; of mini-batches where early stopping went back."""
    params = {"early_stopping": True, "learning_rate_init": 0.3, "max_iter": 40}
    given = {"X_val": X[:30], "y_val": y[:30]}
    trained = network(solver, **params, random_state=3).fit(X[30:], y[30:], **given)
    went_back = trained.best_validation_score_ != trained.validation_scores_[-1]
    if solver in FULL_BATCH or went_back:
        assert trained.loss_ == pytest.approx(trained.cost(X[30:], y[30:]), rel=1e-12)
    else:
        assert trained.loss_ == trained.loss_curve_[-1]


def test_each_call_counts_its_own_iterations():
    trained = network(max_iter=4).fit(X, y)
    n_fun, t = trained.n_fun_, trained.t_
    trained.set_params(max_iter=3).fit(X, y)
    assert trained.n_iter_ == 3
    assert len(trained.loss_curve_) == 7
    assert (trained.n_fun_, trained.t_) == (n_fun * 7 // 4, t * 7 // 4)
    assert trained.partial_fit(X, y).n_iter_ == 1


# What others set on the estimator


class Subclass(BackpropMLPClassifier):
    """The usual pattern for a keyword that can't be pickled."""

    def __init__(self, hidden_layer_sizes=(5,), *, solver="lbfgs", max_iter=3, connection=None):
        super().__init__(hidden_layer_sizes, solver=solver, max_iter=max_iter)
        self.connection = connection

    def __getstate__(self):
        return {**super().__getstate__(), "connection": None}


@pytest.mark.parametrize("solver", SOLVERS)
def test_what_can_not_be_pickled_survives_a_fit(solver):
    connection = object()
    classifier = Subclass(solver=solver, connection=connection)
    seen = []

    def scorer(estimator, X_val, y_val):
        seen.append(estimator.connection)
        return 1.0

    classifier.set_params(scoring=scorer) if "scoring" in classifier.get_params() else None
    assert classifier.fit(X, y).connection is connection
    if solver in MINI_BATCH:
        assert classifier.partial_fit(X, y).connection is connection


@pytest.mark.parametrize("solver", SOLVERS)
def test_what_a_scorer_sets_is_kept_by_a_fit_that_succeeds_alone(solver):
    model = network(solver)

    def note(estimator, X_val, y_val):
        model.note_ = True
        return 1.0

    def fail(estimator, X_val, y_val):
        model.note_ = False
        raise LookupError

    held_out = {"X_val": X, "y_val": y}
    assert model.set_params(scoring=note).fit(X, y, **held_out).note_
    before = dict(vars(model.set_params(scoring=fail)))
    with pytest.raises(LookupError):
        model.fit(X, y, **held_out)
    assert vars(model) == before
