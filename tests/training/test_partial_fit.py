"""`partial_fit`: one epoch over the rows at hand, and classes that are told beforehand."""

import copy
import pickle
import warnings

import numpy as np
import pytest
from keywords import MINI_BATCH
from scipy.sparse import csr_array, csr_matrix
from sklearn.datasets import load_digits, load_iris, make_multilabel_classification
from sklearn.preprocessing import scale

from backprop_mlp import BackpropMLPClassifier, IgnoredKeywordWarning

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


X, y = load_iris(return_X_y=True)
X = scale(X)
WEIGHTS = np.random.default_rng(5).uniform(0.0, 3.0, len(X))


def network(solver="adam", **params):
    defaults = {"activation": "tanh", "batch_size": 40, "learning_rate_init": 0.01}
    params = defaults | {"hidden_layer_sizes": (5,), "random_state": 0} | params
    return BackpropMLPClassifier(solver=solver, **params)


def assert_equal(one, other):
    for ours, theirs in zip(
        one.coefs_ + one.intercepts_, other.coefs_ + other.intercepts_, strict=True
    ):
        assert ours.dtype == theirs.dtype
        assert np.array_equal(ours, theirs)
    for name in ("loss_curve_", "loss_", "best_loss_", "n_fun_", "t_"):
        assert getattr(one, name) == getattr(other, name), name


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    "params", [{}, {"batch_norm": True, "dropout": 0.3, "learning_rate": "step"}], ids=str
)
@pytest.mark.parametrize("solver", MINI_BATCH)
def test_calls_over_the_same_rows_equal_a_fit(solver, params, dtype):
    X_, weights = X.astype(dtype), WEIGHTS
    whole = network(solver, max_iter=5, tol=0.0, **params).fit(X_, y, weights)
    pieces = network(solver, **params)
    for number in range(5):
        if number == 2:
            pieces = pickle.loads(pickle.dumps(pieces))
        pieces.partial_fit(X_, y, weights, classes=[2, 1, 0] if number == 0 else None)
    assert_equal(pieces, whole)


def test_an_adaptive_rate_that_stays_is_told_once():
    model = network(learning_rate="adaptive")
    with pytest.warns(IgnoredKeywordWarning, match="'adaptive' does nothing in partial_fit"):
        model.partial_fit(X, y, classes=[0, 1, 2])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.partial_fit(X, y)
        network(learning_rate="constant").partial_fit(X, y, classes=[0, 1, 2])


def test_a_fit_may_be_gone_on_from():
    whole = network(max_iter=4, tol=0.0).fit(X, y)
    begun = network(max_iter=3, tol=0.0).fit(X, y)
    assert_equal(begun.partial_fit(X, y), whole)


def test_and_a_fit_may_go_on():
    whole = network(max_iter=4, tol=0.0).fit(X, y)
    begun = network(max_iter=3, tol=0.0, warm_start=True).partial_fit(X, y, classes=[0, 1, 2])
    assert_equal(begun.fit(X, y), whole)


def test_it_takes_no_notice_of_max_iter_and_tol():
    classifier = network(max_iter=1, tol=1e9, n_iter_no_change=1)
    for number in range(5):
        classifier.partial_fit(X, y, classes=[0, 1, 2])
        assert (classifier.n_iter_, len(classifier.loss_curve_)) == (1, number + 1)
        assert not classifier.converged_


def test_it_says_nothing_of_convergence(recwarn):
    network().partial_fit(X, y, classes=[0, 1, 2])
    assert not recwarn.list


def test_rows_in_chunks_teach_a_network():
    X, y = load_digits(return_X_y=True)
    X = X / 16
    classifier = network(hidden_layer_sizes=(25,), alpha=0.1, batch_size=50)
    for _ in range(10):
        for start in range(0, 1500, 300):
            chunk = slice(start, start + 300)
            classifier.partial_fit(X[chunk], y[chunk], classes=range(10))
    assert len(classifier.loss_curve_) == 50
    assert classifier.t_ == 50 * 300
    assert classifier.score(X[1500:], y[1500:]) > 0.85


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_chunk_that_makes_training_diverge_leaves_the_estimator_as_it_was():
    classifier = network(activation="identity").partial_fit(X, y, classes=[0, 1, 2])
    before = copy.copy(classifier)
    with pytest.raises(FloatingPointError, match="diverges"):
        classifier.partial_fit(1e307 * X, y)
    assert_equal(classifier, before)
    assert_equal(classifier.partial_fit(X, y), before.partial_fit(X, y))


# Classes


