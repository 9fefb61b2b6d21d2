"""predict_proba on many rows and on one, beside MLPClassifier."""

from functools import partial

import numpy as np
from _data import random_rows
from _measure import Row, Side, default_threads, interleaved, quartiles, quickest, times
from sklearn.neural_network import MLPClassifier

from backprop_mlp import BackpropMLPClassifier


def measure(options):
    """Yield the rows of the table."""
    settings = sorted({1, default_threads()})
    for dtype in (np.float64, np.float32):
        X, y = random_rows(options.rows(100_000), 54, 7, dtype)
        ours = BackpropMLPClassifier(100, output_activation="softmax", max_iter=1)
        peer = MLPClassifier(100, max_iter=1)
        for estimator in (ours, peer):
            estimator.fit(X[:1000], y[:1000])
        for what, Z, target in ((f"{len(X)} rows", X, 1.5), ("one row", X[:1], 1.0)):
            sides = [
                Side.of(f"{name}({n})", partial(estimator.predict_proba, Z), n)
                for n in settings
                for name, estimator in (("ours", ours), ("MLPClassifier", peer))
            ]
            seconds = interleaved(sides, options.repeats or 15)
            best = quickest(seconds, [f"MLPClassifier({n})" for n in settings])
            yield Row(
                "prediction",
                f"predict_proba, {what}, 54 -> 100 -> 7, {dtype.__name__}",
                f"{best}, its best",
                **quartiles(seconds[best] / seconds[f"ours({settings[-1]})"]),
                target=target,
                detail=times(seconds),
            )
