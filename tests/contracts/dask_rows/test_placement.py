"""Which partitions are computed together."""

import threading

import pytest

distributed = pytest.importorskip("distributed")

from backprop_mlp._dask.placement import Worker, group_partitions, workers_of  # noqa: E402

TWO = [Worker("a", 1, float("inf")), Worker("b", 1, float("inf"))]


def test_partitions_of_a_worker_are_together():
    addresses = ["a", "b"] * 4
    assert group_partitions([1] * 8, addresses, TWO) == [("a", [0, 2, 4, 6]), ("b", [1, 3, 5, 7])]


def test_each_thread_has_a_share():
    workers = [Worker("a", 2, float("inf")), Worker("b", 1, float("inf"))]
    groups = group_partitions([1] * 6, ["a", "a", "a", "a", "b", "b"], workers)
    assert groups == [("a", [0, 2]), ("a", [1, 3]), ("b", [4, 5])]


def test_workers_that_have_too_much_give_to_others():
    groups = group_partitions([1] * 8, ["a"] * 8, TWO)
    assert [(address, len(numbers)) for address, numbers in groups] == [("a", 4), ("b", 4)]


def test_a_task_needs_little_of_the_memory():
    groups = group_partitions([10] * 6, ["a"] * 6, [Worker("a", 1, 200.0)])
    assert [numbers for _, numbers in groups] == [[0, 1], [2, 3], [4, 5]]
    # But each partition is in one piece.
    assert len(group_partitions([1000] * 3, ["a"] * 3, [Worker("a", 1, 200.0)])) == 3


@pytest.mark.parametrize("addresses", [[None] * 5, ["gone"] * 5, ["a", None, "gone", "b", "a"]])
def test_every_partition_is_in_one_group(addresses):
    groups = group_partitions([3, 1, 4, 1, 5], addresses, TWO)
    assert sorted(number for _, numbers in groups for number in numbers) == list(range(5))


def test_there_are_no_empty_groups():
    assert group_partitions([1], ["b"], TWO) == [("b", [0])]


def test_workers_are_found_whatever_the_client_last_heard_of_them(client, monkeypatch):
    heard = client.scheduler_info()
    monkeypatch.setattr(client, "_scheduler_identity", heard | {"workers": {}})
    monkeypatch.setattr(client, "_update_scheduler_info", None)
    assert len(workers_of(client)) == 2


def test_the_first_worker_is_waited_for():
    quiet = {"processes": False, "dashboard_address": None}
    with (
        distributed.LocalCluster(n_workers=0, threads_per_worker=1, **quiet) as cluster,
        distributed.Client(cluster) as client,
    ):
        timer = threading.Timer(0.3, cluster.scale, args=[1])
        timer.start()
        assert len(workers_of(client)) == 1
        timer.join()
