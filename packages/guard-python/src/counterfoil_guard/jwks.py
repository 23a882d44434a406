"""The key set of one issuer: ``kid`` to key, each bound to exactly one algorithm (JWT-BCP-3.1c)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias, TypeGuard, Union, get_args

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePublicKey, EllipticCurvePublicNumbers
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from .base64url import decode
from .id import is_kid, is_paserk_id
from .json import Json, JsonObject, NotStrict, parse_strict

_MAX_KEYS = 64
"""How many keys a set may have."""

SIGNATURE_BYTES = 64
"""Of every algorithm here."""

Algorithm = Literal["EdDSA", "Ed25519", "ES256"]
"""A signature algorithm by the name it has in ``alg``.

RFC 9864 gave Ed25519 its own name beside the older ``EdDSA``; a key is bound to one of the two names.
"""

ALGORITHMS: tuple[Algorithm, ...] = get_args(Algorithm)
"""All of them."""

PublicKey: TypeAlias = Union[Ed25519PublicKey, EllipticCurvePublicKey]


def is_algorithm(text: object) -> TypeGuard[Algorithm]:
    """Whether the text names one."""
    return text in ALGORITHMS


@dataclass(frozen=True)
class VerifyingKey:
    """A public key that verifies, imported once."""

    kid: str
    """What a revocation of it names, however a token has named it."""
    algorithm: Algorithm
    public: PublicKey

    def verifies(self, signature: bytes, message: bytes) -> bool:
        """Whether this key has made the signature."""
        return verifies(self.public, signature, message)


KeySetFault = Literal["malformed", "too_many_keys", "private_key", "duplicate_kid"]
"""Why a key set document was refused as a whole."""


class KeySetError(Exception):
    """A key set document that was refused."""

    def __init__(self, fault: KeySetFault) -> None:
        super().__init__(f"key set refused: {fault}")
        self.fault: KeySetFault = fault


class KeySet:
    """The verifying keys of one issuer."""

    def __init__(self, keys: Mapping[str, VerifyingKey], paserk: Mapping[str, VerifyingKey]) -> None:
        """See :meth:`from_jwks`."""
        self._keys = keys
        self._paserk = paserk

    def get(self, name: str) -> VerifyingKey | None:
        """The key with this name: its ``kid``, or the name that a key for Ed25519 has in PASETO. No text is both."""
        return self._keys.get(name) or self._paserk.get(name)

    def kids(self) -> list[str]:
        """The names of the keys."""
        return list(self._keys)

    @classmethod
    def from_jwks(cls, document: bytes | str) -> KeySet:
        """Reads a JWK Set (RFC 7517 section 5).

        Keys of a kind not known here are skipped; so is a key without ``kid`` or ``alg``, and one not meant for verifying signatures
        (JWK-4.2).
        """
        raw_keys = [_read_key(entry) for entry in _entries(document)]
        if len(raw_keys) > _MAX_KEYS:
            raise KeySetError("too_many_keys")
        found: dict[str, VerifyingKey] = {}
        paserk: dict[str, VerifyingKey] = {}
        for raw in raw_keys:
            if raw.secret:
                raise KeySetError("private_key")
            usable = _usable_key(raw)
            if usable is None:
                continue
            kid, algorithm, paserk_id = usable
            if kid in found or (paserk_id is not None and paserk_id in paserk):
                raise KeySetError("duplicate_kid")
            public = public_key(algorithm, raw)
            # A point that is not on the curve is no key.
            if public is None:
                continue
            found[kid] = VerifyingKey(kid, algorithm, public)
            if paserk_id is not None:
                paserk[paserk_id] = found[kid]
        return cls(found, paserk)


def _entries(document: bytes | str) -> list[Json]:
    try:
        jwks = parse_strict(document.encode() if isinstance(document, str) else document)
    except NotStrict:
        raise KeySetError("malformed") from None
    entries = jwks.get("keys") if isinstance(jwks, dict) else None
    if not isinstance(entries, list):
        raise KeySetError("malformed")
    return entries


@dataclass(frozen=True)
class RawKey:
    """The members of a JWK that matter."""

    kty: str
    crv: str | None
    x: str | None
    y: str | None
    kid: str | None = None
    alg: str | None = None
    use: str | None = None
    paserk_id: str | None = None
    operations: tuple[str, ...] | None = None
    secret: bool = False
    """A private or symmetric key stands in a public document."""


def _read_key(entry: Json) -> RawKey:
    """The members that matter, each of its kind or absent (``null`` counts as absent); anything else spoils the document."""
    if not isinstance(entry, dict):
        raise KeySetError("malformed")
    kty = _text_of(entry, "kty")
    if kty is None:
        raise KeySetError("malformed")
    return RawKey(
        kty=kty,
        crv=_text_of(entry, "crv"),
        x=_text_of(entry, "x"),
        y=_text_of(entry, "y"),
        kid=_text_of(entry, "kid"),
        alg=_text_of(entry, "alg"),
        use=_text_of(entry, "use"),
        paserk_id=_text_of(entry, "paserk_id"),
        operations=_operations_of(entry),
        secret=entry.get("d") is not None or entry.get("k") is not None,
    )


def _text_of(entry: JsonObject, name: str) -> str | None:
    value = entry.get(name)
    if value is not None and not isinstance(value, str):
        raise KeySetError("malformed")
    return value


def _operations_of(entry: JsonObject) -> tuple[str, ...] | None:
    value = entry.get("key_ops")
    if value is None:
        return None
    if not isinstance(value, list):
        raise KeySetError("malformed")
    operations = tuple(operation for operation in value if isinstance(operation, str))
    if len(operations) != len(value):
        raise KeySetError("malformed")
    return operations


def _usable_key(raw: RawKey) -> tuple[str, Algorithm, str | None] | None:
    """Name, algorithm and perhaps PASERK id of a key that is meant to verify signatures and could."""
    for_signatures = raw.use is None or raw.use == "sig"
    may_verify = raw.operations is None or "verify" in raw.operations
    if not for_signatures or not may_verify or not is_kid(raw.kid) or not is_algorithm(raw.alg) or not fits(raw.alg, raw):
        return None
    return raw.kid, raw.alg, raw.paserk_id if raw.alg != "ES256" and is_paserk_id(raw.paserk_id) else None


def fits(algorithm: Algorithm, raw: RawKey) -> bool:
    """Whether these members say a key for this algorithm, and not one that verifies what nobody has signed."""
    point = _coordinate(raw.x)
    if point is None:
        return False
    if algorithm == "ES256":
        return raw.kty == "EC" and raw.crv == "P-256" and _coordinate(raw.y) is not None
    return raw.kty == "OKP" and raw.crv == "Ed25519" and _is_canonical(point) and not has_small_order(point)


def public_key(algorithm: Algorithm, raw: RawKey) -> PublicKey | None:
    """The key that these members say; ``None`` where they do not fit, or for a point that is not on the curve."""
    x, y = _coordinate(raw.x), _coordinate(raw.y)
    if x is None or not fits(algorithm, raw):
        return None
    try:
        if algorithm != "ES256":
            return Ed25519PublicKey.from_public_bytes(x)
        return EllipticCurvePublicNumbers(int.from_bytes(x, "big"), int.from_bytes(y or b"", "big"), SECP256R1()).public_key()
    except ValueError:
        return None


def verifies(public: PublicKey, signature: bytes, message: bytes) -> bool:
    """Whether this key has made the signature: 64 bytes, R of no small order, and then what the library says."""
    if len(signature) != SIGNATURE_BYTES:
        return False
    try:
        if isinstance(public, EllipticCurvePublicKey):
            r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
            public.verify(encode_dss_signature(r, s), message, ECDSA(SHA256()))
            return True
        if has_small_order(signature):
            return False
        public.verify(signature, message)
        return True
    except InvalidSignature:
        return False


def _coordinate(text: str | None) -> bytes | None:
    """32 bytes in canonical base64url."""
    raw = None if text is None else decode(text)
    return raw if raw is not None and len(raw) == 32 else None


_FIELD = 2**255 - 19


def _is_canonical(point: bytes) -> bool:
    """Whether y is spelt in the one canonical way: below 2^255 - 19.

    OpenSSL takes the few other spellings, the Rust guard's library does not; one rule for all verifiers (ATK-07).
    """
    return int.from_bytes(point, "little") & (2**255 - 1) < _FIELD


# y of the points whose order divides the cofactor: 0, 1, -1 (also as p, p + 1, p - 1), and those of order 8.
_SMALL_ORDER = frozenset(
    bytes.fromhex(y)
    for y in (
        "00" * 32,
        "01" + "00" * 31,
        *(lowest + "ff" * 30 + "7f" for lowest in ("ec", "ed", "ee")),
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    )
)


def has_small_order(raw: bytes) -> bool:
    """Whether these bytes begin with a point of small order, in any of its 14 spellings.

    As a key it verifies signatures nobody made, as R it comes from nobody honest.
    """
    return raw[:31] + bytes([raw[31] & 0x7F]) in _SMALL_ORDER
