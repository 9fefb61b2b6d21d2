"""User labels and the network's targets, there and back."""

from types import SimpleNamespace

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.metrics import r2_score
from sklearn.utils.class_weight import compute_class_weight, compute_sample_weight

from backprop_mlp._network.losses import SigmoidLoss, SoftmaxLoss
from backprop_mlp._network.regression_losses import Huber, SquaredError
from backprop_mlp._targets.class_weight import balance_classes, weigh_rows
from backprop_mlp._targets.continuous import Numbers
from backprop_mlp._targets.multilabel import Labels
from backprop_mlp._targets.targets import (
    fitted_targets,
    sorted_classes,
    targets_of,
    unite_targets,
)

KINDS = {
    "one class": np.array(["a", "a", "a"]),
    "binary": np.array([True, False, True, True]),
    "strings": np.array(["no", "yes", "no"]),
    "multiclass": np.array([3, 10, -1, 3, 10]),
    "floats": np.array([1.0, 2.0, 7.0]),
    "objects": np.array(["b", "c", "a"], dtype=object),
}
ROW_WEIGHTS = np.array([1.0, 0.5, 0.0, 3.0, 2.0])
LABELS = np.array([[1, 0, 1], [0, 0, 0], [1, 1, 1], [0, 1, 0], [1, 0, 0]])


@pytest.fixture(params=KINDS)
def y(request):
    return KINDS[request.param]


def test_classes_are_sorted_labels(y):
    targets = targets_of(y)
    np.testing.assert_array_equal(targets.classes, np.unique(y))
    assert targets.classes.dtype == y.dtype
    assert not targets.multilabel


def test_codes_are_the_numbers_of_the_classes(y):
    targets = targets_of(y)
    np.testing.assert_array_equal(targets.classes[targets.codes(y)], y)


def test_labels_of_clear_logits_are_the_labels_encoded(y):
    targets = targets_of(y)
    Y = targets.encode(targets.codes(y), np.float64)
    assert Y.shape == (len(y), targets.n_outputs)
    np.testing.assert_array_equal(targets.predict(SigmoidLoss(), 10.0 * Y - 5.0), y)


@pytest.mark.parametrize(
    ("kind", "n_outputs"),
    [("one class", 1), ("binary", 1), ("strings", 1), ("multiclass", 3), ("objects", 3)],
)
def test_two_classes_are_one_output_more_are_one_each(kind, n_outputs):
    assert targets_of(KINDS[kind]).n_outputs == n_outputs


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_targets_have_the_precision_that_is_asked_for(y, dtype):
    targets = targets_of(y)
    assert targets.encode(targets.codes(y), dtype).dtype == dtype


def test_the_output_of_two_classes_is_the_second():
    Y = targets_of(KINDS["strings"]).encode(np.array([0, 1, 0]), np.float64)
    np.testing.assert_array_equal(Y, [[0.0], [1.0], [0.0]])


@pytest.mark.parametrize("y", [KINDS["binary"], LABELS], ids=["binary", "labels"])
def test_a_logit_of_zero_decides_for_the_first_class_and_against_a_label(y):
    """As the decision function of scikit-learn's classifiers."""
    targets = targets_of(y)
    z = np.zeros((1, targets.n_outputs))
    assert not targets.predict(SigmoidLoss(), z).any()
    assert targets.predict(SigmoidLoss(), z + 1e-300).all()


def test_targets_of_exclusive_classes_are_one_hot():
    Y = targets_of(KINDS["multiclass"]).encode(np.array([2, 0, 1]), np.float64)
    np.testing.assert_array_equal(Y, np.eye(3)[[2, 0, 1]])


@pytest.mark.parametrize("container", [np.asarray, sp.csr_matrix, sp.csr_array])
def test_label_matrices_are_their_own_targets(container):
    targets = targets_of(container(LABELS))
    assert targets.multilabel
    assert targets.n_outputs == 3
    np.testing.assert_array_equal(targets.classes, [0, 1, 2])
    Y = targets.encode(targets.codes(container(LABELS))[1:4], np.float32)
    assert isinstance(Y, np.ndarray)
    assert Y.dtype == np.float32
    np.testing.assert_array_equal(Y, LABELS[1:4])
    np.testing.assert_array_equal(targets.predict(SigmoidLoss(), 2.0 * LABELS - 1.0), LABELS)
    assert isinstance(targets.codes(container(LABELS)), type(container(LABELS)))


