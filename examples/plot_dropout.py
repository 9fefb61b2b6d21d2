"""
Dropout with clean and with wrong labels
========================================

Dropout from 0 to 0.8, on clean labels and on labels of which a fifth is wrong.

Five hundred digits to learn from, two layers of 100 relu units, enough epochs to learn
the rows by heart, and no other penalty. Left: all labels are right. There is
little to gain: up to a half, dropout leaves the held-out digits as well read as they
were. Right: a fifth of the training labels is wrong, which the network can only learn
by heart. Dropout hinders it: the training accuracy falls towards the four fifths that
make sense, and the held-out accuracy rises. At 0.8 too little of the network is left
on either side.

Bands reach from the lowest to the highest of three draws of the training rows.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np
from _pictures import argument_parser, save
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split

from backprop_mlp import BackpropMLPClassifier

# %%
# A fifth of the training labels is exchanged for others in the second case. The held-out labels
# are all right.

RATES = [0.0, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8]
DRAWS = range(3)
N_EPOCHS = 60


def with_wrong_labels(y, fraction, rng):
    """Move a fraction of the labels to another digit."""
    y = y.copy()
    wrong = rng.permutation(len(y))[: round(fraction * len(y))]
    y[wrong] = (y[wrong] + rng.integers(1, 10, len(wrong))) % 10
    return y


def measure(X, y, fraction, dropout, seed):
    """Accuracy (%) and loss on the training rows, then on the held-out rows."""
    X_train, X_test, y_train, y_test = train_test_split(
        X, y, train_size=500, stratify=y, random_state=seed
    )
    y_train = with_wrong_labels(y_train, fraction, np.random.default_rng(seed))
    network = BackpropMLPClassifier(
        (100, 100),
        output_activation="softmax",
        solver="adam",
        alpha=0.0,
        dropout=dropout,
        learning_rate_init=0.002,
        batch_size=50,
        max_iter=N_EPOCHS,
        n_iter_no_change=N_EPOCHS,
        random_state=seed,
    ).fit(X_train, y_train)
    return [
        (100 * network.score(X_part, y_part), log_loss(y_part, network.predict_proba(X_part)))
        for X_part, y_part in ((X_train, y_train), (X_test, y_test))
    ]


# %%
# Every rate is measured on several draws of the training rows, whose range is the band.

options = argument_parser(__doc__).parse_args()
# The number of epochs is fixed: no convergence is expected.
warnings.simplefilter("ignore", ConvergenceWarning)
X, y = load_digits(return_X_y=True)
# Single precision is enough here, and faster.
X = (X / 16.0).astype(np.float32)

figure, axes = plt.subplots(
    2, 2, figsize=(10.0, 7.4), sharex=True, sharey="row", layout="constrained"
)
cases = {"All labels right": 0.0, "A fifth of the training labels wrong": 0.2}
for column, (title, fraction) in zip(axes.T, cases.items(), strict=True):
    # (rate, draw, rows, measure)
    measured = np.array([[measure(X, y, fraction, rate, seed) for seed in DRAWS] for rate in RATES])
    print(f"{title}\n{'dropout':>8}{'train':>9}{'held-out':>10}{'loss':>8}{'held-out':>10}")
    for rate, ((accuracy, loss), (accuracy_test, loss_test)) in zip(
        RATES, measured.mean(axis=1), strict=True
    ):
        print(f"{rate:8g}{accuracy:7.1f} %{accuracy_test:8.1f} %{loss:8.3f}{loss_test:10.3f}")
    column[0].set_title(title)
    for index, ax in enumerate(column):
        for rows, (label, style) in enumerate((("training", "o--"), ("held-out", "s-"))):
            values = measured[:, :, rows, index]
            ax.fill_between(RATES, values.min(axis=1), values.max(axis=1), alpha=0.25)
            ax.plot(RATES, values.mean(axis=1), style, label=f"{label} rows")
    column[1].set_xlabel("Dropout: probability of dropping a unit")
axes[0, 0].set(ylabel="Accuracy (%)", ylim=(70.0, 101.0))
axes[1, 0].set(ylabel="Loss per row", ylim=(0.0, 1.5))
axes[1, 0].legend()
save(figure, options.output, "dropout")
