"""Values that are computed once per object: no object waits for another."""

import pickle
import threading
from dataclasses import FrozenInstanceError, dataclass

import pytest

from backprop_mlp._cached import cached_property

SECONDS = 30.0


@dataclass(frozen=True)
class Frozen:
    """A class as those of the package are."""

    number: int

    @cached_property
    def calls(self) -> list:
        """One entry per computation."""
        return [self.number]


class Waiting:
    """Its value is known only when another's is."""

    def __init__(self, before=None):
        self.before = before
        self.begun = threading.Event()
        self.known = threading.Event()

    @cached_property
    def value(self):
        """Whether the other's value came."""
        self.begun.set()
        return self.before is None or self.before.known.wait(SECONDS)


def test_a_value_may_wait_for_that_of_another_object():
    first = Waiting()
    second = Waiting(before=first)
    found = []
    thread = threading.Thread(target=lambda: found.append(second.value), daemon=True)
    thread.start()
    assert second.begun.wait(SECONDS)
    assert first.value
    first.known.set()
    thread.join(2 * SECONDS)
    assert found == [True]


def test_a_value_is_computed_once_per_object():
    one, other = Frozen(1), Frozen(2)
    assert one.calls is one.calls
    assert (one.calls, other.calls) == ([1], [2])
    del vars(one)["calls"]
    assert one.calls == [1]


def test_a_value_that_fails_is_computed_again():
    class Failing:
        n_calls = 0

        @cached_property
        def value(self):
            self.n_calls += 1
            if self.n_calls == 1:
                raise LookupError
            return self.n_calls

    failing = Failing()
    with pytest.raises(LookupError):
        _ = failing.value
    assert failing.value == failing.value == 2


def test_frozen_objects_are_equal_and_travel_with_or_without_their_value():
    fresh, known = Frozen(3), Frozen(3)
    assert known.calls == [3]
    assert fresh == known
    assert hash(fresh) == hash(known)
    assert vars(pickle.loads(pickle.dumps(known))) == {"number": 3, "calls": [3]}
    assert pickle.loads(pickle.dumps(fresh)).calls == [3]
    with pytest.raises(FrozenInstanceError):
        known.number = 4


def test_the_class_has_the_property_itself_with_its_words():
    assert isinstance(Frozen.calls, cached_property)
    assert Frozen.calls.__doc__ == "One entry per computation."
    assert Frozen.calls.attrname == "calls"
