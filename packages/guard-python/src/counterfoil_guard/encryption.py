"""Encrypted tokens: a signed JWT within a JWE, for audiences that have given the authority a key (RFC 7516, ECDH-ES with A256GCM).

Encryption proves nothing: anybody can encrypt to a public key. What is found inside is a token like any other, and verified whole.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, Union

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDH,
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicNumbers,
    derive_private_key,
)
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.concatkdf import ConcatKDFHash

from .base64url import decode
from .id import is_kid
from .json import JsonObject, NotStrict, parse_strict
from .jwt import check_size
from .refusal import Refusal

_IV_BYTES = 12
# A shorter tag would be easier to guess (ATK-20).
_TAG_BYTES = 16
_KEY_BYTES = 32
_CURVES: dict[str, str] = {"OKP": "X25519", "EC": "P-256"}
# What a header must say, and beside it only `epk` and `kid`: nothing is unpacked, derived or fetched (`zip`, `p2c`, `jku`).
_SAID = {"alg": "ECDH-ES", "enc": "A256GCM", "cty": "JWT"}
_SIGNED = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")

_PrivateKey: TypeAlias = Union[X25519PrivateKey, EllipticCurvePrivateKey]


@dataclass(frozen=True)
class _DecryptionKey:
    """A private key that opens tokens encrypted to its public half."""

    kty: Literal["OKP", "EC"]
    private: _PrivateKey = field(repr=False)


class DecryptionKeys:
    """The private keys of this server, by name."""

    def __init__(self, keys: Mapping[str, _DecryptionKey]) -> None:
        """See :meth:`from_jwks`."""
        self._keys = keys

    @classmethod
    def from_jwks(cls, jwks: Iterable[Mapping[str, object]]) -> DecryptionKeys:
        """From private JWKs for X25519 or P-256, each with a ``kid`` of its own. ``ValueError`` for any other."""
        keys: dict[str, _DecryptionKey] = {}
        for jwk in jwks:
            kid, key = jwk.get("kid"), _read_key(jwk)
            # Not with the key in the message: it would end in a log.
            if key is None or not is_kid(kid):
                raise ValueError("a decryption key must be a private JWK for X25519 or P-256, with a kid")
            if kid in keys:
                raise ValueError("two decryption keys have one kid")
            keys[kid] = key
        return cls(keys)

    def opens(self, token: str) -> bool:
        """Whether a token is to be opened before it is read: it has the parts of an encrypted one, and there is a key at all."""
        return bool(self._keys) and token.count(".") == 4

    def decrypt(self, token: str) -> str:
        """The signed token within an encrypted one. Which of the keys opens it, the header says; that is a look-up, nothing else."""
        check_size(token)
        if token.count(".") != 4:
            raise Refusal("malformed")
        header_part, key_part, *others = token.split(".")
        header = decode(header_part)
        iv, sealed, tag = map(decode, others)
        # The key is agreed on, so none is sent.
        if not header or key_part or not iv or not sealed or not tag:
            raise Refusal("malformed")
        kid, epk = _read_header(header)
        key = self._keys.get(kid) if is_kid(kid) else None
        if key is None:
            raise Refusal("unknown_key")
        # From here on there is one refusal, whatever is wrong (JWE-11.5).
        secret = _agreed(key, epk)
        if secret is None or len(iv) != _IV_BYTES or len(tag) != _TAG_BYTES:
            raise Refusal("not_decryptable")
        inner = _plaintext(secret, iv, sealed + tag, header_part.encode("ascii"))
        # Signed, then encrypted, once each (JWT-11.2, ATK-19).
        if _SIGNED.fullmatch(inner) is None:
            raise Refusal("malformed")
        return inner


def _read_key(jwk: Mapping[str, object]) -> _DecryptionKey | None:
    kty, crv, y = jwk.get("kty"), jwk.get("crv"), jwk.get("y")
    x, d = _coordinate(jwk.get("x")), _coordinate(jwk.get("d"))
    if jwk.get("alg", _SAID["alg"]) != _SAID["alg"] or jwk.get("use", "enc") != "enc" or x is None or d is None:
        return None
    try:
        if kty == "OKP" and crv == _CURVES["OKP"] and y is None:
            okp = X25519PrivateKey.from_private_bytes(d)
            return _DecryptionKey("OKP", okp) if hmac.compare_digest(okp.public_key().public_bytes_raw(), x) else None
        if kty == "EC" and crv == _CURVES["EC"]:
            ec = derive_private_key(int.from_bytes(d, "big"), SECP256R1())
            own = ec.public_key().public_numbers()
            halves = own.x.to_bytes(_KEY_BYTES, "big"), own.y.to_bytes(_KEY_BYTES, "big")
            return _DecryptionKey("EC", ec) if halves == (x, _coordinate(y)) else None
    except ValueError:
        # The number is none of that curve.
        return None
    return None


def _coordinate(text: object) -> bytes | None:
    """32 bytes in canonical base64url."""
    raw = decode(text) if isinstance(text, str) else None
    return raw if raw is not None and len(raw) == _KEY_BYTES else None


def _read_header(raw: bytes) -> tuple[str, JsonObject]:
    """The name of the key, and the sender's."""
    try:
        header = parse_strict(raw)
    except NotStrict:
        raise Refusal("malformed") from None
    if not isinstance(header, dict) or len(header) != 5 or any(header.get(name) != value for name, value in _SAID.items()):
        raise Refusal("header_not_allowed")
    kid, epk = header.get("kid"), header.get("epk")
    if not isinstance(kid, str) or not isinstance(epk, dict) or not _is_point(epk):
        raise Refusal("header_not_allowed")
    return kid, epk


def _is_point(epk: JsonObject) -> bool:
    """Whether these are the members of a public key and no others."""
    names = {"kty", "crv", "x", "y"} if "y" in epk else {"kty", "crv", "x"}
    return set(epk) == names and all(isinstance(value, str) for value in epk.values())


def _agreed(key: _DecryptionKey, epk: JsonObject) -> bytes | None:
    """What both sides know; ``None`` unless the sender's key is one for the same curve, and on it."""
    x, y = _coordinate(epk.get("x")), _coordinate(epk.get("y"))
    if epk.get("kty") != key.kty or epk.get("crv") != _CURVES[key.kty] or x is None:
        return None
    try:
        if isinstance(key.private, X25519PrivateKey):
            return None if "y" in epk else key.private.exchange(X25519PublicKey.from_public_bytes(x))
        if y is None:
            return None
        point = EllipticCurvePublicNumbers(int.from_bytes(x, "big"), int.from_bytes(y, "big"), SECP256R1())
        return key.private.exchange(ECDH(), point.public_key())
    except ValueError:
        return None


def _plaintext(secret: bytes, iv: bytes, sealed: bytes, header: bytes) -> str:
    """Opens what was sealed under the key that follows from ``secret`` (RFC 7518 section 4.6.2, without `apu` and `apv`)."""
    name = _SAID["enc"].encode()
    about = len(name).to_bytes(4, "big") + name + bytes(8) + (_KEY_BYTES * 8).to_bytes(4, "big")
    key = ConcatKDFHash(SHA256(), _KEY_BYTES, about).derive(secret)
    try:
        return AESGCM(key).decrypt(iv, sealed, header).decode("latin-1")
    except InvalidTag:
        raise Refusal("not_decryptable") from None
