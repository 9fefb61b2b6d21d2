"""Outputs in ONNX: from the logits to probabilities, labels and numbers."""

import numpy as np

from .graph import ONNX, negative_part, one_plus_tail, operators_of, per_row


def _logistic(graph, z, output=None):
    """Add 1 / (1 + exp(-z)) = exp(min(z, 0)) / (1 + exp(-|z|)), which never overflows."""
    # onnxruntime's Sigmoid is 0 in float32 below z = -20.
    numerator = graph("Exp", negative_part(graph, z))
    return graph("Div", numerator, one_plus_tail(graph, z), output=output)


def _exp_less(graph, z, shift):
    """Add exp(z - c) of the whole number c below each row's shift."""
    return graph("Exp", graph("Sub", z, graph("Floor", shift)))


def _divided_by_sum(graph, h, output):
    return graph("Div", h, per_row(graph, "ReduceSum", 13, h), output=output)


def _proba_of_logistic(graph, targets, z, output):
    """Add the probabilities from logistic outputs."""
    if targets.multilabel:
        _logistic(graph, z, output)
    elif targets.n_outputs == 1:
        both = graph("Concat", graph("Neg", z), z, axis=1)
        _logistic(graph, both, output)
    else:
        negative = negative_part(graph, z)
        h = _exp_less(graph, negative, per_row(graph, "ReduceMax", 18, negative))
        _divided_by_sum(graph, graph("Div", h, one_plus_tail(graph, z)), output)


def _proba_of_softmax(graph, targets, z, output):
    """Add the probabilities from softmax outputs."""
    # ONNX's Softmax subtracts the maximum, which rounds: see ``SoftmaxLoss.proba``.
    top = per_row(graph, "ReduceMax", 18, z)
    harmless = graph("Max", top, graph.constant(0.0))
    harmless = graph("Min", harmless, graph.constant(np.finfo(graph.dtype).maxexp / 2))
    _divided_by_sum(graph, _exp_less(graph, z, graph("Sub", top, harmless)), output)


_PROBABILITIES = {"logistic": _proba_of_logistic, "softmax": _proba_of_softmax}
"""Name of an output activation -> what adds the probabilities, as ``Targets.proba`` does."""


def add_probabilities(graph, fitted, z, output):
    """Add the probabilities of a network or of an average of some, from the logits."""
    name = fitted.loss.output_activation
    operators_of(_PROBABILITIES, "output activation", name)(graph, fitted.targets, z, output)


NUMBERS = {
    "identity": lambda graph, z: z,
    "exp": lambda graph, z: graph("Exp", z),
}
"""Name of an output activation -> what adds a regressor's predictions."""


def _is_positive(graph, z):
    return graph("Greater", z, graph.constant(0.0))


def add_labels(graph, targets, classes, z, output):
    """Add the labels, as ``Targets.predict`` finds them."""
    if targets.multilabel:
        graph("Cast", _is_positive(graph, z), output=output, to=ONNX.INT64)
        return
    if len(classes) == 2:
        flat = graph("Reshape", _is_positive(graph, z), graph.constant([-1], ONNX.INT64))
        codes = graph("Cast", flat, to=ONNX.INT64)
    else:
        codes = graph("ArgMax", z, axis=1, keepdims=0)
    graph("Gather", label_constant(graph, classes), codes, output=output, axis=0)


def label_constant(graph, classes):
    """Add the labels of all classes; their name."""
    if are_strings(classes):
        return graph.constant([label.encode() for label in classes], ONNX.STRING)
    return graph.constant(classes.astype(np.int64), ONNX.INT64)


def are_strings(classes):
    """Whether labels are strings; an error if they are not integers either."""
    if all(isinstance(label, str) for label in classes.tolist()):
        return True
    if classes.dtype.kind in "biuf" and np.all(classes == classes.astype(np.int64)):
        return False
    raise ValueError(
        f"ONNX has labels that are integers or strings; got {classes} of dtype {classes.dtype}."
    )
