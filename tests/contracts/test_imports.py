"""What importing the package loads, in processes of their own."""

import subprocess
import sys

import pytest


def test_importing_the_package_does_not_import_matplotlib():
    code = "import sys, backprop_mlp; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_plain_import_is_enough_for_skl2onnx_and_does_not_load_it():
    pytest.importorskip("skl2onnx", reason="skl2onnx comes with the extra onnx")
    program = """
import sys, warnings
warnings.simplefilter("ignore")
from backprop_mlp import BackpropMLPClassifier
assert "skl2onnx" not in sys.modules
from skl2onnx import to_onnx
from sklearn.datasets import load_iris
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
X, y = load_iris(return_X_y=True)
model = make_pipeline(StandardScaler(), BackpropMLPClassifier(4, max_iter=5)).fit(X, y)
assert "backprop_mlp.onnx" not in sys.modules
assert [node.op_type for node in to_onnx(model, X[:1]).graph.node].count("ZipMap") == 1
"""
    subprocess.run([sys.executable, "-c", program], check=True)
