"""Blocks over threads: the same results, and every BLAS limit as it was."""

import threading
import time
import warnings
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from joblib import Parallel, delayed, parallel_config
from threadpoolctl import ThreadpoolController, threadpool_limits

from backprop_mlp import BackpropMLPClassifier
from backprop_mlp._network.layers import Dense
from backprop_mlp._objective import threads
from backprop_mlp._objective.threads import (
    FLOPS_OF_A_TASK,
    FLOPS_WORTH_A_THREAD,
    RESULTS_OF_A_TASK,
    WORTH_BLAS_THREADS,
    _BlasGuard,
    block_map,
    one_blas_thread,
)

PATIENCE = 120.0
"""Seconds after which a thread that never came fails the test."""

MUCH = 1e12
"""Work of a block that is worth a thread of its own."""


def blas_threads():
    """Threads of each BLAS library of this process."""
    pools = ThreadpoolController().select(user_api="blas").info()
    return [pool["num_threads"] for pool in pools]


pytestmark = pytest.mark.skipif(
    not blas_threads(), reason="NumPy's BLAS here has no thread pool that threadpoolctl knows"
)


@pytest.fixture(autouse=True)
def two_threads():
    """Every test starts, and must end, with BLAS pools of two threads."""
    with threadpool_limits(2, user_api="blas"):
        yield
        assert set(blas_threads()) == {2}


def run(function, n_blocks=6, work=MUCH):
    with block_map(work) as map_blocks:
        return list(map_blocks(function, range(n_blocks)))


def names_of_threads(**options):
    """Names of the threads that ran the blocks; two of them meet if there are two."""
    return set(run(lambda block: threading.current_thread().name, **options))


@pytest.mark.parametrize("n_blocks", [1, 2, 3, 17])
@pytest.mark.parametrize("work", [1.0, FLOPS_WORTH_A_THREAD, MUCH])
def test_results_come_in_the_order_of_the_blocks(n_blocks, work):
    assert run(lambda block: block**2, n_blocks, work) == [block**2 for block in range(n_blocks)]


def test_two_blocks_run_at_once():
    barrier = threading.Barrier(2)
    assert len(run(lambda block: barrier.wait(PATIENCE))) == 6


@pytest.mark.parametrize(
    ("limit", "options"),
    [(1, {}), (2, {"n_blocks": 1}), (2, {"work": FLOPS_WORTH_A_THREAD - 1})],
    ids=["one thread allowed", "one block", "small blocks"],
)
def test_blocks_stay_in_their_thread(limit, options):
    with threadpool_limits(limit, user_api="blas"):
        assert names_of_threads(**options) == {threading.current_thread().name}


@pytest.mark.parametrize("limit", [2, 3])
def test_no_more_threads_run_than_the_limit_in_force_allows(limit):
    with threadpool_limits(limit, user_api="blas"):
        assert 1 <= len(names_of_threads(n_blocks=50)) <= limit


def test_a_pass_holds_only_a_few_blocks():
    taken, waiting = [], []
    with block_map(MUCH) as map_blocks:
        for given, _ in enumerate(map_blocks(taken.append, range(40)), start=1):
            time.sleep(0.001)
            waiting.append(len(taken) - given)
    assert len(taken) == 40
    assert max(waiting) < 2 * 2


def test_small_blocks_are_handed_over_several_at_once():
    """Two threads take 40 blocks in two turns each, if so many make up enough work."""
    tasks = []

    class Pool(ThreadPoolExecutor):
        def submit(self, *call):
            tasks.append(call)
            return super().submit(*call)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(threads, "ThreadPoolExecutor", Pool)
        assert run(lambda block: block, 40, FLOPS_OF_A_TASK / 10) == list(range(40))
        assert len(tasks) == 4


