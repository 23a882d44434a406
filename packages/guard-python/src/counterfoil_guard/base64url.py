"""base64url without padding, canonical only: one byte string has exactly one spelling (RFC 4648 section 3.5).

A lenient decoder would turn one token into many strings, and break whatever is keyed on them (ATK-17). Python's own decoders
skip what they do not know, so the text is looked at first.
"""

from __future__ import annotations

import binascii
import re

# By the length modulo 4: of the last letter, the bits that stand for no byte must be zero; one letter alone stands for none.
_CANONICAL = (
    re.compile(r"[A-Za-z0-9_-]*"),
    re.compile(r"(?!)"),
    re.compile(r"[A-Za-z0-9_-]*[AQgw]"),
    re.compile(r"[A-Za-z0-9_-]*[AEIMQUYcgkosw048]"),
)
_PADDING = ("", "", "==", "=")
_TO_BASE64 = str.maketrans("-_", "+/")
_FROM_BASE64 = bytes.maketrans(b"+/", b"-_")


def encode(raw: bytes) -> str:
    """Encodes without padding."""
    return binascii.b2a_base64(raw, newline=False).translate(_FROM_BASE64).rstrip(b"=").decode("ascii")


def decode(text: str) -> bytes | None:
    """Decodes; ``None`` for padding, white space, another alphabet, an impossible length or non-zero trailing bits."""
    kind = len(text) % 4
    if _CANONICAL[kind].fullmatch(text) is None:
        return None
    return binascii.a2b_base64(text.translate(_TO_BASE64) + _PADDING[kind])
