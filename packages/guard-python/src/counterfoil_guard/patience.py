"""Whether whoever asks may be made to wait. Those who run an event loop may not; they ask again on another thread."""

from __future__ import annotations

from enum import Enum, auto


class Patience(Enum):
    """What may be done to find an answer."""

    MAY_WAIT = auto()
    """Also ask the authority, and wait for its answer."""
    AT_ONCE = auto()
    """Only what is done with what is known here; otherwise :class:`WouldWait` is raised."""


class WouldWait(Exception):
    """The answer is not known here. Nothing has changed by asking."""