def test_large_results_are_handed_over_one_by_one():
    """At most two per thread are there at once, however little work they are."""
    taken, waiting = [], []
    with block_map(FLOPS_WORTH_A_THREAD, RESULTS_OF_A_TASK) as map_blocks:
        for given, _ in enumerate(map_blocks(taken.append, range(40)), start=1):
            time.sleep(0.001)
            waiting.append(len(taken) - given)
    assert len(taken) == 40
    assert max(waiting) < 2 * 2


def test_threads_cut_the_blocks_out_themselves():
    cutters = []

    class Blocks(Sequence):
        def __len__(self):
            return 6

        def __getitem__(self, index):
            cutters.append(threading.current_thread())
            return index

    with block_map(MUCH) as map_blocks:
        assert list(map_blocks(lambda block: block, Blocks())) == list(range(6))
    assert len(cutters) == 6
    assert threading.current_thread() not in cutters


def test_overflow_in_a_block_is_handled_as_the_caller_wants():
    huge = np.full(600, 1e300)
    with np.errstate(over="raise"), pytest.raises(FloatingPointError):
        run(lambda block: huge * huge)
    with warnings.catch_warnings(), np.errstate(over="ignore"):
        warnings.simplefilter("error")
        run(lambda block: huge * huge)


# BLAS limits


def test_blas_has_one_thread_while_blocks_are_computed():
    assert run(lambda block: set(blas_threads())) == [{1}] * 6


def test_blas_limits_come_back_after_a_failure():
    def fail(block):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run(fail)
    assert set(blas_threads()) == {2}


def test_other_threads_may_set_limits_after_us():
    with block_map(1.0):
        pass

    def limit():
        with threadpool_limits(1, user_api="blas"):
            found.append(set(blas_threads()))

    found = []
    thread = threading.Thread(target=limit)
    thread.start()
    thread.join()
    assert found == [{1}]


def test_a_nested_user_leaves_the_limit_to_the_outer_one():
    with block_map(MUCH):
        with block_map(MUCH) as map_blocks:
            assert set(blas_threads()) == {1}
            # The inner user still knows how many threads there were.
            barrier = threading.Barrier(2)
            assert len(list(map_blocks(lambda block: barrier.wait(PATIENCE), range(4)))) == 4
        assert set(blas_threads()) == {1}
    assert set(blas_threads()) == {2}


