"""Tokens verified a moment ago, so that the signature is checked once per token and not once per request."""

from __future__ import annotations

import threading
from hashlib import sha256
from typing import Generic, TypeVar

T = TypeVar("T")


class VerifiedTokens(Generic[T]):
    """A bounded set of verified tokens with what was learnt of each.

    Two generations: when the younger is full it becomes the older, and the older is dropped. A token in use moves up. Memory is
    bounded by ``2 * capacity`` entries; nothing is scanned. The caller must check times and revocation on every use: a hit says that
    the signature was good, not that the token still is.

    The map is keyed by the SHA-256 of the token: how long a look-up takes says nothing about a token nobody has shown yet, and the
    cache holds no token that could leak from it.
    """

    def __init__(self, capacity: int) -> None:
        """For at most ``2 * capacity`` tokens."""
        self._capacity = max(1, capacity)
        self._young: dict[bytes, T] = {}
        self._old: dict[bytes, T] = {}
        self._epoch = 0
        self._lock = threading.Lock()

    @property
    def epoch(self) -> int:
        """How often everything has been forgotten. Read it before verifying, and hand it to :meth:`insert`."""
        return self._epoch

    def get(self, token: str) -> T | None:
        """What was learnt of this token when it was verified."""
        key = _digest(token)
        found = self._young.get(key)
        if found is not None:
            return found
        with self._lock:
            found = self._old.pop(key, None)
            if found is not None:
                self._put(key, found)
        return found

    def insert(self, token: str, value: T, epoch: int) -> None:
        """Remembers a token whose signature has just been verified; not if everything was forgotten since ``epoch``, for a reason."""
        with self._lock:
            if epoch == self._epoch:
                self._put(_digest(token), value)

    def clear(self) -> None:
        """Forgets everything, as when the key set has changed."""
        with self._lock:
            self._young, self._old = {}, {}
            self._epoch += 1

    def __len__(self) -> int:
        return len(self._young) + len(self._old)

    def _put(self, key: bytes, value: T) -> None:
        if len(self._young) >= self._capacity and key not in self._young:
            self._old = self._young
            self._young = {}
        self._young[key] = value


def _digest(token: str) -> bytes:
    return sha256(token.encode("utf-8", "surrogatepass")).digest()
