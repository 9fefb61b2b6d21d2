"""What skl2onnx calls: types of the outputs, the graph, and the parser of an unknown class.

The graph itself is made in `networks` (layers and activations) and `outputs`.
"""

from typing import Any

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
from sklearn.base import is_regressor
from sklearn.utils.validation import check_is_fitted

from .graph import ONNX, Graph, operators_of
from .networks import logits_of, logits_of_network
from .outputs import NUMBERS, add_labels, add_probabilities, are_strings, label_constant

CLASSIFIER, REGRESSOR = "BackpropMLPClassifier", "BackpropMLPRegressor"
"""Names under which skl2onnx knows the two kinds of networks, averages of them included."""

OPTIONS: dict[str, Any] = {
    CLASSIFIER: {
        "zipmap": [True, False, "columns"],
        "output_class_labels": [False, True],
        "nocl": [True, False],
        "raw_scores": [True, False],
    },
    REGRESSOR: None,
}
"""skl2onnx's options of each kind."""


def register(kind, alias):
    """Make a class of networks known to skl2onnx."""
    update_registered_converter(kind, alias, infer_outputs, convert, options=OPTIONS[alias])


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
    _check_order(operator, model)
    targets = model._predictor().targets
    numbers = DoubleTensorType if _is_double(operator) else FloatTensorType
    if is_regressor(model):
        operator.outputs[0].set_type(numbers([n_rows, targets.n_outputs]))
        return
    classes = get_label_classes(operator.scope_inst, model)
    shape = [n_rows, len(classes)]
    labels = StringTensorType if are_strings(classes) else Int64TensorType
    operator.outputs[0].set_type(labels(shape if targets.multilabel else [n_rows]))
    operator.outputs[1].set_type(numbers(shape))
    for class_labels in operator.outputs[2:]:
        class_labels.set_type(labels([len(classes)]))


def _check_order(operator, model):
    """An error if inputs are named like the features of training, in another order.

    One after another they become the columns that the network reads.
    """
    given = [variable.raw_name for variable in operator.inputs]
    names = list(getattr(model, "feature_names_in_", given))
    if sorted(given) == sorted(names) and given != names:
        raise ValueError(f"X must have its columns in the order of training, {names}; got {given}.")


def _is_double(operator):
    return any(isinstance(variable.type, DoubleTensorType) for variable in operator.inputs)


def convert(scope, operator, container):
    """Add a network's graph, for skl2onnx."""
    model = operator.raw_operator
    fitted = model._predictor()
    graph = Graph(scope, container, ONNX.DOUBLE if _is_double(operator) else ONNX.FLOAT)
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
    """Add a regressor's predictions, or their mean.

    Each member's are divided, not their sum, which may overflow where the mean does not.
    """
    members = fitted.members or [fitted]
    count = graph.constant(len(members))
    shares = []
    for member in members:
        z = logits_of_network(graph, member, x)
        name = member.loss.output_activation
        numbers = operators_of(NUMBERS, "output activation", name)(graph, z)
        shares.append(graph("Div", numbers, count))
    graph("Sum", *shares, output=output)


def _add_classes(graph, scope, container, model, fitted, x, outputs):
    """Add a classifier's labels and scores."""
    z = logits_of(graph, fitted, x)
    targets = fitted.targets
    labels, scores, *class_labels = outputs
    classes = get_label_classes(scope, model)
    add_labels(graph, targets, classes, z, labels)
    for output in class_labels:
        graph("Identity", label_constant(graph, classes), output=output)
    if not container.get_options(model, {"raw_scores": False})["raw_scores"]:
        add_probabilities(graph, fitted, z, scores)
    elif len(targets.classes) == 2 and not targets.multilabel:
        graph("Concat", graph("Neg", z), z, output=scores, axis=1)
    else:
        graph("Identity", z, output=scores)


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
        register(type(model), REGRESSOR if is_regressor(model) else CLASSIFIER)
        if is_regressor(model):
            operator.type = REGRESSOR
            return [scope.declare_local_variable("variable", guess_tensor_type(inputs[0].type))]
        options = scope.get_options(model, {"zipmap": True, "output_class_labels": False})
        if options["zipmap"]:
            operator.raw_operator = None  # the model gets another operator
            _parse_sklearn_classifier(_ReusingScope(scope, operator), model, inputs)
            return []
        operator.type = CLASSIFIER
        outputs = {"label": Int64TensorType(), "probabilities": guess_tensor_type(inputs[0].type)}
        if options["output_class_labels"]:
            outputs["class_labels"] = Int64TensorType()
        return [scope.declare_local_variable(name, kind) for name, kind in outputs.items()]

    return parse
