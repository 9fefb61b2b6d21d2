"""What exclusive classes and labels of their own have in common."""

import numpy as np
from sklearn.utils.validation import column_or_1d


def one_column(y):
    """y as an array of shape (n_rows,): as it is where it is one, which most calls have made sure.

    scikit-learn's validation would hand it back, and takes longer than what follows.
    """
    return y if isinstance(y, np.ndarray) and y.ndim == 1 else column_or_1d(y)


class LabelTargets:
    """Targets that are labels: predictions are right or wrong, and have no units."""

    has_classes = True
    classes: np.ndarray
    multilabel: bool

    def outputs(self, loss, z):
        """The probabilities of the network's outputs, shaped as z."""
        return loss.proba(z)

    def score(self, tally, total_weight, totals=None) -> float:
        """Accuracy, from the weight of the rows that are predicted right."""
        return float(tally / total_weight)

    def scaled_by(self, totals):
        """These targets: labels have neither mean nor scale."""
        return self

    def continuing(self, before, what):
        """These targets, if they have the classes of the previous fit."""
        if self.multilabel != before.multilabel:
            kinds = "one class per row", "a 0/1 matrix of labels"
            raise ValueError(
                f"{what} needs y of the previous fit's kind, {kinds[before.multilabel]}; got "
                f"{kinds[self.multilabel]}."
            )
        if not np.array_equal(self.classes, before.classes):
            raise ValueError(
                f"{what} can only be used where `y` has the same classes as in the previous call "
                f"to fit. Previously got {before.classes}, `y` has {self.classes}."
            )
        return self

    def to_units(self, W, b):
        """The output layer as it is."""
        return W, b

    def from_units(self, W, b):
        """The output layer as it is."""
        return W, b