@pytest.mark.parametrize(
    ("y", "output_activation", "loss"),
    [
        (KINDS["multiclass"], "logistic", SigmoidLoss()),
        (KINDS["multiclass"], "softmax", SoftmaxLoss()),
        (KINDS["strings"], "softmax", SigmoidLoss()),
        (LABELS, "softmax", SigmoidLoss()),
        (KINDS["one class"], "logistic", SoftmaxLoss()),
    ],
    ids=["logistic", "softmax", "two classes", "multilabel", "one class"],
)
def test_softmax_applies_to_three_or_more_exclusive_classes(y, output_activation, loss):
    assert targets_of(y).choose_loss(output_activation) == loss


@pytest.mark.parametrize("y", [*KINDS.values(), LABELS], ids=[*KINDS, "labels"])
def test_fitted_targets_are_those_of_training(y):
    targets = targets_of(y)
    again = fitted_targets(targets.classes, targets.multilabel)
    assert type(again) is type(targets)
    assert again.classes is targets.classes


@pytest.mark.parametrize(("y", "right"), [(KINDS["multiclass"], [0, 3]), (LABELS, [0, 3])])
def test_hits_are_the_weight_of_the_rows_predicted_right(y, right):
    targets = targets_of(y)
    Y = targets.encode(targets.codes(y), np.float64)
    z = 2.0 * Y - 1.0
    wrong = np.setdiff1d(np.arange(5), right)
    # One wrong output makes a row wrong.
    z[wrong, 0] *= -3.0
    block = SimpleNamespace(Y=Y, sample_weight=ROW_WEIGHTS)
    tally = targets.tally(SigmoidLoss(), z, block)
    assert tally == ROW_WEIGHTS[right].sum()
    assert targets.score(tally, ROW_WEIGHTS.sum()) == tally / ROW_WEIGHTS.sum()


# Labels that do not fit


@pytest.mark.parametrize(
    ("fitted", "y", "found"),
    [
        (np.array([1, 2, 3]), np.array([1, 4, 0]), r"\[0 4\]"),
        (np.array([1, 2, 3]), np.array([1.5, 2.0]), r"\[1\.5\]"),
        (np.array(["a", "b"]), np.array(["a", "z"]), r"\['z'\]"),
        (np.array([1, 2]), np.array(["1", "2"]), r"\['1' '2'\]"),
        (np.array(["1", "2"]), np.array([1, 2]), r"\[1 2\]"),
        (np.array([False, True]), np.array([0, 2]), r"\[2\]"),
    ],
)
def test_unknown_labels_are_named(fitted, y, found):
    with pytest.raises(ValueError, match=rf"not among the classes .*: {found}"):
        targets_of(fitted).codes(y)


def test_equal_labels_of_another_type_are_known():
    targets = targets_of(np.array([1, 2, 3]))
    np.testing.assert_array_equal(targets.codes(np.array([3.0, 1.0])), [2, 0])
    targets = targets_of(np.array(["a", "b"]))
    np.testing.assert_array_equal(targets.codes(np.array(["b", "a"], dtype=object)), [1, 0])


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (LABELS[:, :2], r"0/1 matrix with 3 columns.*\(5, 2\)"),
        (LABELS[:, 0], r"0/1 matrix with 3 columns.*\(5,\)"),
        (2 * LABELS, r"0/1 matrix; got the values \[0 2\]"),
        (sp.csr_matrix(2 * LABELS), r"0/1 matrix; got the values \[2\]"),
        (sp.csr_matrix(([1, 1], [0, 0], [0, 2]), (1, 3)), r"0/1 matrix; got the values \[2\]"),
        (2 * LABELS - 1, r"0/1 matrix; got the values \[-1  1\]"),
    ],
)
def test_a_multilabel_problem_wants_a_0_1_matrix_of_its_width(y, message):
    with pytest.raises(ValueError, match=message):
        targets_of(LABELS).codes(y)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (np.array([0.5, 1.5]), "Unknown label type: continuous"),
        (np.array([[1, 2], [3, 4]]), "y should be a 1d array"),
        (np.array([1, 2], dtype=object), "Unknown label type: unknown"),
    ],
)
def test_what_is_no_classification_is_rejected(y, message):
    with pytest.raises(ValueError, match=message):
        targets_of(y)