def test_classes_that_the_first_rows_lack_are_learned_later():
    first, rest = y < 1, y >= 1
    classifier = network(batch_size=10)
    classifier.partial_fit(X[first], y[first], classes=[0, 1, 2])
    assert classifier.classes_.tolist() == [0, 1, 2]
    assert classifier.predict_proba(X).shape == (len(X), 3)
    for _ in range(45):
        classifier.partial_fit(X[rest], y[rest])
        classifier.partial_fit(X[first], y[first])
    assert classifier.score(X, y) > 0.9


def test_classes_are_needed_at_first():
    with pytest.raises(ValueError, match="classes must be given in the first call"):
        network().partial_fit(X, y)


@pytest.mark.parametrize("classes", [[0, 1], [0, 1, 3], [0, 1, 2, 3], ["0", "1", "2"]], ids=repr)
def test_other_classes_later_on_are_refused(classes):
    classifier = network().partial_fit(X, y, classes=[0, 1, 2])
    with pytest.raises(ValueError, match="classes must be those of the first call"):
        classifier.partial_fit(X, y, classes=classes)
    classifier.partial_fit(X, y, classes=[2, 0, 1, 1])  # the same in another order
    assert len(classifier.loss_curve_) == 2


def test_labels_that_were_not_announced_are_refused():
    with pytest.raises(ValueError, match=r"labels that are not among the classes \[0 1\]: \[2\]"):
        network().partial_fit(X, y, classes=[0, 1])
    classifier = network().partial_fit(X, y, classes=[0, 1, 2])
    with pytest.raises(ValueError, match=r"not among the classes \[0 1 2\]: \[3\]"):
        classifier.partial_fit(X, y + 1)
    with pytest.raises(ValueError, match="not among the classes"):
        classifier.partial_fit(X, y.astype(str))
    assert classifier.n_iter_ == 1


def test_string_labels():
    names = np.array(["setosa", "versicolor", "virginica"])
    named = network().partial_fit(X[:60], names[y[:60]], classes=names)
    numbered = network().partial_fit(X[:60], y[:60], classes=range(3))
    assert named.classes_.tolist() == names.tolist()
    assert_equal(named.partial_fit(X, names[y]), numbered.partial_fit(X, y))
    assert np.array_equal(named.predict(X), names[numbered.predict(X)])


def test_two_classes_of_which_one_is_there():
    classifier = network().partial_fit(X[:50], y[:50], classes=[0, 1])
    assert classifier.n_outputs_ == 1
    assert classifier.predict_proba(X).shape == (len(X), 2)


def test_a_single_class():
    classifier = network().partial_fit(X[:50], y[:50], classes=[0])
    assert classifier.predict(X).tolist() == [0] * len(X)


# Multilabel


Z, L = make_multilabel_classification(120, 6, n_classes=4, random_state=0)


@pytest.mark.parametrize("container", [np.asarray, csr_matrix, csr_array])
@pytest.mark.parametrize("classes", [None, range(4)])
def test_multilabel_columns_are_the_classes(container, classes):
    whole = network(max_iter=3, tol=0.0).fit(Z, L)
    pieces = network()
    for _ in range(3):
        pieces.partial_fit(Z, container(L), classes=classes)
    assert_equal(pieces, whole)
    assert pieces.predict(Z).shape == L.shape


def test_multilabel_labels_that_the_first_rows_lack():
    with_all = L.copy()
    L_first = L[:20] * [1, 0, 1, 0]
    classifier = network().partial_fit(Z[:20], L_first)
    for _ in range(60):
        classifier.partial_fit(Z, with_all)
    assert classifier.predict(Z).any(axis=0).all()


def test_multilabel_targets_of_another_kind_are_refused():
    classifier = network().partial_fit(Z, L)
    with pytest.raises(ValueError, match="0/1 matrix with 4 columns"):
        classifier.partial_fit(Z, L[:, :3])
    with pytest.raises(ValueError, match="0/1 matrix with 4 columns"):
        classifier.partial_fit(Z, L[:, 0])
    with pytest.raises(ValueError, match="classes of a multilabel problem must be"):
        network().partial_fit(Z, L, classes=[1, 2, 3, 4])
    with pytest.raises(ValueError, match="classes must be those of the first call"):
        classifier.partial_fit(Z, L, classes=[0, 1])


# When it is there


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"solver": "cg"}, "solver must be one of .*'adam', 'rmsprop', 'sgd'.*got solver='cg'"),
        ({"solver": "lbfgs"}, "got solver='lbfgs'"),
        ({"solver": "newton-cg"}, "got solver='newton-cg'"),
        ({"early_stopping": True}, "early_stopping must be False"),
        ({"class_weight": "balanced"}, "class_weight must not be 'balanced'"),
    ],
    ids=str,
)
def test_it_is_absent_where_it_makes_no_sense(params, message):
    classifier = network(**params)
    assert not hasattr(classifier, "partial_fit")
    with pytest.raises(AttributeError) as error:
        classifier.partial_fit(X, y, classes=[0, 1, 2])
    with pytest.raises(AttributeError, match=message):
        raise error.value.__cause__ or error.value


