"""Calls side by side: whose configuration and whose warning filters they see."""

import os
import warnings

import numpy as np
import pytest
import sklearn
from joblib import parallel_config
from sklearn.datasets import load_iris

from backprop_mlp import BackpropMLPClassifier, BackpropMLPClassifierCV
from backprop_mlp._training.interruption import Interruption

X, y = load_iris(return_X_y=True)


def side_by_side(function, **parallel):
    return Interruption().run_all(function, range(4), n_jobs=2, **parallel)


def test_threads_see_the_filters_of_the_process_and_leave_them_alone():
    """Filters that a thread sets for a while are those of all others meanwhile."""
    filters = warnings.filters
    assert all(side_by_side(lambda _: warnings.filters is filters, prefer="threads"))


def test_processes_see_the_callers_filters():
    expected = [("ignore", "only here", UserWarning)]

    def first_filters(_):
        found = [(f[0], f[1].pattern, f[2]) for f in warnings.filters[:1]]
        warnings.warn("only here", UserWarning, stacklevel=1)
        return os.getpid(), found

    with warnings.catch_warnings(), parallel_config("loky"):
        warnings.filterwarnings("ignore", "only here", UserWarning)
        for process, found in side_by_side(first_filters):
            assert process != os.getpid()
            assert found == expected


@pytest.mark.parametrize("backend", ["threading", "loky"])
def test_the_callers_configuration_holds_everywhere(backend):
    def working_memory(_):
        return sklearn.get_config()["working_memory"]

    with sklearn.config_context(working_memory=17), parallel_config(backend):
        assert side_by_side(working_memory) == [17] * 4


@pytest.mark.parametrize("kind", ["starts", "folds"])
def test_fits_side_by_side_lose_no_filter(kind):
    """In many threads at once, again and again."""
    network = BackpropMLPClassifier(3, max_iter=1, tol=0.0, random_state=0)
    models = {
        "starts": network.set_params(n_init=8, n_jobs=4),
        "folds": BackpropMLPClassifierCV(network, alphas=[1.0], cv=4, n_jobs=4, refit=False),
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        before = list(warnings.filters)
        for _ in range(20):
            models[kind].fit(np.array(X), y)
        assert warnings.filters == before
