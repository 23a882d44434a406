"""What a process that was forked must not share with its parent.

Servers load an application once and fork. The child has a copy of everything but the threads: a lease that nobody renews, an identity
under which only the parent acknowledges, connections that both would write to, locks that nobody will let go. So whatever has such things
begins anew in the child.
"""

from __future__ import annotations

import os
import weakref
from typing import Protocol


class BeginsAnew(Protocol):
    """Something that has a state of this process alone."""

    def begin_anew(self) -> None:
        """Makes that state anew. Called in the child, before anything else runs there."""


# In the order in which they were made: what others stand on comes first.
_made: list[weakref.ref[BeginsAnew]] = []


def begin_anew_after_fork(made: BeginsAnew) -> None:
    """Has it begin anew in every process that is forked from here on."""
    _made.append(weakref.ref(made, _made.remove))


def _in_child() -> None:
    for reference in list(_made):
        made = reference()
        if made is not None:
            made.begin_anew()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)
