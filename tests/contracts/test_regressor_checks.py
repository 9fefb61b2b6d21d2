"""scikit-learn's own checks of the regressor, for every solver and loss.

Not for poisson and gamma: y of the checks is negative in places, which these refuse.

Along a long path training amplifies rounding (see test_estimator_checks.py), so fits whose
sample weights are compared are short where that would be measured instead.
"""

import pytest
from checks import not_passed, slow_but

from backprop_mlp import BackpropMLPRegressor

SHORT = {"max_iter": 15}

CONFIGURATIONS = {
    "default": {},
    "lbfgs": {"solver": "lbfgs"},
    "newton-cg": {"solver": "newton-cg", **SHORT},
    "adam": {"solver": "adam"},
    "rmsprop": {"solver": "rmsprop"},
    "sgd": {"solver": "sgd"},
    "as it comes": {"normalize_y": False},
    "linear": {"hidden_layer_sizes": ()},
    "huber": {"loss": "huber"},
    "quantile": {"loss": "quantile", **SHORT},
    "huber, adam": {"loss": "huber", "solver": "adam"},
    "quantile, lbfgs": {"loss": "quantile", "solver": "lbfgs", **SHORT},
}
IN_EVERY_RUN = {"default", "adam"}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("params", slow_but(IN_EVERY_RUN, CONFIGURATIONS))
def test_every_check_passes(params):
    assert not_passed(BackpropMLPRegressor(**params)) == {}
