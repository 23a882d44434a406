"""What has been revoked and may still be presented: a small index, because no access token outlives 15 minutes.

One thread writes, any number read. An entry stands in its map before the head moves; whoever reads reads the head first. So what was
checked at a head has been checked against everything up to it.
"""

from __future__ import annotations

from .claims import Claims
from .refusal import Refusal
from .subject import sessions_of


class RevocationIndex:
    """The revocations in force. Entries are only added, and dropped when no token they hit can be alive. Times in milliseconds."""

    def __init__(self) -> None:
        self._head = 0
        self._sessions: dict[str, int] = {}
        self._tokens: dict[str, int] = {}
        self._stale: dict[str, tuple[int, int]] = {}
        self._keys: set[str] = set()

    @property
    def head(self) -> int:
        """Grows whenever something new has come in: what was checked at this head needs no second look.

        A count of this guard's own, because the feed's cursor is opaque.
        """
        return self._head

    def add_session(self, sid: str, until: int) -> None:
        """Every token of a session. Repeating an entry changes nothing; order does not matter."""
        self._later(self._sessions, sid, until)

    def add_token(self, jti: str, until: int) -> None:
        """One access token."""
        self._later(self._tokens, jti, until)

    def add_key(self, kid: str) -> None:
        """Every token that a key has signed; for ever."""
        if kid not in self._keys:
            self._keys.add(kid)
            self._head += 1

    def add_stale(self, sid: str, least: int, until: int) -> None:
        """Tokens of a session whose claims version is lower than ``least`` carry outdated roles: a refresh gets a right one.

        A version and not a time, because ``iat`` has whole seconds and several clocks.
        """
        known = self._stale.get(sid)
        self._stale[sid] = (least, until) if known is None else (max(known[0], least), max(known[1], until))
        if known is None or least > known[0]:
            self._head += 1

    def check(self, claims: Claims, kid: str | None) -> None:
        """Refuses what has been revoked: the token, its session or that of whoever acts, or the key that signed it."""
        if claims.sid in self._sessions or claims.jti in self._tokens:
            raise Refusal("revoked")
        # All of the chain must be in good standing. Roles are the subject's alone: an actor's being outdated says nothing here.
        if any(sid in self._sessions for sid in sessions_of(claims.act)):
            raise Refusal("revoked")
        stale = self._stale.get(claims.sid)
        if stale is not None and claims.cv < stale[0]:
            raise Refusal("stale")
        if kid is not None and kid in self._keys:
            raise Refusal("key_revoked")

    def forget_before(self, now: float) -> None:
        """Drops entries past which no token they hit can be alive. A key entry never leaves."""
        for entries in (self._sessions, self._tokens):
            for name in [name for name, until in entries.items() if until <= now]:
                del entries[name]
        for sid in [sid for sid, (_, until) in self._stale.items() if until <= now]:
            del self._stale[sid]

    def __len__(self) -> int:
        """How many entries are in force."""
        return len(self._sessions) + len(self._tokens) + len(self._stale) + len(self._keys)

    def _later(self, entries: dict[str, int], name: str, until: int) -> None:
        known = entries.get(name)
        if known is None or until > known:
            entries[name] = until
        if known is None:
            self._head += 1
