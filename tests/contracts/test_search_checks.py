"""scikit-learn's own checks of the searches over alpha, in every way that they keep a fit."""

import pytest
from sklearn.utils.estimator_checks import check_estimator

from backprop_mlp import (
    BackpropMLPClassifier,
    BackpropMLPClassifierCV,
    BackpropMLPRegressor,
    BackpropMLPRegressorCV,
)

CLASSIFIER = BackpropMLPClassifier(10, max_iter=20, random_state=0)
REGRESSOR = BackpropMLPRegressor(10, max_iter=20, random_state=0)
SEARCHES = {
    "classifier": BackpropMLPClassifierCV(CLASSIFIER, alphas=2, cv=3),
    "classifier, folds": BackpropMLPClassifierCV(CLASSIFIER, cv=2, refit="folds"),
    "regressor": BackpropMLPRegressorCV(REGRESSOR, alphas=2, cv=3),
    "regressor, folds": BackpropMLPRegressorCV(REGRESSOR, cv=2, refit="folds"),
}
IN_EVERY_RUN = {"classifier, folds"}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[pytest.mark.slow] * (name not in IN_EVERY_RUN))
        for name in SEARCHES
    ],
)
def test_every_check_passes(name):
    results = check_estimator(SEARCHES[name], on_skip=None, on_fail=None)
    assert len(results) > 50
    not_passed = {
        result["check_name"]: result["exception"]
        for result in results
        # scikit-learn skips this one unless SCIPY_ARRAY_API is set.
        if result["status"] != "passed" and result["check_name"] != "check_array_api_input"
    }
    assert not_passed == {}
