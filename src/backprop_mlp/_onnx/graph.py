"""The graph under construction, and formulas that several of its parts are made of."""

import numpy as np
from skl2onnx.proto import onnx_proto

ONNX = onnx_proto.TensorProto
"""ONNX's numbers of the types."""


class Graph:
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
        self.dtype = np.float64 if precision == ONNX.DOUBLE else np.float32

    def __call__(self, kind, *inputs, output=None, **attributes):
        """Add an operation; the name of its output."""
        output = output or self.scope.get_unique_variable_name(kind.lower())
        name = self.scope.get_unique_operator_name(kind)
        self.container.add_node(kind, list(inputs), output, name=name, **attributes)
        return output

    def constant(self, values, kind=None):
        """Add an array; its name.

        Raises
        ------
        ValueError
            If numbers overflow in the graph's precision: inf * 0 would make its outputs nan.
        """
        values = np.asarray(values)
        if kind is None:
            kind = self.precision
            with np.errstate(over="ignore"):
                if not np.isfinite(values.astype(self.dtype)).all():
                    raise ValueError(
                        f"The network has parameters up to {np.abs(values).max():.3g}, which "
                        f"overflow in {np.dtype(self.dtype)}, the precision of the graph's input. "
                        "Convert it for float64 input: give X, or initial_types, in float64."
                    )
        name = self.scope.get_unique_variable_name("constant")
        self.container.add_initializer(name, kind, values.shape, values.ravel())
        return name


def operators_of(table, kind, name):
    """What a table says of a name; an error if it says nothing."""
    if name not in table:
        raise NotImplementedError(
            f"The {kind} {name!r} has no operators for ONNX; only {sorted(table)} can be exported."
        )
    return table[name]


def negative_part(graph, z):
    return graph("Min", z, graph.constant(0.0))


def one_plus_tail(graph, z):
    """Add 1 + exp(-|z|)."""
    return graph("Add", graph("Exp", graph("Neg", graph("Abs", z))), graph.constant(1.0))


def log_logistic(graph, z):
    """Add log(1 / (1 + exp(-z))), finite for every finite z."""
    return graph("Sub", negative_part(graph, z), graph("Log", one_plus_tail(graph, z)))


def per_row(graph, kind, since, z):
    """Add a reduction of each row, whose axes are an input since a version of ONNX's operators."""
    if graph.container.target_opset_any_domain("") >= since:
        return graph(kind, z, graph.constant([1], ONNX.INT64), keepdims=1)
    return graph(kind, z, axes=[1], keepdims=1)
