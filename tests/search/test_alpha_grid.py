"""Where a grid of alphas goes on."""

import numpy as np
import pytest

from backprop_mlp._search.alpha_grid import (
    FIRST_ALPHAS,
    HIGHEST_ALPHA,
    LOWEST_ALPHA,
    fixed_grid,
    next_alpha,
)


def test_auto_is_found_by_the_loss_and_fixed_for_other_scores():
    assert fixed_grid("auto", found_by_loss=True) is None
    np.testing.assert_allclose(fixed_grid("auto", found_by_loss=False), np.logspace(-1, 2, 7))


@pytest.mark.parametrize(("best", "alpha"), [(0, 10.0**-0.5), (1, None), (2, 10.0**1.5)])
def test_it_goes_on_beyond_the_end_at_which_the_best_alpha_lies(best, alpha):
    assert next_alpha(np.array(FIRST_ALPHAS), best) == alpha


def test_a_walk_ends_at_whole_powers_of_ten():
    up, down = list(FIRST_ALPHAS), list(FIRST_ALPHAS)
    while (alpha := next_alpha(np.array(up), len(up) - 1)) is not None:
        up.append(alpha)
    while (alpha := next_alpha(np.array(down), 0)) is not None:
        down.insert(0, alpha)
    assert (up[-1], down[0]) == (HIGHEST_ALPHA, LOWEST_ALPHA)
    assert {0.1, 1.0, 10.0, 100.0} <= {*up, *down}
