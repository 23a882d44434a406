"""T1: every check an access token must pass, in order, in one function."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from .base64url import decode
from .claims import Claims, Kind, read_claims
from .dpop import check_binding
from .encryption import DecryptionKeys
from .json import NotStrict, parse_strict
from .jwks import KeySet, VerifyingKey
from .jwt import MAX_TOKEN_BYTES, Header, check_size, decode_header, is_access_token, split
from .paseto import is_paseto, key_id_of, split_paseto, verifies_paseto
from .refusal import Refusal
from .subject import Subjects, allows

LEEWAY_SECONDS = 30
"""How far ``nbf`` and ``iat`` may lie in the future: clocks differ.

``exp`` gets no leeway, the authority's clock is carried in its feed.
"""

MAX_LIFETIME_SECONDS = 15 * 60
"""The longest life an access token may claim (``exp - iat``)."""

KeyFor = Callable[[str], "VerifyingKey | None"]
"""Finds a key by its ``kid``, or by its PASERK id."""


@dataclass(frozen=True)
class Verified:
    """A token whose signature is good, and the key that made it."""

    claims: Claims
    kid: str


@dataclass(frozen=True)
class Opened:
    """The signed token, and how it came. Nothing of it is believed yet."""

    token: str
    encrypted: bool


class Verifier:
    """Verifies the access tokens of one issuer for one audience, or for the few that one server answers for."""

    def __init__(
        self,
        issuer: str,
        audiences: Iterable[str],
        subjects: Subjects = "users",
        decryption_keys: DecryptionKeys | None = None,
    ) -> None:
        """For tokens of exactly this issuer (RFC 9068 section 4), meant for one of the audiences, of users only unless told otherwise.

        With keys it also opens tokens that are encrypted to one of them; those that are not encrypted still count.
        """
        self._issuer = issuer
        self._audiences = frozenset(audiences)
        self._subjects = subjects
        self._decryption_keys = decryption_keys

    def verify(self, token: str, keys: KeySet, now: float) -> Claims:
        """Believes the token or raises a :class:`Refusal`; one that is bound to a key needs a proof, and is refused here.

        Says nothing about revocation. ``now`` in milliseconds.
        """
        claims = self.verify_signed(token, keys.get).claims
        check_times(claims, now)
        check_binding(claims)
        return claims

    def verify_signed(self, token: str, key_for: KeyFor) -> Verified:
        """Shape, header, key, algorithm, signature, claims, issuer, audience and subject: all that does not depend on the time.

        What the token is, its beginning says, and either kind is verified whole and in its own way. ``key_for`` is asked only for tokens
        that say they are access tokens. Whether whoever presents it may do so is left to ``check_binding``.
        """
        opened = self.open(token)
        # What is encrypted is a JWT within (`cty`), and nothing else.
        paseto = is_paseto(opened.token) and not opened.encrypted
        verified = _read_paseto(opened.token, key_for) if paseto else _read_jwt(opened, key_for)
        self.check_parties(verified.claims)
        return verified

    def open(self, token: str) -> Opened:
        """The signed token: this one, or the one within it."""
        check_size(token)
        if self._decryption_keys is None or not self._decryption_keys.opens(token):
            return Opened(token, encrypted=False)
        return Opened(self._decryption_keys.decrypt(token), encrypted=True)

    def check_parties(self, claims: Claims) -> None:
        """Who made it, for whom and about whom."""
        if claims.iss != self._issuer:
            raise Refusal("wrong_issuer")
        if claims.aud not in self._audiences:
            raise Refusal("wrong_audience")
        if not allows(self._subjects, claims.sub):
            raise Refusal("wrong_subject")


def _read_jwt(opened: Opened, key_for: KeyFor) -> Verified:
    """JWT: shape, header, key, algorithm, signature, claims."""
    payload, kid = read_signed(opened.token, SignedKind(MAX_TOKEN_BYTES, is_access_token), key_for)
    return Verified(_claims_in(payload, Kind("numbers", opened.encrypted)), kid)


@dataclass(frozen=True)
class SignedKind:
    """What a kind of JWT is like."""

    most: int
    is_of_type: Callable[[Header], bool]


def read_signed(token: str, kind: SignedKind, key_for: KeyFor) -> tuple[bytes | None, str]:
    """The payload of a JWT of this kind, ``None`` where it is no base64url, and the name of the key that signed it."""
    header_part, payload_part, signature_part = split(token, kind.most)
    header = decode_header(header_part)
    if not kind.is_of_type(header):
        raise Refusal("wrong_type")
    key = key_for(header.kid)
    if key is None:
        raise Refusal("unknown_key")
    if header.alg != key.algorithm:
        raise Refusal("wrong_algorithm")
    signature = decode(signature_part)
    if signature is None:
        raise Refusal("malformed")
    if not key.verifies(signature, f"{header_part}.{payload_part}".encode("ascii")):
        raise Refusal("bad_signature")
    # Only now is the payload worth reading (JWS-5.2, ASVS-9.1.1).
    return decode(payload_part), key.kid


def _read_paseto(token: str, key_for: KeyFor) -> Verified:
    """PASETO v4.public: shape, key, signature, claims."""
    parts = split_paseto(token)
    key = key_for(key_id_of(parts))
    if key is None:
        raise Refusal("unknown_key")
    if not verifies_paseto(parts, key):
        raise Refusal("bad_signature")
    return Verified(_claims_in(parts.message, Kind("texts", encrypted=False)), key.kid)


def _claims_in(raw: bytes | None, kind: Kind) -> Claims:
    if raw is None:
        raise Refusal("malformed")
    try:
        payload = parse_strict(raw)
    except NotStrict:
        raise Refusal("malformed") from None
    claims = read_claims(payload, kind)
    if claims is None:
        raise Refusal("bad_claim")
    return claims


def check_times(claims: Claims, now: float) -> None:
    """The checks that a cached token must pass again on every use. ``now`` in milliseconds."""
    seconds = math.floor(now / 1000)
    if claims.iat < 0 or claims.exp <= claims.iat:
        raise Refusal("bad_claim")
    if claims.exp - claims.iat > MAX_LIFETIME_SECONDS:
        raise Refusal("lives_too_long")
    latest_start = seconds + LEEWAY_SECONDS
    if claims.iat > latest_start or (claims.nbf is not None and claims.nbf > latest_start):
        raise Refusal("not_yet_valid")
    if seconds >= claims.exp:
        raise Refusal("expired")
