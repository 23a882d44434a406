"""Who a token speaks for: a user, or a service of its own (SEC-4.15, ATK-26). The two are written so that no text is both."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeGuard

from .id import is_id

Subjects = Literal["users", "clients", "both"]
"""Whose tokens are believed. What serves people must not take a service for one."""

MAX_ACTORS = 4
"""How many actors may stand behind one another."""

# No id holds a colon.
_CLIENT = re.compile(r"client:[A-Za-z0-9._-]{1,64}")


@dataclass(frozen=True)
class Actor:
    """Who acts for the subject, and before it who acted for that (RFC 8693 section 4.1). Only the outermost may be decided by."""

    sub: str
    """Who."""
    sid: str
    """On which session; for a service, the one that stands as long as its credential does."""
    act: Actor | None = None
    """Who had acted before."""


def is_client(text: object) -> TypeGuard[str]:
    """Whether the text names a service: ``client:`` and its name."""
    return isinstance(text, str) and _CLIENT.fullmatch(text) is not None


def is_subject(text: object) -> TypeGuard[str]:
    """Whether the text may stand in ``sub``."""
    return is_id(text) or is_client(text)


def allows(subjects: Subjects, sub: str) -> bool:
    """Whether a subject of this kind is served."""
    return subjects == "both" or subjects == ("clients" if is_client(sub) else "users")


def read_actor(value: object, most: int = MAX_ACTORS) -> Actor | None:
    """An ``act`` claim; ``None`` for anything that is not exactly such a chain. Takes an object of either reader of JSON."""
    if not isinstance(value, dict) or most == 0:
        return None
    sub, sid = value.get("sub"), value.get("sid")
    if not is_subject(sub) or not is_id(sid):
        return None
    if "act" not in value:
        return Actor(sub, sid) if len(value) == 2 else None
    act = read_actor(value["act"], most - 1)
    return Actor(sub, sid, act) if act is not None and len(value) == 3 else None


def sessions_of(actor: Actor | None) -> Iterator[str]:
    """The sessions of everybody in the chain."""
    while actor is not None:
        yield actor.sid
        actor = actor.act
