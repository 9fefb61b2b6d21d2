"""How long the package takes to import, beyond what scikit-learn takes itself."""

import subprocess
import sys

import numpy as np
from _measure import Row, quartiles

PROGRAM = """
import time
began = time.perf_counter()
import sklearn.neural_network
peer = time.perf_counter()
import backprop_mlp
print(peer - began, time.perf_counter() - peer)
"""


def measure(options):
    """One row of the table, and no curves."""
    command = [sys.executable, "-c", PROGRAM]
    repeats = options.repeats or 15
    printed = [
        subprocess.run(command, capture_output=True, text=True, check=True).stdout
        for _ in range(1 + repeats)
    ]
    peer, ours = 1e3 * np.array([line.split() for line in printed[1:]], dtype=float).T
    row = Row(
        "import",
        "import backprop_mlp",
        "beyond import sklearn.neural_network",
        **quartiles(ours),
        unit="ms",
        target=50.0,
        at_least=False,
        detail=f"sklearn.neural_network alone {np.median(peer):.0f} ms",
    )
    return [row], []
