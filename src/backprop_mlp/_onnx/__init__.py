"""Networks as graphs of ONNX, through skl2onnx, which the extra ``onnx`` brings."""