# Probabilities


def test_two_classes_have_complementary_probabilities():
    targets = targets_of(KINDS["binary"])
    z = np.array([[-2.0], [0.0], [40.0]])
    P = targets.proba(SigmoidLoss(), z)
    np.testing.assert_allclose(P[:, 1], 1.0 / (1.0 + np.exp(-z[:, 0])), rtol=1e-14)
    np.testing.assert_allclose(P.sum(axis=1), 1.0, rtol=1e-15)
    np.testing.assert_allclose(targets.log_proba(SigmoidLoss(), z)[2, 0], -40.0, rtol=1e-12)


def units_off(found, exact):
    """Distance to exact numbers (longdouble) in units in the last place, where they are normal."""
    unit = np.spacing(exact.astype(found.dtype)).astype(np.longdouble)
    return np.where(exact < np.finfo(found.dtype).tiny, 0.0, np.abs(found - exact) / unit)


def assert_accurate(targets, loss, z, exact, dtype):
    """Probabilities to 4 units, or what the logits' own rounding makes of them, and their logs."""
    P = targets.proba(loss, z)
    assert P.dtype == dtype
    assert units_off(P, exact).max() <= (4.0 if targets.n_outputs == 1 or targets.multilabel else 8)
    log_P = targets.log_proba(loss, z)
    assert log_P.dtype == dtype
    off = np.abs(np.exp(log_P.astype(np.longdouble)) - exact)
    normal = exact >= np.finfo(dtype).tiny
    off = off[normal] / exact[normal] / np.finfo(dtype).eps
    # A log faithfully rounded is a unit of its own off: old NumPy's is no better.
    assert np.all(off <= 4.0 + np.abs(np.log(exact[normal])))


PRECISIONS = pytest.mark.parametrize(
    ("dtype", "largest"), [(np.float32, 90.0), (np.float64, 740.0)], ids=["float32", "float64"]
)


@PRECISIONS
@pytest.mark.parametrize("kind", ["binary", "labels"])
def test_small_probabilities_are_exact_to_four_units(kind, dtype, largest):
    z = np.linspace(-largest, largest, 20_001).astype(dtype)[:, np.newaxis]
    long = z.astype(np.longdouble)
    if kind == "binary":
        targets, exact = targets_of(KINDS["binary"]), 1 / (1 + np.exp(np.hstack([long, -long])))
    else:
        targets, z = targets_of(LABELS[:, :2]), np.hstack([-z, z])
        exact = 1 / (1 + np.exp(np.hstack([long, -long])))
    assert_accurate(targets, SigmoidLoss(), z, exact, dtype)


@PRECISIONS
@pytest.mark.parametrize("loss", [SigmoidLoss(), SoftmaxLoss()], ids=lambda loss: loss.name)
@pytest.mark.parametrize("centre", [0.0, -0.5, -5.0])
def test_small_probabilities_of_many_classes_are_exact_to_the_last_units(
    loss, centre, dtype, largest
):
    spread = largest / 8.0
    z = (spread * (np.random.default_rng(0).normal(size=(5000, 3)) + centre)).astype(dtype)
    long = z.astype(np.longdouble)
    h = 1 / (1 + np.exp(-long)) if loss == SigmoidLoss() else np.exp(long)
    assert_accurate(
        targets_of(KINDS["multiclass"]), loss, z, h / h.sum(axis=1, keepdims=True), dtype
    )


def test_logistic_outputs_of_exclusive_classes_are_divided_by_their_sum():
    targets = targets_of(KINDS["multiclass"])
    z = np.array([[1.0, -2.0, 0.5], [-3.0, -3.0, -3.0]])
    h = 1.0 / (1.0 + np.exp(-z))
    expected = h / h.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(targets.proba(SigmoidLoss(), z), expected, rtol=1e-13)
    np.testing.assert_allclose(targets.log_proba(SigmoidLoss(), z), np.log(expected), rtol=1e-12)


