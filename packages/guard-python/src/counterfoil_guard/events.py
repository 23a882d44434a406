"""What happens on the wire, for logs. Never holds a token or a credential."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Union

_log = logging.getLogger("counterfoil_guard")


@dataclass(frozen=True)
class PollFailed:
    """The authority was asked for revocations, and there was no answer of any use."""

    status: int | None


@dataclass(frozen=True)
class KeysFailed:
    """The key set could not be had."""

    status: int | None


@dataclass(frozen=True)
class KeysLoaded:
    """There is a new key set, with keys of these names."""

    kids: tuple[str, ...]


@dataclass(frozen=True)
class ListFailed:
    """A status list could not be had, or is none."""

    uri: str
    status: int | None
    reason: str | None


ClientEvent = Union[PollFailed, KeysFailed, KeysLoaded, ListFailed]
OnEvent = Callable[[ClientEvent], None]


def log_event(event: ClientEvent) -> None:
    """What is done with events unless something else is asked for."""
    _log.log(logging.INFO if isinstance(event, KeysLoaded) else logging.WARNING, "%s", event)


def shielded(report: OnEvent) -> OnEvent:
    """A log that fails does not end the following of the feed."""

    def call(event: ClientEvent) -> None:
        try:
            report(event)
        except Exception:
            _log.exception("on_event has failed")

    return call
