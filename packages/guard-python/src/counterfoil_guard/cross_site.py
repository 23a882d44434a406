"""C1: no cross-site or cross-origin request with side effects succeeds on the strength of a cookie.

Two independent locks: where the request comes from (Fetch Metadata, or ``Origin``), and a header that no form and no simple
cross-origin request can set (FM-2, FM-3, BBA-6.1.3.3b, CSRF-2).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Provenance:
    """What a request says about where it comes from."""

    fetch_site: str | None
    """``Sec-Fetch-Site``; an unknown value counts as absent (FM-1)."""
    origin: str | None
    """``Origin``."""
    custom_header: bool
    """Whether ``X-Requested-With`` is there, with whatever value."""


class Origins:
    """The origins from which requests may come: this server's own, and listed ones of the same site."""

    def __init__(self, own: Iterable[str], listed: Iterable[str] = ()) -> None:
        """Exact strings: scheme, host and port, nothing more (CSRF-5)."""
        self._own = frozenset(own)
        self._listed = frozenset(listed)

    def permit(self, request: Provenance) -> bool:
        """Whether a request with side effects that rests on a cookie may pass."""
        return request.custom_header and self._comes_from_us(request) is True

    def permit_socket(self, request: Provenance) -> bool:
        """Whether a WebSocket that rests on a cookie may open.

        Browsers cannot set a header there, but always say ``Origin``; without this, any page could hold a conversation in the user's
        name (ASVS-4.4.2).
        """
        return request.origin is not None and self._comes_from_us(request) is True

    def _comes_from_us(self, request: Provenance) -> bool | None:
        """``None``: neither header is there. If both are, neither may be wrong."""
        origin = request.origin
        by_origin = None if origin is None else origin in self._own or origin in self._listed
        if request.fetch_site == "same-origin":
            return True if by_origin is None else by_origin
        if request.fetch_site == "same-site":
            # A sibling host is another origin: only if it is listed.
            return origin is not None and origin in self._listed
        if request.fetch_site in ("cross-site", "none"):
            return False
        return by_origin
