"""What a worker's allocator is told while blocks are computed, and after."""

import threading
from types import SimpleNamespace

import pytest

pytest.importorskip("distributed")

from backprop_mlp._dask.memory import _FreedMemory


@pytest.fixture
def calls(monkeypatch):
    monkeypatch.setenv("MALLOC_TRIM_THRESHOLD_", "65536")
    monkeypatch.delenv("MALLOC_MMAP_THRESHOLD_", raising=False)
    return []


def watched(calls):
    memory = _FreedMemory()
    memory.__dict__["_libc"] = SimpleNamespace(
        mallopt=lambda name, value: calls.append((name, value)),
        malloc_trim=lambda pad: calls.append("trim"),
    )
    return memory


AFTER = [(-3, 131072), (-1, 65536), "trim"]


def test_all_is_as_before_afterwards(calls):
    memory = watched(calls)
    with memory:
        assert len(calls) == 2
    assert calls[2:] == AFTER


def test_an_error_changes_nothing_about_that(calls):
    with pytest.raises(LookupError), watched(calls):
        raise LookupError
    assert calls[2:] == AFTER


def test_the_last_of_several_threads_restores_it(calls):
    memory = watched(calls)
    inside, leave = threading.Event(), threading.Event()

    def compute():
        with memory:
            inside.set()
            leave.wait()

    thread = threading.Thread(target=compute)
    with memory:
        thread.start()
        inside.wait()
    assert len(calls) == 2
    leave.set()
    thread.join()
    assert calls[2:] == AFTER


def test_processes_that_dask_did_not_start_are_left_alone(monkeypatch):
    monkeypatch.delenv("MALLOC_TRIM_THRESHOLD_", raising=False)
    assert _FreedMemory()._libc is None
