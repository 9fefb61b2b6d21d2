"""Export to ONNX, through skl2onnx; needs the extra ``onnx``.

`skl2onnx.to_onnx` and `skl2onnx.convert_sklearn` convert the networks too, alone and
inside pipelines, column transformers and searches: skl2onnx asks them for their converter.
Inside scikit-learn's other meta-estimators it looks for registered classes only; importing
this module registers the classes of this package.
"""

from typing import Any

import numpy as np
import skl2onnx
from skl2onnx import update_registered_converter
from skl2onnx._parse import _parse_sklearn_classifier
from skl2onnx.common.data_types import (
    BooleanTensorType,
    DoubleTensorType,
    FloatTensorType,
    Int64TensorType,
    StringTensorType,
    guess_tensor_type,
)
from skl2onnx.common.utils import check_input_and_output_numbers, check_input_and_output_types
from skl2onnx.common.utils_classifier import get_label_classes
from skl2onnx.proto import onnx_proto
from sklearn.base import is_classifier, is_regressor
from sklearn.utils.validation import check_is_fitted

from ._classifier import BackpropMLPClassifier
from ._classifier_cv import BackpropMLPClassifierCV
from ._estimator.averaging import AveragedNetworks, AveragedNumbers, networks_of
from ._estimator.fitted import fitted_network
from ._estimator.keywords import Matrix
from ._network.activations import LEAKY_SLOPE
from ._network.layers import Dense
from ._regressor import BackpropMLPRegressor
from ._regressor_cv import BackpropMLPRegressorCV

__all__ = ["to_onnx"]

_ONNX = onnx_proto.TensorProto


