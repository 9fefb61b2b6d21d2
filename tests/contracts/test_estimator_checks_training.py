"""scikit-learn's own checks for what belongs to training: solvers, schedules, layers, stops.

Some configurations can't pass all of them, each for its reason:

- Dropout draws a mask for each row, and early stopping holds rows out. Two equal
  rows are then not one row of twice the weight: the two checks of sample weights
  compare just that.
- A warm start in a mini-batch solver goes on from the solver's state, so that a
  second fit is not the first one again. The checks that compare two fits of one
  estimator fail, and so they do for scikit-learn's own MLPClassifier.

(With solver="adam" or "newton-cg" and early_stopping=True,
check_class_weight_classifiers fails, too: the score of its five held-out rows,
of which some weigh ten million times the others, is perfect from the start and
never rises.)
"""

import pytest
from checks import not_passed, slow_but
from sklearn.neural_network import MLPClassifier

from backprop_mlp import BackpropMLPClassifier

PASSING = {
    "newton-cg": {"solver": "newton-cg"},
    "adam": {"solver": "adam"},
    "rmsprop": {"solver": "rmsprop"},
    "sgd": {"solver": "sgd"},
    "adaptive": {"solver": "sgd", "learning_rate": "adaptive"},
    "cosine": {"solver": "adam", "learning_rate": "cosine"},
    "batch norm": {"solver": "adam", "batch_norm": True},
} | {
    # These fall so fast that the default rate, 0.001, learns nothing in 200 epochs.
    name: {"solver": "adam", "learning_rate": name, "learning_rate_init": 0.1}
    for name in ("step", "exponential", "inverse_time")
}

BY_ROW = {
    "check_sample_weight_equivalence_on_dense_data",
    "check_sample_weight_equivalence_on_sparse_data",
}
BY_ROW_COUNT = {
    "invscaling": {"solver": "adam", "learning_rate": "invscaling", "learning_rate_init": 0.1}
}
DRAWN_BY_ROW = {
    "dropout": {"solver": "adam", "dropout": 0.5},
    "early stopping": {"early_stopping": True},
    "early stopping, lbfgs": {"early_stopping": True, "solver": "lbfgs"},
}

IN_EVERY_RUN = {"adam", "batch norm", "early stopping"}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("params", slow_but(IN_EVERY_RUN, PASSING))
def test_every_check_passes(params):
    assert not_passed(BackpropMLPClassifier(**params)) == {}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("params", slow_but(IN_EVERY_RUN, DRAWN_BY_ROW | BY_ROW_COUNT))
def test_what_is_drawn_or_counted_by_row_fails_the_weight_equivalences_alone(params):
    assert not_passed(BackpropMLPClassifier(**params)).keys() == BY_ROW


@pytest.fixture(scope="module")
def failures_of_mlp_classifier():
    """Of its warm start; the check that it skips is about a method that it does not have."""
    return not_passed(MLPClassifier(warm_start=True)).keys() - {
        "check_classifiers_multilabel_output_format_decision_function"
    }


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("solver", ["adam", "rmsprop", "sgd"])
def test_a_warm_start_fails_what_mlp_classifiers_does(failures_of_mlp_classifier, solver):
    ours = not_passed(BackpropMLPClassifier(solver=solver, warm_start=True))
    assert ours.keys() == failures_of_mlp_classifier
    assert len(ours) == 2
