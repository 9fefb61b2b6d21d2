"""Choosing an alpha: paths in all folds, their scores, and the best of them."""

from functools import partial
from typing import NamedTuple

import numpy as np

from .._objective.overflow import IGNORE_OVERFLOW
from .._training.interruption import Interruption
from .alpha_grid import FIRST_ALPHAS, next_alpha
from .alpha_path import AlphaPath, Fold, Step

MAX_LOSS_RATIO = 2.0
"""How many times the best alpha's held-out loss the weaker one's may be to be averaged with it.
On 32 tables it was at most 1.6 times; where a weak penalty lets networks run away from outlying
rows it is any number of times. No loss is below 0."""


class Choice(NamedTuple):
    """What the folds say of every alpha, and the best one.

    Parameters
    ----------
    alphas : ndarray of shape (n_alphas,)
        Rising.
    steps : list of list of Step
        One list per alpha, with a step per fold.
    means : ndarray of shape (n_alphas,)
        Score of each alpha.
    losses : ndarray of shape (n_alphas,)
        Held-out loss of each alpha, whatever its score is.
    """

    alphas: np.ndarray
    steps: list[list[Step]]
    means: np.ndarray
    losses: np.ndarray

    @property
    def best(self) -> int:
        """Number of the alpha with the highest score, of the largest such alpha."""
        return len(self.means) - 1 - int(self.means[::-1].argmax())

    @property
    def averaged(self) -> list[int]:
        """Numbers of the best alpha and of the next weaker one, if there is a harmless one."""
        best, weaker = self.best, self.best - 1
        loss = self.losses[weaker] if weaker >= 0 else np.inf
        is_harmless = np.isfinite(loss) and loss <= MAX_LOSS_RATIO * self.losses[best]
        return [weaker, best] if is_harmless else [best]

    def table(self, name: str) -> np.ndarray:
        """A number of each step, of shape (n_alphas, n_folds)."""
        return _table(self.steps, name)

    def networks(self) -> list:
        """Those of all folds at the alphas that are averaged."""
        return [
            self.steps[alpha][fold].network
            for fold in range(len(self.steps[0]))
            for alpha in self.averaged
        ]

    def outputs(self, alphas) -> list:
        """Each fold's outputs for the rows that it leaves out, the mean over some alphas."""
        return [
            np.mean([self.steps[alpha][fold].outputs for alpha in alphas], axis=0)
            for fold in range(len(self.steps[0]))
        ]


def choose_alpha(path: AlphaPath, grid, splits, seeds, task, n_jobs: int | None) -> Choice:
    """Walk along the alphas in every fold, and choose.

    Parameters
    ----------
    path : AlphaPath
    grid : ndarray of shape (n_alphas,) or None
        None to walk on from the end at which the best alpha lies, until it lies inside.
    splits : list of tuple of ndarray
        Numbers of the rows to train on and to leave out.
    seeds : list of int or None
    task : CallbackTask
        Of the whole search.
    n_jobs : int or None

    Returns
    -------
    choice : Choice

    Raises
    ------
    FloatingPointError
        If the networks of every alpha overflow in rows that are left out.
    """
    walk = partial(_walk, path, splits, seeds, task, n_jobs)
    alphas = np.array(FIRST_ALPHAS) if grid is None else grid
    choice = _choose(path, splits, alphas, walk(alphas, None))
    while grid is None and (alpha := next_alpha(choice.alphas, choice.best)) is not None:
        # A weaker penalty goes on from the weakest one so far, where no unit is lost yet.
        stronger = alpha > choice.alphas[-1]
        starts = [step.network for step in choice.steps[-1 if stronger else 0]]
        steps = walk(np.array([alpha]), starts)
        alphas = [*choice.alphas, alpha] if stronger else [alpha, *choice.alphas]
        steps = [*choice.steps, *steps] if stronger else [*steps, *choice.steps]
        choice = _choose(path, splits, np.array(alphas), steps)
    if choice.means[choice.best] == -np.inf and not np.isfinite(choice.losses[choice.best]):
        raise FloatingPointError(
            f"No alpha from {choice.alphas[0]:g} to {choice.alphas[-1]:g} can be chosen: with each "
            "of them the numbers overflow in rows that a fold leaves out. Look for rows of X or y "
            "that are far from all others, and clip or transform their columns, or give larger "
            "alphas."
        )
    return choice


def _walk(path, splits, seeds, task, n_jobs, alphas, starts):
    """Steps of all folds along some alphas: a list per alpha, with a step per fold."""
    whole, tasks = task.paths(len(splits), len(alphas))
    starts = [None] * len(splits) if starts is None else starts
    folds = [
        Fold(number, train, test, seed, start, task)
        for number, ((train, test), seed, start, task) in enumerate(
            zip(splits, seeds, starts, tasks, strict=True)
        )
    ]
    with whole.whole():
        walk = partial(path, alphas=alphas)
        steps = Interruption().run_all(walk, folds, n_jobs=n_jobs, prefer="threads")
    return [list(of_alpha) for of_alpha in zip(*steps, strict=True)]


def _choose(path, splits, alphas, steps):
    """The choice among alphas, from the steps of all folds."""
    # The mean over all rows together: a fold counts by its rows.
    if path.sample_weight is None:
        weights = np.array([len(test) for _, test in splits], dtype=np.float64)
    else:
        weights = np.array([path.sample_weight[test].sum() for _, test in splits])
    some = weights > 0.0
    losses = _table(steps, "loss")
    with np.errstate(**IGNORE_OVERFLOW):
        losses = losses[:, some] @ weights[some] / weights[some].sum()
    if path.scorer is None:
        return Choice(alphas, steps, -losses, losses)
    # Folds that leave out no row with weight say nothing.
    return Choice(alphas, steps, np.nanmean(_table(steps, "score"), axis=1), losses)


def _table(steps, name):
    """A number of each step, of shape (n_alphas, n_folds)."""
    return np.array([[getattr(step, name) for step in of_alpha] for of_alpha in steps])