@pytest.mark.parametrize("n_users", [1, 2])
def test_users_side_by_side_share_the_threads(n_users):
    both_are_in, one_is_out = threading.Barrier(n_users), threading.Barrier(n_users)

    def use(number):
        with block_map(MUCH) as map_blocks:
            both_are_in.wait(PATIENCE)
            shared = [set(map_blocks(name, range(6))) for _ in range(3)][-1]
            one_is_out.wait(PATIENCE)
            if number > 0:
                return shared, None
            # Its only neighbour leaves sooner or later.
            deadline = time.monotonic() + PATIENCE
            while threads._sharers.share(2) < 2 and time.monotonic() < deadline:
                time.sleep(0.001)
            alone = set(map_blocks(meet, range(6)))
            return shared, alone

    def name(block):
        time.sleep(0.002)
        return threading.current_thread().name

    meeting = threading.Barrier(2)

    def meet(block):
        meeting.wait(PATIENCE)
        return threading.current_thread().name

    results = Parallel(n_jobs=n_users, prefer="threads")(delayed(use)(i) for i in range(n_users))
    assert all(len(shared) == 2 // n_users for shared, _ in results)
    assert len(results[0][1]) == 2


def test_of_overlapping_users_the_last_restores_the_limit():
    first, second = block_map(1.0), block_map(1.0)
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert set(blas_threads()) == {1}
    second.__exit__(None, None, None)
    assert set(blas_threads()) == {2}


def test_blas_is_held_to_one_thread_from_whichever_thread():
    """threadpoolctl 3.8 listens to the first thread alone that sets a limit."""
    with one_blas_thread, ThreadPoolExecutor(1) as pool:
        pool.submit(blas_threads).result()
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(blas_threads_in_the_guard).result() == {1}
    assert set(blas_threads()) == {2}


def blas_threads_in_the_guard():
    with one_blas_thread:
        return set(blas_threads())


def test_the_last_user_restores_the_limit_though_another_thread_was_the_first():
    with ThreadPoolExecutor(1) as pool:
        pool.submit(one_blas_thread.__enter__).result()
        assert set(blas_threads()) == {1}
        one_blas_thread.__exit__(None, None, None)
        assert set(blas_threads()) == {2}
        one_blas_thread.__enter__()
        pool.submit(one_blas_thread.__exit__, None, None, None).result()
        assert set(blas_threads()) == {2}


class Pool:
    """A BLAS library; Ctrl-C comes as soon as one has been given a certain limit."""

    def __init__(self, ctrl_c_at=None):
        self.num_threads = 2
        self.ctrl_c_at = ctrl_c_at

    def set_num_threads(self, n_threads):
        self.num_threads = n_threads
        if n_threads == self.ctrl_c_at:
            self.ctrl_c_at = None
            raise KeyboardInterrupt


@pytest.mark.parametrize("ctrl_c_at", [1, 2], ids=["entering", "leaving"])
def test_ctrl_c_at_the_limits_leaves_them_as_they_were(ctrl_c_at):
    guard = _BlasGuard()
    guard._libraries = [Pool(ctrl_c_at), Pool(), Pool(ctrl_c_at)]
    with pytest.raises(KeyboardInterrupt), guard:
        assert [pool.num_threads for pool in guard._libraries] == [1, 1, 1]
    assert [pool.num_threads for pool in guard._libraries] == [2, 2, 2]
    for pool in guard._libraries:
        pool.ctrl_c_at = None
    with guard:
        assert [pool.num_threads for pool in guard._libraries] == [1, 1, 1]


def test_users_in_many_threads_leave_the_limit_as_it_was():
    def use(number):
        return run(lambda block: block + number)

    results = Parallel(n_jobs=4, prefer="threads")(delayed(use)(number) for number in range(40))
    assert results == [[block + number for block in range(6)] for number in range(40)]
    assert set(blas_threads()) == {2}


@pytest.mark.slow
def test_the_workers_of_joblib_keep_to_their_limit():
    with parallel_config("loky", n_jobs=2, inner_max_num_threads=1):
        in_workers = Parallel()(delayed(names_of_threads)() for _ in range(2))
    assert [len(names) for names in in_workers] == [1, 1]


# The classifier


@pytest.fixture(scope="module")
def rows():
    """Enough rows and columns that their blocks are worth a thread."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(2600, 120))
    return X, (X[:, :3] > 0.5).sum(axis=1)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_fit_leaves_the_limits_as_they_were(rows):
    BackpropMLPClassifier(40, max_iter=1).fit(*rows).predict(rows[0])
    assert set(blas_threads()) == {2}


def test_a_failing_fit_leaves_the_limits_as_they_were(rows):
    def fail(rng, fan_in, fan_out):
        assert set(blas_threads()) == {1}
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        BackpropMLPClassifier(40, initializer=fail).fit(*rows)
    assert set(blas_threads()) == {2}


@pytest.mark.parametrize(("n_rows", "n_threads"), [(1, 2), (40, 2), (42, 1), (1250, 1)])
def test_predictions_hold_blas_where_it_would_share_a_product_out(
    rows, monkeypatch, n_rows, n_threads
):
    rng = np.random.default_rng(0)
    classifier = BackpropMLPClassifier.from_thetas(
        [rng.normal(size=(2, 101)), rng.normal(size=(9, 3))]
    )
    assert 40 * 218 < WORTH_BLAS_THREADS <= 42 * 218
    seen = []
    forward = Dense.forward

    def spy(layer, *arguments):
        seen.append(set(blas_threads()))
        return forward(layer, *arguments)

    monkeypatch.setattr(Dense, "forward", spy)
    classifier.predict(rows[0][:n_rows, :100])
    assert seen == [{n_threads}] * 2
