"""PASETO v4.public (paseto-standard, version 4): what is signed, by Ed25519, and how it is written.

There is no header to be believed: the purpose is the caller's, and whatever does not begin with ``v4.public.`` is no token of this kind
(PAS-2).
"""

from __future__ import annotations

from dataclasses import dataclass

from .base64url import decode
from .id import is_paserk_id
from .json import NotStrict, parse_strict
from .jwks import SIGNATURE_BYTES, VerifyingKey
from .refusal import Refusal

_HEADER = "v4.public."


@dataclass(frozen=True)
class Message:
    """A token taken apart; nothing of it is believed yet."""

    message: bytes
    """What was signed for whoever reads it: the claims."""
    footer: bytes
    """Signed too, read before the signature is checked, and only to find the key (PAS-6). Empty when the token has none."""
    signature: bytes


def is_paseto(token: str) -> bool:
    """Whether a token's beginning says that it is one of these."""
    return token.startswith(_HEADER)


def split_paseto(token: str) -> Message:
    """Takes a token apart: header, payload and perhaps a footer, each in canonical base64url."""
    if not is_paseto(token):
        raise Refusal("malformed")
    payload, dot, footer = token[len(_HEADER) :].partition(".")
    raw, about = decode(payload), decode(footer)
    if raw is None or about is None or (dot and not footer) or len(raw) <= SIGNATURE_BYTES:
        raise Refusal("malformed")
    return Message(message=raw[:-SIGNATURE_BYTES], signature=raw[-SIGNATURE_BYTES:], footer=about)


def key_id_of(message: Message) -> str:
    """The name of the key in the footer, which holds nothing else."""
    try:
        members = parse_strict(message.footer)
    except NotStrict:
        raise Refusal("malformed") from None
    # Well-formed JSON that is not ours is told apart from rubbish, for the log only.
    kid = members.get("kid") if isinstance(members, dict) and len(members) == 1 else None
    if not isinstance(kid, str):
        raise Refusal("header_not_allowed")
    if not is_paserk_id(kid):
        raise Refusal("unknown_key")
    return kid


def verifies_paseto(message: Message, key: VerifyingKey, implicit_assertion: bytes = b"") -> bool:
    """Whether the signature is this key's. The key must be one for Ed25519 (PAS-1)."""
    if key.algorithm == "ES256":
        return False
    pieces = (_HEADER.encode(), message.message, message.footer, implicit_assertion)
    return key.verifies(message.signature, _signing_input(pieces))


def _signing_input(pieces: tuple[bytes, ...]) -> bytes:
    """What is signed: each piece with its length before it (PAS-3), so that none can be taken for a part of another."""
    return _length(len(pieces)) + b"".join(_length(len(piece)) + piece for piece in pieces)


def _length(of: int) -> bytes:
    """Little-endian. The highest bit, which must be clear, is: nothing here is that long."""
    return of.to_bytes(8, "little")
