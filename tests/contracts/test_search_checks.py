"""scikit-learn's own checks of the searches over alpha, in every way that they keep a fit.

So is the vote of such searches on a table.
"""

import pytest
from checks import not_passed, slow_but

from backprop_mlp import (
    BackpropMLPClassifier,
    BackpropMLPClassifierCV,
    BackpropMLPRegressor,
    BackpropMLPRegressorCV,
)
from backprop_mlp._estimator.voting import LabelVotingClassifier

CLASSIFIER = BackpropMLPClassifier(10, max_iter=20, random_state=0)
REGRESSOR = BackpropMLPRegressor(10, max_iter=20, random_state=0)
SEARCHES = {
    "classifier": BackpropMLPClassifierCV(CLASSIFIER, alphas=2, cv=3),
    "classifier, folds": BackpropMLPClassifierCV(CLASSIFIER, cv=2, refit="folds"),
    "regressor": BackpropMLPRegressorCV(REGRESSOR, alphas=2, cv=3),
    "regressor, folds": BackpropMLPRegressorCV(REGRESSOR, cv=2, refit="folds"),
}
SEARCHES["vote"] = LabelVotingClassifier(
    [("networks", BackpropMLPClassifierCV(CLASSIFIER, alphas=[1.0], cv=2, refit="folds"))],
    voting="soft",
)
IN_EVERY_RUN = {"classifier, folds", "vote"}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("search", slow_but(IN_EVERY_RUN, SEARCHES))
def test_every_check_passes(search):
    assert not_passed(search) == {}
