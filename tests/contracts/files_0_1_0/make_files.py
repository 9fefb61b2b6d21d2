"""Writes the files of this folder. Run it with version 0.1.0 of the package, not with a later one.

They were written with the oldest versions that 0.1.0 declares (NumPy 1.26.0, SciPy 1.12.0,
scikit-learn 1.6.0), so that these read them as well as the newest do. skops was 0.16.0.
`test_old_files.py` reads them.
"""

import pickle
import warnings
from pathlib import Path

import numpy as np
from sklearn.datasets import load_iris

from backprop_mlp import BackpropMLPClassifier, BackpropMLPClassifierCV

FOLDER = Path(__file__).parent
X, SPECIES = load_iris(return_X_y=True)
X, SPECIES = X[::3], SPECIES[::3]
NAMES = np.array(["setosa", "versicolor", "virginica"])[SPECIES]
LABELS = np.column_stack([SPECIES == 0, SPECIES > 0, X[:, 0] > 6.0]).astype(int)


def network(**params):
    return BackpropMLPClassifier(
        **{"hidden_layer_sizes": 3, "activation": "tanh", "max_iter": 8, "random_state": 0} | params
    )


ADAM = {"solver": "adam", "batch_size": 16, "learning_rate_init": 0.05}

MODELS = {
    "binary": (network(), SPECIES == 2),
    "logistic": (network(), SPECIES),
    "softmax": (network(output_activation="softmax", solver="lbfgs"), SPECIES),
    "multilabel": (network(), LABELS),
    "class_weight": (network(class_weight="balanced"), SPECIES > 0),
    "one_class": (network(), np.full(len(X), 4)),
    "float32": (network(activation="relu"), SPECIES),
    "names": (network(hidden_layer_sizes=(3, 2), activation=["relu", "logistic"]), NAMES),
    "no_hidden_layer": (network(hidden_layer_sizes=()), SPECIES),
    "batch_norm": (network(**ADAM, batch_norm=True, dropout=0.2, warm_start=True), SPECIES),
    "sgd": (network(**ADAM | {"solver": "sgd", "learning_rate": "invscaling"}), SPECIES),
    "early_stopping": (network(solver="lbfgs", early_stopping=True, warm_start=True), SPECIES),
    "early_adam": (network(**ADAM, early_stopping=True, scoring="loss", warm_start=True), SPECIES),
    "search": (BackpropMLPClassifierCV(network(), alphas=[0.1, 10.0], cv=2), NAMES),
}


def main():
    import skops.io

    warnings.simplefilter("ignore")
    predicted = {"X": X}
    for name, (model, y) in MODELS.items():
        rows = X.astype(np.float32) if name == "float32" else X
        model.fit(rows, y)
        (FOLDER / f"{name}.pickle").write_bytes(pickle.dumps(model, protocol=4))
        (FOLDER / f"{name}.skops").write_bytes(skops.io.dumps(model, compression=8))
        predicted[f"{name}_y"] = y
        predicted[f"{name}_proba"] = model.predict_proba(rows)
        predicted[f"{name}_predict"] = model.predict(rows)
        predicted[f"{name}_score"] = model.score(rows, y)
        if name != "search":
            predicted[f"{name}_cost"] = model.cost(rows, y)
    np.savez_compressed(FOLDER / "predicted.npz", **predicted)


if __name__ == "__main__":
    main()
