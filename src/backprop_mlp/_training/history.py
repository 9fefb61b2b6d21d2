"""The record of training: cost and validation after each iteration."""

import math
from typing import NamedTuple


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
    """

    cost: float
    score: float = math.nan
    loss: float = math.nan


class History:
    """Records of the iterations of a run, after those of the calls that it goes on from.

    An iteration counts once its record is added, which Ctrl-C can't cut in two.

    Parameters
    ----------
    earlier : iterable of Record, default=()
        Of the calls before this one.
    """

    def __init__(self, earlier=()):
        self.records: list[Record] = list(earlier)
        self.n_earlier = len(self.records)

    @classmethod
    def from_curves(cls, costs, scores, losses):
        """The history whose curves these are; a list that is None was never measured.

        A list that is shorter than the costs, as files of version 0.1 have it, belongs
        to the last of them.
        """
        missing = [math.nan] * len(costs)
        scores = [*missing, *(scores or ())][-len(costs) :] if costs else []
        losses = [*missing, *(losses or ())][-len(costs) :] if costs else []
        return cls(map(Record, costs, scores, losses))

    def add(self, record: Record):
        """Note what an iteration has come to."""
        self.records.append(record)

    @property
    def n_iter(self):
        """Number of iterations of this run."""
        return len(self.records) - self.n_earlier

    @property
    def new(self):
        """The records of this run."""
        return self.records[self.n_earlier :]

    @property
    def costs(self):
        """J after each iteration, earlier runs included."""
        return [record.cost for record in self.records]

    @property
    def scores(self):
        """Validation score after each iteration, nan where not measured; None if nowhere."""
        return self._where_measured([record.score for record in self.records])

    @property
    def losses(self):
        """Validation cost after each iteration, nan where not measured; None if nowhere."""
        return self._where_measured([record.loss for record in self.records])

    def _where_measured(self, values):
        # A scorer may give nan; the loss is always a number.
        return None if all(math.isnan(record.loss) for record in self.records) else values
