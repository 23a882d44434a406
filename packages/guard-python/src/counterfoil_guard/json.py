"""JSON read strictly: an object whose member names are not unique is refused, at any depth (JWS-4, JWT-4, ATK-13).

``json.loads`` keeps the last of two members with one name and says nothing; two readers that disagree about which of two ``sub``
members counts are an authentication bypass. It also takes NaN, lone surrogates and any depth, and rounds numbers. All of that is refused
here; numbers keep their spelling, and names are compared after unescaping.
"""

from __future__ import annotations

import json
import re
from typing import NoReturn, TypeAlias, Union

MAX_DEPTH = 8
"""How deep objects and arrays may nest in what the guard reads."""


class JsonNumber:
    """A number as it was spelt; whoever wants a value decides what is allowed."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    @property
    def is_integer(self) -> bool:
        """Written without fraction and exponent. ``-0`` is not an integer here, as in the Rust guard."""
        return _INTEGER.fullmatch(self.text) is not None and self.text != "-0"


JsonObject: TypeAlias = "dict[str, Json]"
Json: TypeAlias = Union[None, bool, str, JsonNumber, "list[Json]", JsonObject]

_INTEGER = re.compile(r"-?[0-9]+")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_ESCAPED = re.compile(r'(?:[^\\]|\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4}))*', re.DOTALL)
_SURROGATE = re.compile(r"[\ud800-\udfff]")


class NotStrict(ValueError):
    """What was read is no strict JSON."""


def parse_strict(raw: bytes) -> Json:
    """The one JSON value in ``raw``, or :class:`NotStrict` when it is no strict JSON in UTF-8 (no BOM, ATK-15)."""
    try:
        text = raw.decode("utf-8")
        # A reader in pure Python takes "\\u1_23" too, and not every interpreter has the other one.
        if "\\u" in text and _ESCAPED.fullmatch(text) is None:
            raise NotStrict
        value: Json = _DECODER.decode(text)
        _check(value, 0)
        return value
    except (ValueError, RecursionError):
        raise NotStrict from None


def _members(pairs: list[tuple[str, Json]]) -> JsonObject:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise NotStrict
    return members


def _number(text: str) -> JsonNumber:
    # What no double can hold (1e400) is no number anybody means (ATK-22).
    if _NUMBER.fullmatch(text) is None or float(text) in (float("inf"), float("-inf")):
        raise NotStrict
    return JsonNumber(text)


def _constant(_text: str) -> NoReturn:
    raise NotStrict


_DECODER = json.JSONDecoder(object_pairs_hook=_members, parse_float=_number, parse_int=_number, parse_constant=_constant)


def _check(value: Json, depth: int) -> None:
    """What the decoder lets pass: depth, and surrogates that are no pair."""
    if isinstance(value, str):
        if _SURROGATE.search(value) is not None:
            raise NotStrict
    elif isinstance(value, (dict, list)):
        if depth >= MAX_DEPTH:
            raise NotStrict
        if isinstance(value, dict):
            for name in value:
                _check(name, depth)
        for inner in value.values() if isinstance(value, dict) else value:
            _check(inner, depth + 1)


def parse(raw: bytes) -> object:
    """Not the strict reader: for what comes from the authority, over a channel it has authenticated. ``None`` for what is no JSON."""
    try:
        value: object = json.loads(raw, parse_constant=_constant)
        return value
    except (ValueError, RecursionError):
        return None
