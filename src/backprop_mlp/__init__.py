"""Neural networks for scikit-learn, trained by backpropagation."""

from importlib.metadata import version

from ._classifier import BackpropMLPClassifier
from ._classifier_cv import BackpropMLPClassifierCV
from ._datasets import load_ex4_data, load_ex4_weights
from ._diagnostics.gradient_check import BlockCheck, GradientCheck, check_gradient
from ._diagnostics.learning_rate_range import LearningRateRange, learning_rate_range_test
from ._display.gradient_check import GradientCheckDisplay
from ._display.hidden_units import HiddenUnitsDisplay
from ._display.image_grid import ImageGridDisplay
from ._display.learning_rate_range import LearningRateRangeDisplay
from ._display.loss_curve import LossCurveDisplay
from ._display.network_activations import NetworkActivationsDisplay
from ._estimator.ignored_keywords import IgnoredKeywordWarning
from ._estimator.strong_penalty import StrongPenaltyWarning
from ._estimator.summary import LayerSummary, NetworkSummary
from ._piecewise_linear import PiecewiseLinearEncoder
from ._regressor import BackpropMLPRegressor
from ._regressor_cv import BackpropMLPRegressorCV
from ._tabular import make_tabular_classifier, make_tabular_regressor

__version__ = version("backprop-mlp")

__all__ = [
    "BackpropMLPClassifier",
    "BackpropMLPClassifierCV",
    "BackpropMLPRegressor",
    "BackpropMLPRegressorCV",
    "BlockCheck",
    "GradientCheck",
    "GradientCheckDisplay",
    "HiddenUnitsDisplay",
    "IgnoredKeywordWarning",
    "ImageGridDisplay",
    "LayerSummary",
    "LearningRateRange",
    "LearningRateRangeDisplay",
    "LossCurveDisplay",
    "NetworkActivationsDisplay",
    "NetworkSummary",
    "PiecewiseLinearEncoder",
    "StrongPenaltyWarning",
    "check_gradient",
    "learning_rate_range_test",
    "load_ex4_data",
    "load_ex4_weights",
    "make_tabular_classifier",
    "make_tabular_regressor",
]
