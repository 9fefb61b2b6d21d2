"""How long the package takes to import, beyond what scikit-learn takes itself."""

import os
import subprocess
import sys
from tempfile import TemporaryDirectory

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
    """Yield one row of the table."""
    command = [sys.executable, "-c", PROGRAM]
    repeats = options.repeats or 15
    with TemporaryDirectory() as folder:
        # The first import compiles everything, there, and is not counted.
        environment = dict(os.environ, PYTHONPYCACHEPREFIX=folder)
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        printed = [
            subprocess.run(
                command, env=environment, capture_output=True, text=True, check=True
            ).stdout
            for _ in range(1 + repeats)
        ]
    peer, ours = 1e3 * np.array([line.split() for line in printed[1:]], dtype=float).T
    yield Row(
        "import",
        "import backprop_mlp",
        "beyond import sklearn.neural_network",
        **quartiles(ours),
        unit="ms",
        target=50.0,
        at_least=False,
        detail=f"sklearn.neural_network alone {np.median(peer):.0f} ms",
    )
