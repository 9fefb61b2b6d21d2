"""Choosing an alpha: paths in all folds, their scores, and the best of them."""

from functools import partial
from typing import NamedTuple

import numpy as np

from .._objective.overflow import IGNORE_OVERFLOW
from .._training.interruption import Interruption
from .alpha_grid import FIRST_ALPHAS, next_alpha
from .alpha_path import AlphaPath, Fold, Step

MAX_LOSS_RATIO = 1.05
"""How many times the best alpha's held-out loss that of the mean with the weaker one may be.
The mean over all folds, which predicts, gains more from a weaker alpha than that of two networks
of one fold, which is measured. On 32 tables, 64 runs: against no limit but twice the loss of the
weaker alpha alone, 9 tables have lower losses and none a higher one. No loss is below 0."""

ROUNDING = 1e-12
"""Relative difference below which scores are equal. Folds of which one has a hit more and another
one a hit less have the same accuracy together, but means that may differ in their last digit."""


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
    averaged : tuple of int, default=()
        Numbers of the best alpha, and before it of the next weaker one if it is averaged with it;
        once the choice is final.
    """

    alphas: np.ndarray
    steps: list[list[Step]]
    means: np.ndarray
    losses: np.ndarray
    averaged: tuple[int, ...] = ()

    @property
    def best(self) -> int:
        """Number of the alpha with the highest score, of the largest such alpha."""
        highest = np.isclose(self.means, self.means.max(), rtol=ROUNDING, atol=0.0)
        return int(np.flatnonzero(highest)[-1])

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
        with np.errstate(**IGNORE_OVERFLOW):
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
    return choice._replace(averaged=_averaged(path, splits, choice))


def _averaged(path, splits, choice):
    """Numbers of the best alpha, and before it of the next weaker one if it does no harm.

    Its own loss does not tell: most of it may be noise, which no network predicts.
    """
    best = choice.best
    if best == 0:
        return (best,)
    tests = [test for _, test in splits]
    losses = path.held_out_losses(tests, choice.outputs([best - 1, best]))
    (loss,) = _mean_of_folds(path, tests, np.array([losses]))
    return (best - 1, best) if does_no_harm(loss, choice.losses[best]) else (best,)


def does_no_harm(loss, best):
    """Whether a mean with the networks of a weaker alpha may cost that, next to the best alpha."""
    return bool(np.isfinite(loss) and loss <= MAX_LOSS_RATIO * best)


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
    losses = _mean_of_folds(path, [test for _, test in splits], _table(steps, "loss"))
    if path.scorer is None:
        return Choice(alphas, steps, -losses, losses)
    # Folds that leave out no row with weight say nothing.
    return Choice(alphas, steps, np.nanmean(_table(steps, "score"), axis=1), losses)


def _mean_of_folds(path, tests, losses):
    """The mean over all rows together of losses of shape (n_alphas, n_folds)."""
    # A fold counts by its rows.
    if path.sample_weight is None:
        weights = np.array([len(test) for test in tests], dtype=np.float64)
    else:
        weights = np.array([path.sample_weight[test].sum() for test in tests])
    some = weights > 0.0
    with np.errstate(**IGNORE_OVERFLOW):
        return losses[:, some] @ weights[some] / weights[some].sum()


def _table(steps, name):
    """A number of each step, of shape (n_alphas, n_folds)."""
    return np.array([[getattr(step, name) for step in of_alpha] for of_alpha in steps])