def test_the_division_is_done_in_log_space():
    # Every h underflows to 0 here, but their ratios do not.
    z = np.array([[-1000.0, -1001.0, -2000.0]])
    targets = targets_of(KINDS["multiclass"])
    P = targets.proba(SigmoidLoss(), z)
    np.testing.assert_allclose(P[0, 1] / P[0, 0], np.exp(-1.0), rtol=1e-12)
    np.testing.assert_allclose(P.sum(), 1.0, rtol=1e-15)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("output_activation", ["logistic", "softmax"])
def test_log_probabilities_of_any_finite_logits_are_finite(y, output_activation, dtype):
    targets = targets_of(y)
    loss = targets.choose_loss(output_activation)
    corners = np.finfo(dtype).max * np.array([-1.0, -0.5, 0.0, 0.5, 1.0], dtype)
    grid = np.meshgrid(*[corners] * targets.n_outputs)
    z = np.stack([column.ravel() for column in grid], axis=1)
    log_P = targets.log_proba(loss, z)
    P = targets.proba(loss, z)
    assert log_P.dtype == P.dtype == dtype
    assert np.isfinite(log_P).all()
    np.testing.assert_allclose(P.sum(axis=1), 1.0, rtol=1e-6)


def test_each_label_has_its_own_probability():
    z = np.array([[0.0, 3.0, -3.0]])
    P = targets_of(LABELS).proba(SigmoidLoss(), z)
    np.testing.assert_allclose(P, 1.0 / (1.0 + np.exp(-z)), rtol=1e-14)


# Class weights


@pytest.mark.parametrize(
    "class_weight", [None, {3: 2.0}, {-1: 0.0, 3: 1, 10: 2.5}, [{10: 3.0}], "balanced"]
)
def test_class_weights_are_those_of_scikit_learn(class_weight):
    y = KINDS["multiclass"]
    targets = targets_of(y)
    given = class_weight[0] if isinstance(class_weight, list) else class_weight
    weights = targets.class_weights(class_weight, targets.totals(targets.codes(y), np.ones(len(y))))
    expected = compute_class_weight(given, classes=targets.classes, y=y)
    np.testing.assert_allclose(weights, expected, rtol=1e-15)


@pytest.mark.parametrize(
    "labels", [["0", "1", "2"], ["1", "a", "b"], np.array([0, 1, 2], "M8[D]").tolist()]
)
def test_a_class_weight_is_that_of_its_label_whatever_it_looks_like(labels):
    """scikit-learn's compute_class_weight takes the label "0" for the number 0."""
    targets = targets_of(np.array(labels, "M8[D]" if not isinstance(labels[0], str) else None))
    weights = targets.class_weights({labels[0]: 2.0, labels[2]: 3.0})
    numpys = targets.class_weights({targets.classes[0]: weights[0], targets.classes[2]: weights[2]})
    np.testing.assert_array_equal(numpys, weights)
    expected = {labels[0]: 2.0, labels[1]: 1.0, labels[2]: 3.0}
    assert dict(zip(targets.classes.tolist(), weights.tolist(), strict=True)) == expected


@pytest.mark.parametrize("class_weight", ["balanced", [{0: 2, 1: 3}, {1: 0.5}, {}]])
@pytest.mark.parametrize("container", [np.asarray, sp.csr_matrix, sp.csr_array])
def test_weights_of_labels_are_those_of_a_problem_per_label(class_weight, container):
    targets = targets_of(container(LABELS))
    codes = targets.codes(container(LABELS))
    weights = targets.class_weights(class_weight, targets.totals(codes, ROW_WEIGHTS))
    found = targets.loss_weights(codes, ROW_WEIGHTS, weights)
    assert found.shape == LABELS.shape
    for label, y in enumerate(LABELS.T):
        alone = targets_of(y)
        of_label = class_weight if class_weight == "balanced" else class_weight[label]
        totals = alone.totals(alone.codes(y), ROW_WEIGHTS)
        expected = alone.loss_weights(
            alone.codes(y), ROW_WEIGHTS, alone.class_weights(of_label, totals)
        )
        np.testing.assert_allclose(found[:, label], expected, rtol=1e-15)


def test_weights_of_exclusive_classes_are_those_of_scikit_learn():
    y = KINDS["multiclass"]
    targets = targets_of(y)
    weights = targets.class_weights({3: 2.0, 10: 0.5})
    expected = ROW_WEIGHTS * compute_sample_weight({-1: 1.0, 3: 2.0, 10: 0.5}, y)
    found = targets.loss_weights(targets.codes(y), ROW_WEIGHTS, weights)
    np.testing.assert_allclose(found, expected, rtol=1e-15)


