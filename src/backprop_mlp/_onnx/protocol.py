"""What skl2onnx asks an estimator for that is not registered with it."""

from importlib import import_module
from typing import Any


def _converters():
    return import_module("backprop_mlp._onnx.converters")


class OnnxMixin:
    """Lets skl2onnx find the converter, which is loaded only when it asks.

    So `skl2onnx.to_onnx` works without an import of `backprop_mlp.onnx`. The converters need an
    extra: they are imported by their name.
    """

    def onnx_parser(self) -> Any:
        """For skl2onnx: what declares the outputs.

        Returns
        -------
        parser : callable
            See skl2onnx.
        """
        return _converters().parser_of(self)

    def onnx_shape_calculator(self) -> Any:
        """For skl2onnx: what sets the types of the outputs.

        Returns
        -------
        shape_calculator : callable
            See skl2onnx.
        """
        return _converters().infer_outputs

    def onnx_converter(self) -> Any:
        """For skl2onnx: what adds the graph.

        Returns
        -------
        converter : callable
            See skl2onnx.
        """
        return _converters().convert
