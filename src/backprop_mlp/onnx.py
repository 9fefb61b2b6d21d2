"""Export to ONNX, through skl2onnx; needs the extra ``onnx``.

`skl2onnx.to_onnx` and `skl2onnx.convert_sklearn` convert the networks too, alone and
inside pipelines, column transformers and searches: skl2onnx asks them for their converter.
Inside scikit-learn's other meta-estimators it looks for registered classes only; importing
this module registers the classes of this package.
"""

import warnings
from contextlib import suppress
from reprlib import repr as shortened
from typing import Any

import skl2onnx
from sklearn.base import is_classifier
from sklearn.calibration import CalibratedClassifierCV
from sklearn.model_selection import TunedThresholdClassifierCV
from sklearn.pipeline import Pipeline

from ._classifier import BackpropMLPClassifier
from ._classifier_cv import BackpropMLPClassifierCV
from ._estimator.keywords import Matrix
from ._onnx.converters import CLASSIFIER, REGRESSOR, register
from ._regressor import BackpropMLPRegressor
from ._regressor_cv import BackpropMLPRegressorCV
from ._tabular import TablePipeline

__all__ = ["to_onnx"]


def to_onnx(model: Any, X: Matrix = None, *, options: dict | None = None, **kwargs: Any) -> Any:
    """Convert a fitted network, or a pipeline or search with one in it, to ONNX.

    A classifier's graph has two outputs: labels of shape (n_samples,), int64 or strings,
    and probabilities of shape (n_samples, n_classes). For multilabel problems
    the labels are a 0/1 matrix. Labels that are booleans or whole floats become
    int64. Everything is computed in the precision of the input (float32 for
    integers), from the logits as `predict_proba` does, and never overflows.

    A regressor's graph has one output: predictions of shape (n_samples, n_outputs), in the
    precision of the input, where `predict` gives float64. Predictions far from zero need float64
    input for all of their digits. Those that overflow in its precision are infinite, or nan where
    hidden units overflow, too.

    Parameters
    ----------
    model : estimator
        Fitted: a `BackpropMLPClassifier`, a `BackpropMLPClassifierCV`, a
        `BackpropMLPRegressor`, a `BackpropMLPRegressorCV`, or anything that skl2onnx
        converts with one inside.
    X : {ndarray, pandas.DataFrame} of shape (n_samples, n_features), default=None
        Data of the kind that the graph will be given; one row, such as the model
        predicts, is enough. A dataframe makes one input per column: its numbers must have
        one dtype, float32 where a `sklearn.impute.SimpleImputer` fills gaps. None needs
        ``initial_types``.
    options : dict, default=None
        Options of skl2onnx. None stands, for classifiers, for ``{"zipmap": False}``; skl2onnx's
        own default, True, makes the probabilities a list of dictionaries
        {label: probability}, which ONNX has for float32 only, and "columns"
        makes them one output per class. The classifier also takes
        "output_class_labels", "nocl" (numbers instead of labels) and
        "raw_scores" (logits instead of probabilities).
    **kwargs : dict
        Further keywords of `skl2onnx.to_onnx`, such as ``initial_types`` and
        ``target_opset``.

    Returns
    -------
    graph : onnx.ModelProto
        Write it with ``graph.SerializeToString()``.

    Raises
    ------
    NotFittedError
        If the network is not fitted.
    TypeError
        If the model is no estimator, or options no dictionary.
    ValueError
        If the labels are neither whole numbers nor strings, if neither X nor
        ``initial_types`` is given, if X is neither an array nor a dataframe with strings
        as names, if the model refuses the first row of X or its
        columns, or if a parameter overflows in the precision of the input.
    NotImplementedError
        If the network has an activation that can't be exported, or the model is or holds one
        of `make_tabular_classifier` or `make_tabular_regressor`, or a
        `sklearn.model_selection.TunedThresholdClassifierCV`, whose threshold skl2onnx
        leaves out, or a `sklearn.calibration.CalibratedClassifierCV` with another method than
        "sigmoid", of which it makes other probabilities or no graph.

    Examples
    --------
    >>> import numpy as np
    >>> from onnxruntime import InferenceSession
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from backprop_mlp import BackpropMLPClassifier
    >>> from backprop_mlp.onnx import to_onnx
    >>> X, y = load_iris(return_X_y=True)
    >>> model = make_pipeline(StandardScaler(), BackpropMLPClassifier(random_state=0)).fit(X, y)
    >>> session = InferenceSession(to_onnx(model, X).SerializeToString())
    >>> labels, probabilities = session.run(None, {"X": X})
    >>> bool(np.abs(probabilities - model.predict_proba(X)).max() < 1e-5)
    True
    """
    _check_arguments(model, X, options, kwargs.get("initial_types"))
    for part in _parts_of(model):
        if (reason := _why_not(part)) is not None:
            raise NotImplementedError(reason)
    if X is not None:
        _check_first_row(model, X)
    if options is None and is_classifier(model):
        options = {"zipmap": False}
    return skl2onnx.to_onnx(model, X, options=options, **kwargs)