@pytest.mark.parametrize("solver", MINI_BATCH)
def test_it_is_there_for_mini_batch_solvers(solver):
    assert hasattr(network(solver), "partial_fit")


# Weights, other data, changed keywords


def test_class_weights_count():
    weighted = network(class_weight={0: 3.0}).partial_fit(X, y, classes=[0, 1, 2])
    by_row = network().partial_fit(X, y, np.where(y == 0, 3.0, 1.0), classes=[0, 1, 2])
    assert_equal(weighted, by_row)


def test_class_weights_must_be_of_announced_classes():
    with pytest.raises(ValueError, match="class_weight names labels"):
        network(class_weight={7: 3.0}).partial_fit(X, y, classes=[0, 1, 2])


def test_rows_without_any_weight_are_refused():
    classifier = network()
    with pytest.raises(ValueError, match=r"(?i)sample.weight"):
        classifier.partial_fit(X, y, np.zeros(len(X)), classes=[0, 1, 2])
    assert not hasattr(classifier, "coefs_")
    assert not hasattr(classifier, "n_features_in_")


def test_another_number_of_features_is_refused():
    classifier = network().partial_fit(X, y, classes=[0, 1, 2])
    with pytest.raises(ValueError, match="features"):
        classifier.partial_fit(X[:, :3], y)


@pytest.mark.parametrize("size", [1, 3, 8])
def test_other_hidden_layers_are_refused(size):
    """Also where NumPy would broadcast the old matrices into the new ones."""
    classifier = network(hidden_layer_sizes=(1,)).partial_fit(X, y, classes=[0, 1, 2])
    before = copy.copy(classifier)
    classifier.set_params(hidden_layer_sizes=(size, 1) if size == 1 else (size,))
    with pytest.raises(ValueError, match=r"partial_fit needs the hidden_layer_sizes .*\[1\]"):
        classifier.partial_fit(X, y)
    assert_equal(classifier, before)


def test_a_single_row_will_do():
    classifier = network(batch_norm=True, dropout=0.2)
    for row in range(30):
        classifier.partial_fit(X[[row]], y[[row]], classes=[0, 1, 2])
    assert classifier.t_ == 30
    assert np.isfinite(classifier.predict_proba(X)).all()


def test_a_rate_that_adaptive_has_lowered_stays_lowered():
    params = {"learning_rate": "adaptive", "tol": 1e9, "n_iter_no_change": 1, "max_iter": 4}
    params |= {"momentum": 0.0, "shuffle": False}
    classifier = network("sgd", **params).fit(X, y)  # two plateaus: a twenty-fifth
    lowered = copy.copy(classifier).partial_fit(X, y)
    constant = BackpropMLPClassifier.from_thetas(
        classifier.thetas_,
        activation="tanh",
        solver="sgd",
        batch_size=40,
        learning_rate_init=0.01 / 25,
        momentum=0.0,
        shuffle=False,
    ).partial_fit(X, y)
    for ours, theirs in zip(lowered.coefs_, constant.coefs_, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)


def test_validation_scores_of_an_earlier_fit_stay_with_their_curve():
    classifier = network(max_iter=3, tol=0.0).fit(X, y, X_val=X[::3], y_val=y[::3])
    scores, losses = classifier.validation_scores_, classifier.validation_loss_curve_
    classifier.partial_fit(X, y)
    np.testing.assert_array_equal(classifier.validation_scores_, [*scores, np.nan])
    np.testing.assert_array_equal(classifier.validation_loss_curve_, [*losses, np.nan])
    assert len(classifier.loss_curve_) == 4
    assert classifier.best_validation_score_ is None


def test_the_best_loss_is_the_lowest_one_where_the_cost_has_risen_since():
    classifier = network(learning_rate_init=0.05)
    for _ in range(10):
        classifier.partial_fit(X, y, classes=[0, 1, 2])
    classifier.partial_fit(X, 2 - y)
    assert classifier.best_loss_ == min(classifier.loss_curve_) < classifier.loss_


def test_verbose_prints_a_line_a_call(capsys):
    classifier = network(verbose=True)
    for _ in range(2):
        classifier.partial_fit(X, y, classes=[0, 1, 2])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines] == [["Iteration", "1"], ["Iteration", "2"]]
