"""Networks in ONNX: from the inputs to the logits, of one network or of an average."""

import numpy as np

from .._network.activations import LEAKY_SLOPE
from .._network.layers import Dense
from .graph import ONNX, log_logistic, operators_of, per_row


def _leaky_relu(graph, z):
    # ONNX's LeakyRelu holds its slope in float32.
    return graph("Max", z, graph("Mul", z, graph.constant(LEAKY_SLOPE)))


ACTIVATIONS = {
    "identity": lambda graph, z: z,
    "logistic": lambda graph, z: graph("Sigmoid", z),
    "tanh": lambda graph, z: graph("Tanh", z),
    "relu": lambda graph, z: graph("Relu", z),
    "leaky_relu": _leaky_relu,
}
"""Name of an activation of hidden units -> what adds it."""


def logits_of(graph, fitted, x):
    """Add a network or an average of some, from the inputs to the logits."""
    add = _logits_of_average if fitted.members else logits_of_network
    return add(graph, fitted, x)


def logits_of_network(graph, fitted, x):
    """Add the network, from its inputs to its logits."""
    for layer, params in zip(fitted.network.layers, fitted.params, strict=True):
        if isinstance(layer, Dense):
            W, b = params
            x = graph("Gemm", x, graph.constant(W), graph.constant(b))
        else:
            x = operators_of(ACTIVATIONS, "activation", layer.activation.name)(graph, x)
    return x


def _logits_of_average(graph, averaged, x):
    """Add the members, and the logits of the mean of their probabilities."""
    logits = [(member, logits_of_network(graph, member, x)) for member in averaged.members]
    targets = averaged.targets
    if targets.multilabel:
        present = _log_mean_exp(graph, [log_logistic(graph, z) for _, z in logits])
        absent = _log_mean_exp(graph, [log_logistic(graph, graph("Neg", z)) for _, z in logits])
        return graph("Sub", present, absent)
    log_P = _log_mean_exp(
        graph, [_log_proba(graph, member, targets.classes, z) for member, z in logits]
    )
    if len(targets.classes) != 2:
        return log_P
    first, second = (
        graph("Gather", log_P, graph.constant([column], ONNX.INT64), axis=1) for column in (0, 1)
    )
    return graph("Sub", second, first)


def _log_mean_exp(graph, log_values):
    """Add the logarithm of the mean of the exponentials of several arrays of one shape."""
    top = graph("Max", *log_values)
    total = graph("Sum", *(graph("Exp", graph("Sub", values, top)) for values in log_values))
    mean = graph("Div", total, graph.constant(float(len(log_values))))
    return graph("Add", top, graph("Log", mean))


def _log_proba(graph, member, classes, z):
    """Add a member's log-probabilities of all classes; unknown ones have the lowest number."""
    known = member.targets.classes
    if len(known) == 2:
        log_P = graph("Concat", graph("Neg", z), z, axis=1)
        log_P = log_logistic(graph, log_P)
    else:
        if member.loss.output_activation == "logistic":
            z = log_logistic(graph, z)
        shifted = graph("Sub", z, per_row(graph, "ReduceMax", 18, z))
        total = per_row(graph, "ReduceSum", 13, graph("Exp", shifted))
        log_P = graph("Sub", shifted, graph("Log", total))
    if len(known) == len(classes):
        return log_P
    # Each column is a known one or the lowest number, which is put last.
    lowest = graph("Mul", per_row(graph, "ReduceMax", 18, log_P), graph.constant(0.0))
    lowest = graph("Add", lowest, graph.constant(np.finfo(graph.dtype).min))
    columns = np.full(len(classes), len(known))
    columns[np.searchsorted(classes, known)] = np.arange(len(known))
    both = graph("Concat", log_P, lowest, axis=1)
    return graph("Gather", both, graph.constant(columns, ONNX.INT64), axis=1)