@pytest.mark.parametrize("y", [LABELS, KINDS["multiclass"]], ids=["labels", "classes"])
def test_without_class_weights_the_rows_keep_their_weights(y):
    targets = targets_of(y)
    codes = targets.codes(y)
    rows, weigh = weigh_rows(targets, codes, ROW_WEIGHTS, targets.class_weights(None))
    assert rows is ROW_WEIGHTS
    assert weigh is None


def test_class_weights_of_exclusive_classes_are_weights_of_whole_rows():
    y = KINDS["multiclass"]
    targets = targets_of(y)
    weights = targets.class_weights({3: 2.0})
    rows, weigh = weigh_rows(targets, targets.codes(y), ROW_WEIGHTS, weights)
    np.testing.assert_array_equal(rows, ROW_WEIGHTS * np.where(y == 3, 2.0, 1.0))
    assert weigh is None


@pytest.mark.parametrize("container", [np.asarray, sp.csr_matrix, sp.csr_array])
def test_class_weights_of_labels_leave_the_rows_weights_and_are_made_per_block(container):
    targets = targets_of(container(LABELS))
    codes = targets.codes(container(LABELS))
    weights = targets.class_weights([{0: 2, 1: 3}, {1: 0.5}, {}])
    rows, weigh = weigh_rows(targets, codes, ROW_WEIGHTS, weights)
    assert rows is ROW_WEIGHTS
    whole = weigh(codes, rows)
    expected = np.column_stack([[3, 2, 3, 2, 3], [1, 1, 0.5, 0.5, 1], np.ones(5)])
    np.testing.assert_array_equal(whole, expected * ROW_WEIGHTS[:, np.newaxis])
    np.testing.assert_array_equal(weigh(codes[1:4], rows[1:4]), whole[1:4])
    # As logits lie in memory.
    assert whole.flags.f_contiguous


def test_balanced_counts_weighted_rows():
    y = np.array([0, 0, 1, 1, 1, 2])
    counts = np.array([3, 1, 1, 2, 0, 4])
    targets = targets_of(y)
    weights = targets.class_weights(
        "balanced", targets.totals(targets.codes(y), counts.astype(float))
    )
    repeated = np.repeat(y, counts)
    expected = compute_class_weight("balanced", classes=targets.classes, y=repeated)
    np.testing.assert_allclose(weights, expected, rtol=1e-15)


def test_rows_without_the_last_class_have_a_total_of_it():
    targets = targets_of(np.array([0, 1, 2]))
    np.testing.assert_array_equal(targets.totals(np.array([0, 1, 0]), np.ones(3)), [2.0, 1.0, 0.0])


def test_balanced_gives_all_classes_with_any_weight_the_same_total():
    y = np.array([0, 1, 1, 2, 2, 2])
    sample_weight = np.array([1.0, 0.0, 0.0, 2.0, 2.0, 5.0])
    targets = targets_of(y)
    codes = targets.codes(y)
    weights = targets.class_weights("balanced", targets.totals(codes, sample_weight))
    totals = np.bincount(codes, weights=targets.loss_weights(codes, sample_weight, weights))
    np.testing.assert_allclose(totals, [5.0, 0.0, 5.0])


@pytest.mark.parametrize(
    ("y", "class_weight", "kind", "message"),
    [
        (
            KINDS["multiclass"],
            {4: 1},
            ValueError,
            r"class_weight names labels .*\[-1  3 10\]: \[4\]",
        ),
        (KINDS["multiclass"], {3: -1}, ValueError, r"class_weight must .* >= 0; got \{3: -1\}"),
        (KINDS["multiclass"], {3: np.nan}, ValueError, r"class_weight must .* got \{3: nan\}"),
        (KINDS["multiclass"], {3: np.inf}, ValueError, r"class_weight must .* got \{3: inf\}"),
        (KINDS["multiclass"], {3: "1"}, ValueError, r"class_weight must .* got \{3: '1'\}"),
        (KINDS["multiclass"], [{3: 1}, {3: 1}], ValueError, "class_weight must be one dictionary"),
        (KINDS["multiclass"], [5], TypeError, "class_weight must hold dictionaries; got 5"),
        (LABELS, {1: 2}, ValueError, "class_weight of a multilabel problem must be a list of 3"),
        (LABELS, [{1: 2}], ValueError, "class_weight of a multilabel problem must be a list of 3"),
        (LABELS, [{1: 2}, {}, {2: 1}], ValueError, r"class_weight names labels .*: \[2\]"),
        (LABELS, ["balanced"] * 3, TypeError, "class_weight must hold dictionaries"),
    ],
)
def test_class_weights_that_do_not_fit_are_named(y, class_weight, kind, message):
    targets = targets_of(y)
    with pytest.raises(kind, match=message):
        targets.class_weights(class_weight, targets.totals(targets.codes(y), np.ones(len(y))))


