"""scikit-learn's own checks of an estimator, and which of its configurations every run checks."""

import pytest
from sklearn.utils.estimator_checks import check_estimator

ARRAY_API = "check_array_api_input"
"""scikit-learn skips it unless SCIPY_ARRAY_API is set; no estimator here claims support."""


def not_passed(estimator):
    """{name: reason} of the checks that fail or are skipped."""
    results = check_estimator(estimator, on_skip=None, on_fail=None)
    # Else little has been asked: scikit-learn 1.9 has 61 for a regressor, 68 for a classifier.
    assert len(results) > 45
    return {
        result["check_name"]: result["exception"]
        for result in results
        if result["status"] != "passed" and result["check_name"] != ARRAY_API
    }


def slow_but(in_every_run, configurations):
    """A case per configuration, by its name; slow unless it is to be in every run."""
    return [
        pytest.param(value, id=name, marks=[pytest.mark.slow] * (name not in in_every_run))
        for name, value in configurations.items()
    ]