def to_onnx(model: Any, X: Matrix = None, *, options: dict | None = None, **kwargs: Any) -> Any:
    """Convert a fitted network, or a pipeline or search with one in it, to ONNX.

    A classifier's graph has two outputs: labels of shape (n_samples,), int64 or strings,
    and probabilities of shape (n_samples, n_classes). For multilabel problems
    the labels are a 0/1 matrix. Labels that are booleans or whole floats become
    int64. Everything is computed in the precision of the input (float32 for
    integers), from the logits as `predict_proba` does, and never overflows.

    A regressor's graph has one output: predictions of shape (n_samples, n_outputs). Where
    `predict` would say that numbers overflow they are infinite. Predictions far from zero need
    float64 input for all of their digits.

    Parameters
    ----------
    model : estimator
        Fitted: a `BackpropMLPClassifier`, a `BackpropMLPClassifierCV`, a
        `BackpropMLPRegressor`, a `BackpropMLPRegressorCV`, or anything that skl2onnx
        converts with one inside.
    X : {ndarray, pandas.DataFrame} of shape (n_samples, n_features), default=None
        Data of the kind that the graph will be given; one row is enough. A
        dataframe makes one input per column. None needs ``initial_types``.
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
    ValueError
        If the labels are neither whole numbers nor strings.
    NotImplementedError
        If the network has an activation that can't be exported.

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
    if options is None and is_classifier(model):
        options = {"zipmap": False}
    return skl2onnx.to_onnx(model, X, options=options, **kwargs)


class _Graph:
    """The graph under construction: ``graph("Add", a, b)`` is the name of a + b.

    Parameters
    ----------
    scope, container : skl2onnx's
    precision : int
        ONNX's number of the type in which the network is computed.
    """

    def __init__(self, scope, container, precision):
        self.scope = scope
        self.container = container
        self.precision = precision
        self.dtype = np.float64 if precision == _ONNX.DOUBLE else np.float32

    def __call__(self, kind, *inputs, output=None, **attributes):
        """Add an operation; the name of its output."""
        output = output or self.scope.get_unique_variable_name(kind.lower())
        name = self.scope.get_unique_operator_name(kind)
        self.container.add_node(kind, list(inputs), output, name=name, **attributes)
        return output

    def constant(self, values, kind=None):
        """Add an array; its name."""
        values = np.asarray(values)
        name = self.scope.get_unique_variable_name("constant")
        kind = self.precision if kind is None else kind
        self.container.add_initializer(name, kind, values.shape, values.ravel())
        return name


def _logits(graph, fitted, x):
    """Add the network, from its inputs to its logits."""
    for layer, params in zip(fitted.network.layers, fitted.params, strict=True):
        if isinstance(layer, Dense):
            W, b = params
            x = graph("Gemm", x, graph.constant(W), graph.constant(b))
        else:
            x = _row(_ACTIVATIONS, "activation", layer.activation.name)(graph, x)
    return x


def _row(table, kind, name):
    """What a table says of a name; an error if it says nothing."""
    if name not in table:
        raise NotImplementedError(
            f"The {kind} {name!r} has no operators for ONNX; only {sorted(table)} can be exported."
        )
    return table[name]


def _leaky_relu(graph, z):
    # ONNX's LeakyRelu holds its slope in float32.
    return graph("Max", z, graph("Mul", z, graph.constant(LEAKY_SLOPE)))


def _is_average(fitted):
    return isinstance(fitted, AveragedNetworks)


def _averaged_logits(graph, averaged, x):
    """Add the members, and the logits of the mean of their probabilities."""
    logits = [(member, _logits(graph, member, x)) for member in averaged.members]
    targets = averaged.targets
    if targets.multilabel:
        present = _log_mean_exp(graph, [_log_logistic(graph, z) for _, z in logits])
        absent = _log_mean_exp(graph, [_log_logistic(graph, graph("Neg", z)) for _, z in logits])
        return graph("Sub", present, absent)
    log_P = _log_mean_exp(
        graph, [_log_proba(graph, member, targets.classes, z) for member, z in logits]
    )
    if len(targets.classes) != 2:
        return log_P
    first, second = (
        graph("Gather", log_P, graph.constant([column], _ONNX.INT64), axis=1) for column in (0, 1)
    )
    return graph("Sub", second, first)


def _log_mean_exp(graph, log_values):
    """Add the logarithm of the mean of the exponentials of several arrays of one shape."""
    top = graph("Max", *log_values)
    total = graph("Sum", *(graph("Exp", graph("Sub", values, top)) for values in log_values))
    mean = graph("Div", total, graph.constant(float(len(log_values))))
    return graph("Add", top, graph("Log", mean))


def _log_logistic(graph, z):
    """Add log(1 / (1 + exp(-z))), finite for every finite z."""
    return graph("Sub", _negative_part(graph, z), graph("Log", _one_plus_tail(graph, z)))


def _log_proba(graph, member, classes, z):
    """Add a member's log-probabilities of all classes; unknown ones have the lowest number."""
    known = member.targets.classes
    if len(known) == 2:
        log_P = graph("Concat", graph("Neg", z), z, axis=1)
        log_P = _log_logistic(graph, log_P)
    else:
        if member.network.loss.output_activation == "logistic":
            z = _log_logistic(graph, z)
        shifted = graph("Sub", z, _per_row(graph, "ReduceMax", 18, z))
        total = _per_row(graph, "ReduceSum", 13, graph("Exp", shifted))
        log_P = graph("Sub", shifted, graph("Log", total))
    if len(known) == len(classes):
        return log_P
    # Each column is a known one or the lowest number, which is put last.
    lowest = graph("Mul", _per_row(graph, "ReduceMax", 18, log_P), graph.constant(0.0))
    lowest = graph("Add", lowest, graph.constant(np.finfo(graph.dtype).min))
    columns = np.full(len(classes), len(known))
    columns[np.searchsorted(classes, known)] = np.arange(len(known))
    both = graph("Concat", log_P, lowest, axis=1)
    return graph("Gather", both, graph.constant(columns, _ONNX.INT64), axis=1)


_ACTIVATIONS = {
    "identity": lambda graph, z: z,
    "logistic": lambda graph, z: graph("Sigmoid", z),
    "tanh": lambda graph, z: graph("Tanh", z),
    "relu": lambda graph, z: graph("Relu", z),
    "leaky_relu": _leaky_relu,
}
"""Name of an activation of hidden units -> what adds it."""


def _negative_part(graph, z):
    return graph("Min", z, graph.constant(0.0))


def _one_plus_tail(graph, z):
    """Add 1 + exp(-|z|)."""
    return graph("Add", graph("Exp", graph("Neg", graph("Abs", z))), graph.constant(1.0))


def _logistic(graph, z, output=None):
    """Add 1 / (1 + exp(-z)) = exp(min(z, 0)) / (1 + exp(-|z|)), which never overflows."""
    # onnxruntime's Sigmoid is 0 in float32 below z = -20.
    numerator = graph("Exp", _negative_part(graph, z))
    return graph("Div", numerator, _one_plus_tail(graph, z), output=output)


def _per_row(graph, kind, since, z):
    """Add a reduction of each row, whose axes are an input since a version of ONNX's operators."""
    if graph.container.target_opset_any_domain("") >= since:
        return graph(kind, z, graph.constant([1], _ONNX.INT64), keepdims=1)
    return graph(kind, z, axes=[1], keepdims=1)


def _exp_less(graph, z, shift):
    """Add exp(z - c) of the whole number c below each row's shift."""
    return graph("Exp", graph("Sub", z, graph("Floor", shift)))


