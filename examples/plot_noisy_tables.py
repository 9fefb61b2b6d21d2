"""
Noisy tables want a larger alpha
================================

Where labels are noisy, a network that may do as it likes learns the noise by heart. Two tables:
442 patients with diabetes, of whom one asks whether the disease will progress more than in the
median patient, and 2,000 drawn rows of which a fifth has a label that says nothing. Both
classifiers have 100 hidden units and all else at their defaults.

What is called ``alpha`` is not the same in both. ``MLPClassifier`` adds the whole penalty to the
mean loss of each mini-batch of b of m rows; here it belongs to all m rows. So its ``alpha`` is
``alpha * b / m`` of ours, and that is what it is given here. Its default, 0.0001, is a dotted
line.

With a weak penalty ``MLPClassifier`` is ahead: it ends after 200 epochs of small steps, far from
the minimum, which spares it most of the noise. This classifier gets closer to the minimum that
it was asked for, so that here the penalty has to be right.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np
from _pictures import argument_parser, save
from sklearn.datasets import load_diabetes, make_classification
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from backprop_mlp import BackpropMLPClassifier, BackpropMLPClassifierCV

# %%
# Two tables, and areas under the ROC curve in three folds, inputs standardised on the training
# rows.

ALPHAS = np.array([0.1, 1.0, 3.0, 10.0, 30.0, 100.0])
FOLDS = StratifiedKFold(3, shuffle=True, random_state=1)
BATCH = 200


def diabetes():
    """Whether the disease progresses more than in the median patient."""
    X, y = load_diabetes(return_X_y=True)
    return X, (y > np.median(y)).astype(int)


def drawn():
    """Five features that matter, fifteen that do not, and labels of which a fifth is noise."""
    return make_classification(
        2000, 20, n_informative=5, n_redundant=0, flip_y=0.2, class_sep=0.8, random_state=0
    )


def area(classifier, X, y):
    """The mean area under the ROC curve over the folds."""
    model = make_pipeline(StandardScaler(), classifier)
    return cross_val_score(model, X, y, cv=FOLDS, scoring="roc_auc").mean()


# %%
# An area of 0.5 is guessing. The star is what ``BackpropMLPClassifierCV`` reaches, which chooses
# its alpha within each fold's training rows and so is an honest figure.

options = argument_parser(__doc__).parse_args()
# Nobody waits for convergence where defaults are compared.
warnings.simplefilter("ignore", ConvergenceWarning)

figure, axes = plt.subplots(1, 2, figsize=(11.0, 4.8), layout="constrained")
print(f"{'area under the ROC curve':28}" + "".join(f"{alpha:8g}" for alpha in ALPHAS))
tables = {"Diabetes, 442 rows": diabetes(), "Drawn, 2,000 rows": drawn()}
for ax, (title, (X, y)) in zip(axes, tables.items(), strict=True):
    rows = len(X) * 2 // 3
    batch = min(BATCH, rows)
    ours = [area(BackpropMLPClassifier(alpha=a, random_state=0), X, y) for a in ALPHAS]
    theirs = [area(MLPClassifier(alpha=a * batch / rows, random_state=0), X, y) for a in ALPHAS]
    default = area(MLPClassifier(random_state=0), X, y)
    network = BackpropMLPClassifier(solver="lbfgs", random_state=0)
    search = BackpropMLPClassifierCV(network, alphas=ALPHAS, cv=3, scoring="roc_auc")
    chosen = area(search, X, y)
    search.fit(StandardScaler().fit_transform(X), y)
    print(title)
    for name, areas in (("BackpropMLPClassifier", ours), ("MLPClassifier, same penalty", theirs)):
        print(f"  {name:26}" + "".join(f"{value:8.3f}" for value in areas))
    print(f"  {'MLPClassifier() as it comes':26}{default:7.3f}")
    print(f"  chosen by cross-validation{chosen:8.3f} (alpha {search.alpha_:g} on all rows)")

    ax.plot(ALPHAS, ours, "o-", label="BackpropMLPClassifier")
    ax.plot(ALPHAS, theirs, "s--", label="MLPClassifier, same penalty")
    ax.axhline(default, color="C1", linestyle=":", label="MLPClassifier()")
    ax.plot(search.alpha_, chosen, "k*", markersize=15, linestyle="", label="alpha chosen")
    ax.set(title=title, xlabel="alpha", xscale="log")
axes[0].set_ylabel("Area under the ROC curve")
figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
save(figure, options.output, "noisy_tables")