def test_a_class_without_weight_has_no_balanced_weight_and_no_part_in_the_others():
    np.testing.assert_allclose(
        balance_classes(np.array([6.0, 0.0, 2.0])), [2 / 3, 0.0, 2.0], rtol=1e-15
    )


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ([[0, 1], ["a", "b"]], "y must hold numbers or strings, not both"),
        ([LABELS, [0, 1]], "y must be multilabel in all of its parts or in none"),
        ([LABELS, LABELS[:, :2]], r"y must have as many columns .* shapes \[\(2,\), \(3,\)\]"),
    ],
)
def test_parts_of_several_kinds_are_no_y(parts, message):
    with pytest.raises(ValueError, match=rf"^{message}"):
        unite_targets([targets_of(np.array(part)) for part in parts])


@pytest.mark.parametrize(
    "classes",
    [np.array(["2020-01-01", "NaT"], "M8[D]"), [0.5, 1.0], [0.0, np.inf], [], ["a", None]],
)
def test_announced_classes_are_labels(classes):
    with pytest.raises(ValueError, match=r"^classes must be a sequence of labels"):
        sorted_classes(classes)


@pytest.mark.parametrize("classes", [[1, 2], ["a", "b"], [0, 1, 2]])
def test_the_classes_of_a_matrix_of_labels_are_its_columns(classes):
    assert len(Labels.numbered(2, [0, 1]).classes) == 2
    with pytest.raises(ValueError, match=r"^classes of a multilabel problem must be \[0 1\] or"):
        Labels.numbered(2, classes)


def test_labels_go_on_as_the_kind_that_they_were():
    classes, labels = targets_of(np.array([0, 1, 2])), targets_of(LABELS)
    message = "a step needs y of the previous fit's kind, {}; got {}."
    kinds = "one class per row", "a 0/1 matrix of labels"
    with pytest.raises(ValueError, match=f"^{message.format(*kinds)}$"):
        labels.continuing(classes, "a step")
    with pytest.raises(ValueError, match=f"^{message.format(*kinds[::-1])}$"):
        classes.continuing(labels, "a step")


def scaled(y):
    targets = Numbers.of(y, SquaredError(), normalize_y=True)
    return targets.scaled_by(targets.totals(y, np.ones(len(y))))


def test_numbers_that_go_on_keep_their_units_and_take_a_new_loss():
    before, now = scaled(np.array([1.0, 5.0])), Numbers.of(np.array([7.0]), Huber(2.0), True)
    found = now.continuing(before, "warm_start")
    assert (found.mean, found.scale, found.loss) == (3.0, 2.0, Huber(2.0))


@pytest.mark.parametrize("constant", [[], [0], [0, 1]])
def test_the_score_of_numbers_is_r2_unless_none_varies(constant):
    rng = np.random.default_rng(0)
    y = 100.0 * rng.normal(size=(20, 2))
    y[:, constant] = 3.0
    targets = scaled(y)
    Y = targets.encode(y, np.float64)
    z = Y + rng.normal(size=Y.shape)
    block = SimpleNamespace(Y=Y, sample_weight=np.ones(20))
    found = targets.score(
        targets.tally(SquaredError(), z, block), 20.0, targets.totals(y, 1.0 + 0 * y[:, 0])
    )
    expected = r2_score(Y, z) if len(constant) < 2 else 1.0 - np.mean((z - Y) ** 2)
    assert found == pytest.approx(expected, rel=1e-12)