def _divided_by_sum(graph, h, output):
    return graph("Div", h, _per_row(graph, "ReduceSum", 13, h), output=output)


def _proba_of_logistic(graph, targets, z, output):
    """Add the probabilities from logistic outputs."""
    if targets.multilabel:
        _logistic(graph, z, output)
    elif targets.n_outputs == 1:
        both = graph("Concat", graph("Neg", z), z, axis=1)
        _logistic(graph, both, output)
    else:
        negative = _negative_part(graph, z)
        h = _exp_less(graph, negative, _per_row(graph, "ReduceMax", 18, negative))
        _divided_by_sum(graph, graph("Div", h, _one_plus_tail(graph, z)), output)


def _proba_of_softmax(graph, targets, z, output):
    """Add the probabilities from softmax outputs."""
    # ONNX's Softmax subtracts the maximum, which rounds: see ``SoftmaxLoss.proba``.
    top = _per_row(graph, "ReduceMax", 18, z)
    harmless = graph("Max", top, graph.constant(0.0))
    harmless = graph("Min", harmless, graph.constant(np.finfo(graph.dtype).maxexp / 2))
    _divided_by_sum(graph, _exp_less(graph, z, graph("Sub", top, harmless)), output)


_OUTPUTS = {"logistic": _proba_of_logistic, "softmax": _proba_of_softmax}
"""Name of an output activation -> what adds the probabilities, as ``Targets.proba`` does."""


_NUMBERS = {
    "identity": lambda graph, z: z,
    "exp": lambda graph, z: graph("Exp", z),
}
"""Name of an output activation -> what adds a regressor's predictions."""


def _is_positive(graph, z):
    return graph("Greater", z, graph.constant(0.0))


def _labels(graph, targets, classes, z, output):
    """Add the labels, as ``Targets.predict`` finds them."""
    if targets.multilabel:
        graph("Cast", _is_positive(graph, z), output=output, to=_ONNX.INT64)
        return
    if len(classes) == 2:
        flat = graph("Reshape", _is_positive(graph, z), graph.constant([-1], _ONNX.INT64))
        codes = graph("Cast", flat, to=_ONNX.INT64)
    else:
        codes = graph("ArgMax", z, axis=1, keepdims=0)
    graph("Gather", _label_constant(graph, classes), codes, output=output, axis=0)


def _label_constant(graph, classes):
    """Add the labels of all classes; their name."""
    if _are_strings(classes):
        return graph.constant([label.encode() for label in classes], _ONNX.STRING)
    return graph.constant(classes.astype(np.int64), _ONNX.INT64)


def _are_strings(classes):
    """Whether labels are strings; an error if they are not integers either."""
    if all(isinstance(label, str) for label in classes.tolist()):
        return True
    if classes.dtype.kind in "biuf" and np.all(classes == classes.astype(np.int64)):
        return False
    raise ValueError(
        f"ONNX has labels that are integers or strings; got {classes} of dtype {classes.dtype}."
    )


def infer_outputs(operator):
    """Types and shapes of the outputs, for skl2onnx."""
    model = operator.raw_operator
    counts = [1, 1] if is_regressor(model) else [2, 3]
    check_input_and_output_numbers(operator, input_count_range=[1, None], output_count_range=counts)
    check_input_and_output_types(
        operator,
        good_input_types=[BooleanTensorType, DoubleTensorType, FloatTensorType, Int64TensorType],
    )
    n_rows = operator.inputs[0].get_first_dimension()
    check_is_fitted(model)
    numbers = DoubleTensorType if _is_double(operator) else FloatTensorType
    if is_regressor(model):
        operator.outputs[0].set_type(numbers([n_rows, _fitted(model).targets.n_outputs]))
        return
    classes = get_label_classes(operator.scope_inst, model)
    shape = [n_rows, len(classes)]
    labels = StringTensorType if _are_strings(classes) else Int64TensorType
    operator.outputs[0].set_type(labels(shape if _fitted(model).targets.multilabel else [n_rows]))
    operator.outputs[1].set_type(numbers(shape))
    for class_labels in operator.outputs[2:]:
        class_labels.set_type(labels([len(classes)]))


def _is_double(operator):
    return any(isinstance(variable.type, DoubleTensorType) for variable in operator.inputs)


def convert(scope, operator, container):
    """Add a network's graph, for skl2onnx."""
    model = operator.raw_operator
    fitted = _fitted(model)
    graph = _Graph(scope, container, _ONNX.DOUBLE if _is_double(operator) else _ONNX.FLOAT)
    columns = [
        graph("Cast", variable.full_name, to=graph.precision) for variable in operator.inputs
    ]
    x = columns[0] if len(columns) == 1 else graph("Concat", *columns, axis=1)
    outputs = [variable.full_name for variable in operator.outputs]
    if is_regressor(model):
        _add_numbers(graph, fitted, x, outputs[0])
    else:
        _add_classes(graph, scope, container, model, fitted, x, outputs)


