"""The record of training: cost and validation after each iteration."""

import math
from typing import NamedTuple


def counted(number, noun):
    """A number of things, for messages: "1 iteration", "2 iterations"."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


class Record(NamedTuple):
    """What is known after an iteration.

    Parameters
    ----------
    cost : float
        J; with mini-batches the mean of their costs in the epoch.
    score : float, default=nan
        Validation score; nan where there were no validation rows.
    loss : float, default=nan
        J with its loss averaged over the validation rows; nan where there were none.
    bare_loss : float, default=nan
        The same without the penalty.
    """

    cost: float
    score: float = math.nan
    loss: float = math.nan
    bare_loss: float = math.nan


class History:
    """Records of the iterations of a run, after the curves of the calls that it goes on from.

    An iteration counts once its record is put, which Ctrl-C can't cut in two.

    Parameters
    ----------
    costs : sequence of float, default=()
        Of the calls before this one.
    scores, losses : sequence of float or None, default=None
        Their validation scores and costs; None if there were none. Ones that are
        shorter than the costs, as in files of older versions, belong to the last of them.
    """

    def __init__(self, costs=(), scores=None, losses=None):
        self._costs = costs
        self._scores = scores
        self._losses = losses
        self.records: list[Record] = []

    def __len__(self):
        """Number of iterations, those of earlier calls included."""
        return len(self._costs) + self.n_iter

    @property
    def n_iter(self):
        """Number of iterations of this run."""
        return len(self.records)

    @property
    def iterations(self):
        """Their number in this run, for messages: `verbose` counts those of earlier calls, too."""
        return counted(self.n_iter, "iteration") + (" of this call" if len(self._costs) else "")

    def put(self, number, record: Record):
        """Note what iteration ``number`` of this run, from 1, has come to; twice is once."""
        self.records[number - 1 :] = [record]

    @property
    def costs(self):
        """J after each iteration, earlier calls included."""
        return [*self._costs, *(record.cost for record in self.records)]

    @property
    def scores(self):
        """Validation score after each iteration, nan where not measured; None if nowhere."""
        return self._join(self._scores, [record.score for record in self.records])

    @property
    def losses(self):
        """Validation cost after each iteration, nan where not measured; None if nowhere."""
        return self._join(self._losses, [record.loss for record in self.records])

    def _join(self, before, new):
        # A scorer may give nan; the loss is always a number.
        if before is None and all(math.isnan(record.loss) for record in self.records):
            return None
        before = () if before is None else before
        return [*[math.nan] * (len(self._costs) - len(before)), *before, *new]
