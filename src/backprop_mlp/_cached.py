"""Values that are computed once per object, without a lock."""

import functools
import sys
from typing import TYPE_CHECKING

__all__ = ["cached_property"]

if TYPE_CHECKING or sys.version_info >= (3, 12):
    from functools import cached_property
else:

    class cached_property(functools.cached_property):  # noqa: N801
        """That of `functools`, as it is from Python 3.12 on.

        Until then one lock per class and attribute is held while a value is computed. All
        objects share it: two computations of which one waits for the other would wait forever,
        and so would a child process that is forked during one.
        """

        def __get__(self, instance, owner=None):
            if instance is None:
                return self
            known = vars(instance)
            if self.attrname not in known:
                # Threads that compute it side by side find the same.
                known[self.attrname] = self.func(instance)
            return known[self.attrname]