def _add_numbers(graph, fitted, x, output):
    """Add a regressor's predictions, or their mean."""
    members = fitted.members if isinstance(fitted, AveragedNumbers) else [fitted]
    predictions = [
        _row(_NUMBERS, "output activation", member.network.loss.output_activation)(
            graph, _logits(graph, member, x)
        )
        for member in members
    ]
    graph("Div", graph("Sum", *predictions), graph.constant(len(members)), output=output)


def _add_classes(graph, scope, container, model, fitted, x, outputs):
    """Add a classifier's labels and scores."""
    z = _averaged_logits(graph, fitted, x) if _is_average(fitted) else _logits(graph, fitted, x)
    targets = fitted.targets
    labels, scores, *class_labels = outputs
    classes = get_label_classes(scope, model)
    _labels(graph, targets, classes, z, labels)
    for output in class_labels:
        graph("Identity", _label_constant(graph, classes), output=output)
    if not container.get_options(model, {"raw_scores": False})["raw_scores"]:
        name = (fitted if _is_average(fitted) else fitted.network).loss.output_activation
        _row(_OUTPUTS, "output activation", name)(graph, targets, z, scores)
    elif len(targets.classes) == 2 and not targets.multilabel:
        graph("Concat", graph("Neg", z), z, output=scores, axis=1)
    else:
        graph("Identity", z, output=scores)


def _fitted(model):
    """The network of an estimator, or the average of those that a search over alpha has kept."""
    if not isinstance(model, BackpropMLPClassifierCV | BackpropMLPRegressorCV):
        return fitted_network(model)
    return networks_of(model)


class _ReusingScope:
    """skl2onnx's scope, whose next operator without a model is one that exists already.

    Parameters
    ----------
    scope : skl2onnx's
    operator : skl2onnx's
    """

    def __init__(self, scope, operator):
        self.scope = scope
        self.operator = operator

    def __getattr__(self, name):
        return getattr(self.scope, name)

    def declare_local_operator(self, kind, model=None):
        """Declare an operator, or change the given one's kind."""
        if model is not None:
            return self.scope.declare_local_operator(kind, model)
        self.operator.type = kind
        return self.operator


def parser_of(model):
    """What declares a network's outputs, for skl2onnx, which did not know its class.

    skl2onnx takes the outputs of the operator that it has declared for the model. As for
    registered classes, that is the network, or what makes dictionaries of a classifier's
    probabilities.
    """

    def parse(scope=None, inputs=None):
        unknown = [
            operator
            for operator in scope.operators.values()
            if operator.type is None and operator.raw_operator is model
        ]
        if not unknown:
            return None  # The class is registered: skl2onnx knows what to do.
        (operator,) = unknown
        _register(type(model), _REGRESSOR if is_regressor(model) else _CLASSIFIER)
        if is_regressor(model):
            operator.type = _REGRESSOR
            return [scope.declare_local_variable("variable", guess_tensor_type(inputs[0].type))]
        options = scope.get_options(model, {"zipmap": True, "output_class_labels": False})
        if options["zipmap"]:
            operator.raw_operator = None  # the model gets another operator
            _parse_sklearn_classifier(_ReusingScope(scope, operator), model, inputs)
            return []
        operator.type = _CLASSIFIER
        outputs = {"label": Int64TensorType(), "probabilities": guess_tensor_type(inputs[0].type)}
        if options["output_class_labels"]:
            outputs["class_labels"] = Int64TensorType()
        return [scope.declare_local_variable(name, kind) for name, kind in outputs.items()]

    return parse


_CLASSIFIER, _REGRESSOR = BackpropMLPClassifier.__name__, BackpropMLPRegressor.__name__
_OPTIONS: dict[str, Any] = {
    _CLASSIFIER: {
        "zipmap": [True, False, "columns"],
        "output_class_labels": [False, True],
        "nocl": [True, False],
        "raw_scores": [True, False],
    },
    _REGRESSOR: None,
}
"""skl2onnx's options, by the name under which it knows a kind of networks."""


def _register(kind, alias):
    """Make a class of networks known to skl2onnx."""
    update_registered_converter(kind, alias, infer_outputs, convert, options=_OPTIONS[alias])


_register(BackpropMLPClassifier, _CLASSIFIER)
_register(BackpropMLPClassifierCV, _CLASSIFIER)
_register(BackpropMLPRegressor, _REGRESSOR)
_register(BackpropMLPRegressorCV, _REGRESSOR)
