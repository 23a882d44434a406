"""The guard's settings, checked when it is made: a mistake stops the start, not a request at night."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args
from urllib.parse import SplitResult, urlsplit

from .clock import Clock
from .cross_site import Origins
from .encryption import DecryptionKeys
from .events import OnEvent, log_event, shielded
from .subject import Subjects
from .transport import Transport

Mode = Literal["pushed", "introspect", "status-list"]
"""``pushed`` judges from a copy of the revocation log; ``introspect`` asks about every token, every time; ``status-list`` goes by the
authority's status lists, fetched when they are needed: late by the ``ttl`` of the list, and without a credential."""

OnLeaseEnd = Literal["refuse", "introspect"]
"""What is done when the copy may no longer be trusted: ``refuse`` everything, or ask. Nothing accepts."""


@dataclass(frozen=True)
class Settings:
    """All of them, checked."""

    issuer: str
    audiences: tuple[str, ...]
    base: str
    """Where this process reaches the authority, without a slash at the end."""
    credential: str = field(repr=False)
    """Empty where there is none."""
    mode: Mode
    on_lease_end: OnLeaseEnd
    origins: Origins
    at: str
    subjects: Subjects
    decryption_keys: DecryptionKeys
    cache_size: int
    on_event: OnEvent
    clock: Clock
    transport: Transport | None
    """``None``: each guard makes its own."""


_LOOPBACK = re.compile(r"localhost|127(?:\.[0-9]{1,3}){3}|::1")
_VISIBLE = re.compile(r"[\x21-\x7e]+")
_DEFAULT_PORTS = {"https": 443, "http": 80}


def settings_of(
    *,
    issuer: str,
    audience: str | Iterable[str],
    credential: str | None,
    authority: str | None,
    mode: Mode,
    on_lease_end: OnLeaseEnd,
    own_origins: Iterable[str] | None,
    listed_origins: Iterable[str],
    at: str | None,
    subjects: Subjects,
    decryption_keys: Iterable[Mapping[str, object]],
    cache_size: int,
    on_event: OnEvent | None,
    clock: Clock,
    transport: Transport | None,
) -> Settings:
    """Checks them, and raises a ``ValueError`` that says which is wrong and what is allowed."""
    audiences = (audience,) if isinstance(audience, str) else tuple(audience)
    own = _origin_of(_url("issuer", issuer))
    if not audiences or "" in audiences:
        raise ValueError("audience must not be empty")
    _one_of("mode", mode, get_args(Mode))
    _one_of("on_lease_end", on_lease_end, get_args(OnLeaseEnd))
    _one_of("subjects", subjects, get_args(Subjects))
    if credential is None and mode != "status-list":
        raise ValueError('credential is needed, but in mode "status-list"')
    if credential is not None and _VISIBLE.fullmatch(credential) is None:
        raise ValueError("credential must be printable, without spaces")
    if type(cache_size) is not int or cache_size < 1:
        raise ValueError("cache_size must be a positive number")
    return Settings(
        issuer=issuer,
        audiences=audiences,
        base=_base("authority", issuer if authority is None else authority),
        credential=credential or "",
        mode=mode,
        on_lease_end=on_lease_end,
        origins=Origins((own,) if own_origins is None else own_origins, listed_origins),
        at=own if at is None else _origin("at", at),
        subjects=subjects,
        decryption_keys=DecryptionKeys.from_jwks(decryption_keys),
        cache_size=cache_size,
        on_event=shielded(log_event if on_event is None else on_event),
        clock=clock,
        transport=transport,
    )


def _one_of(name: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise ValueError(f"{name} must be one of {', '.join(allowed)}")


def _url(name: str, text: str) -> SplitResult:
    """An http URL of visible ASCII: what could be read in two ways is none."""
    wrong = ValueError(f"{name} must be a URL, such as https://auth.example.com")
    if _VISIBLE.fullmatch(text) is None or "\\" in text:
        raise wrong
    try:
        url = urlsplit(text)
        # Looked at here, since it is only then that a wrong one is noticed.
        usable = url.scheme in _DEFAULT_PORTS and url.hostname and url.port != 0
    except ValueError:
        raise wrong from None
    if not usable:
        raise wrong
    return url


def _origin_of(url: SplitResult) -> str:
    host = url.hostname or ""
    named = f"[{host}]" if ":" in host else host
    return f"{url.scheme}://{named}" + ("" if url.port in (None, _DEFAULT_PORTS[url.scheme]) else f":{url.port}")


def _origin(name: str, text: str) -> str:
    url = _url(name, text)
    if "@" in url.netloc or url.path not in ("", "/") or "?" in text or "#" in text:
        raise ValueError(f"{name} must be an origin: scheme, host and port")
    return _origin_of(url)


def _base(name: str, text: str) -> str:
    url = _url(name, text)
    # The credential goes there, and the keys come from there.
    if url.scheme != "https" and _LOOPBACK.fullmatch(url.hostname or "") is None:
        raise ValueError(f"{name} must be https (http only to loopback)")
    if "@" in url.netloc or "?" in text or "#" in text:
        raise ValueError(f"{name} must have no user, query or fragment")
    return _origin_of(url) + url.path.rstrip("/").removesuffix("/api/revocations")
