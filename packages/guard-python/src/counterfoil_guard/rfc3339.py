"""The one spelling of a time that the claims of a PASETO have here: ``2026-11-21T08:00:00Z`` (RFC 3339, PAS-5)."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

_TIME = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})Z")
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_SECONDS_OF_400_YEARS = 146_097 * 86_400


def parse_time(text: str) -> int | None:
    """Seconds since the epoch; ``None`` for a fraction, another offset, lower case, or a time that no calendar and no clock has."""
    found = _TIME.fullmatch(text)
    if found is None:
        return None
    year, month, day, hour, minute, second = (int(digits) for digits in found.groups())
    try:
        # The calendar repeats every 400 years. `datetime` begins with the year 1.
        moment = datetime(year or 400, month, day, hour, minute, second, tzinfo=timezone.utc)
    except ValueError:
        return None
    seconds = (moment - _EPOCH) // timedelta(seconds=1)
    return seconds if year else seconds - _SECONDS_OF_400_YEARS
