"""A neural network classifier for scikit-learn, trained by backpropagation."""

from importlib.metadata import version

from ._classifier import BackpropMLPClassifier
from ._datasets import load_ex4_data, load_ex4_weights
from ._display import (
    GradientCheckDisplay,
    HiddenUnitsDisplay,
    ImageGridDisplay,
    LossCurveDisplay,
)
from ._gradient_check import GradientCheck, check_gradient

__version__ = version("backprop-mlp")

__all__ = [
    "BackpropMLPClassifier",
    "GradientCheck",
    "GradientCheckDisplay",
    "HiddenUnitsDisplay",
    "ImageGridDisplay",
    "LossCurveDisplay",
    "check_gradient",
    "load_ex4_data",
    "load_ex4_weights",
]