def _check_arguments(model, X, options, initial_types):
    """An error for what skl2onnx would refuse in words that name no argument."""
    if isinstance(model, type) or not hasattr(model, "fit"):
        raise TypeError(f"model must be a fitted estimator; got {model!r}.")
    if not isinstance(options, dict | None):
        raise TypeError(f"options must be a dictionary, or None; got {options!r}.")
    if X is None:
        if not initial_types:
            raise ValueError(
                "to_onnx needs X, of which one row is enough, or initial_types; got neither."
            )
        return
    if not getattr(X, "shape", ()):
        raise ValueError(
            "X must be an array of shape (n_samples, n_features), or a dataframe; got "
            f"{shortened(X)}."
        )
    unnamed = [name for name in getattr(X, "columns", ()) if not isinstance(name, str)]
    if unnamed:
        raise ValueError(
            "The columns of X must have strings as names, which the inputs of the graph get; got "
            f"{unnamed[0]!r}. X.to_numpy() makes one input."
        )


def _parts_of(model):
    """A model, what gives its labels, and the parameters of that, among which are its parts."""
    chain = [model]
    while (chosen := _chosen_by(chain[-1])) is not None:
        chain.append(chosen)
    return *chain, *getattr(chain[-1], "get_params", dict)().values()


def _why_not(part):
    """Why skl2onnx, at least up to 1.20, makes no right graph of a part, and what to do; or None.

    It leaves a threshold out without a word, and makes other probabilities of isotonic
    calibrations. Of the rest it makes errors that say nothing.
    """
    match part:
        case TablePipeline():
            return (
                "skl2onnx can't convert the pipelines of make_tabular_classifier and "
                "make_tabular_regressor, whose columns are read by Python functions. For a graph, "
                "put a search with refit='folds' behind a ColumnTransformer of your own."
            )
        case TunedThresholdClassifierCV():
            return (
                "skl2onnx leaves out the threshold of TunedThresholdClassifierCV: the labels would "
                "be those of the threshold 0.5. Convert its estimator_, and compare the "
                "probabilities with its best_threshold_."
            )
        case CalibratedClassifierCV() if part.method != "sigmoid":
            return (
                "skl2onnx converts CalibratedClassifierCV rightly with method='sigmoid' only: the "
                "probabilities would be others than those of predict_proba, or there would be no "
                f"graph; got method={part.method!r}. Calibrate with method='sigmoid'."
            )
    return None


def _chosen_by(model):
    """What gives the labels of a fitted search or of a pipeline; None if a model is neither."""
    last = model.steps[-1][1] if isinstance(model, Pipeline) else None
    return getattr(model, "best_estimator_", last)


def _check_first_row(model, X):
    """An error if a model refuses the columns of X.

    The graph would be made without a word, though its inputs are other columns than the model's,
    or those in another order.
    """
    # A search that has kept no network has neither: its converter says so.
    read = getattr(model, "predict", getattr(model, "transform", None))
    # Graphs read texts as a column, in which scikit-learn's vectorisers find no strings.
    with warnings.catch_warnings(), suppress(AttributeError, TypeError):
        warnings.simplefilter("ignore")
        if read is not None and X.shape[0]:
            read(X[:1])


register(BackpropMLPClassifier, CLASSIFIER)
register(BackpropMLPClassifierCV, CLASSIFIER)
register(BackpropMLPRegressor, REGRESSOR)
register(BackpropMLPRegressorCV, REGRESSOR)
