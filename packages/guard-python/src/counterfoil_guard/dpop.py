"""Proofs of possession (RFC 9449): a request shows that it comes from whoever holds the key a token is bound to.

A proof counts for one method and one address, for a minute, and once.
"""

from __future__ import annotations

import hmac
import math
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256

from .base64url import decode, encode
from .claims import Claims
from .forking import begin_anew_after_fork
from .json import Json, JsonNumber, JsonObject, NotStrict, parse_strict
from .jwks import Algorithm, RawKey, is_algorithm, public_key, verifies
from .jwt import split
from .refusal import Refusal

PROOF_LIFE_SECONDS = 60
"""How old a proof may be, and how long it must be remembered."""

MOST_PROOFS = 200_000
"""How many proofs are remembered.

When all of them may still be used, no further one is taken: a flood must not make room for a replay.
"""

# How far its `iat` may lie in the future: clocks differ.
_LEEWAY_SECONDS = 10
# The longest `jti` that is taken, in bytes (DPOP-4.3d).
_LONGEST_JTI = 256
_EXACT = 2**53
_TYPE = re.compile(r"(?:application/)?dpop\+jwt", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True)
class Proof:
    """A proof whose signature, method and address are right."""

    key: str
    """Whose: the SHA-256 thumbprint of the key that signed it (RFC 7638), in base64url."""
    jti: str
    """Names it."""
    issued_at: int
    """When it was made, by the client's clock, in seconds."""
    nonce: str | None
    """What a server had given the client to put in, if the client has put in anything."""
    once: str
    """What must not come a second time: this key's proof of this name for this address."""
    token_hash: bytes | None = field(repr=False)
    """The SHA-256 of the access token it was made for (``ath``), if it says so."""

    @classmethod
    def read(cls, header: str, method: str, url: str) -> Proof:
        """Reads the value of a ``DPoP`` header that came with ``method`` to ``url`` (DPOP-4.3a to c), or raises ``bad_proof``.

        The URL is the one under which clients know this server, never what stands in the request's own ``Host``.
        """
        try:
            head, claims, signature = split(header)
        except Refusal:
            raise Refusal("bad_proof") from None
        algorithm, jwk = _read_header(head)
        public, signed_by = public_key(algorithm, jwk), decode(signature)
        if public is None or signed_by is None or not verifies(public, signed_by, f"{head}.{claims}".encode()):
            raise Refusal("bad_proof")
        # Only now are the claims worth reading.
        said = _read_claims(claims)
        address = normal(url)
        if said.htm != method or address is None or normal(said.htu) != address:
            raise Refusal("bad_proof")
        key = _thumbprint(jwk)
        return cls(key, said.jti, said.iat, said.nonce, _name_of(key, address, said.jti), said.ath)

    def is_fresh(self, now: float) -> bool:
        """Whether it was made a moment ago (DPOP-4.3d). ``now`` in milliseconds."""
        seconds = math.floor(now / 1000)
        return seconds - PROOF_LIFE_SECONDS <= self.issued_at <= seconds + _LEEWAY_SECONDS

    def is_for(self, token: str) -> bool:
        """Whether it was made for this access token (``ath``; DPOP-7a)."""
        return self.token_hash is not None and hmac.compare_digest(self.token_hash, _sha256(token))


def check_binding(claims: Claims) -> None:
    """Whether the token may be presented without a proof: one that is bound to a key may not (DPOP-7b)."""
    if claims.cnf is not None:
        raise Refusal("proof_required")


class UsedProofs:
    """Proofs that have been used, until they would be too old anyway. One clock for all who ask."""

    def __init__(self, now: Callable[[], float], most: int = MOST_PROOFS) -> None:
        self._now = now
        self._most = most
        self.begin_anew()
        begin_anew_after_fork(self)

    def begin_anew(self) -> None:
        """Without proofs: processes do not tell each other."""
        # Until when each is remembered, in milliseconds; the oldest first.
        self._used: dict[str, float] = {}
        self._lock = threading.Lock()

    def use(self, claims: Claims, token: str, proof: Proof) -> None:
        """Lets a verified token pass with this proof, once, or raises a :class:`Refusal`."""
        # Bound to this key, and proven for this token: a proof with a token that is bound to nothing is none (DPOP-7b).
        if claims.cnf is None or not hmac.compare_digest(proof.key, claims.cnf.jkt) or not proof.is_for(token):
            raise Refusal("bad_proof")
        if not proof.is_fresh(self._now()) or not self._insert(proof.once):
            raise Refusal("bad_proof")

    def _insert(self, proof: str) -> bool:
        """Takes one in; ``False`` if it has been used, or if there is no room."""
        with self._lock:
            now = self._now()
            while self._used:
                oldest = next(iter(self._used))
                if self._used[oldest] > now:
                    break
                del self._used[oldest]
            if len(self._used) >= self._most or proof in self._used:
                return False
            # Its `iat` may lie a little in the future.
            self._used[proof] = now + 2 * PROOF_LIFE_SECONDS * 1000
            return True


@dataclass(frozen=True)
class _Said:
    """What is read of a proof's claims."""

    jti: str
    htm: str
    htu: str
    iat: int
    ath: bytes | None
    nonce: str | None


def _object_in(part: str) -> JsonObject:
    """The strict JSON object in a part."""
    raw = decode(part)
    try:
        value = None if raw is None else parse_strict(raw)
    except NotStrict:
        value = None
    if not isinstance(value, dict):
        raise Refusal("bad_proof")
    return value


def _read_header(part: str) -> tuple[Algorithm, RawKey]:
    """Exactly ``alg``, ``typ`` and ``jwk``: no other key is looked for, and nothing is fetched."""
    header = _object_in(part)
    alg, typ, key = header.get("alg"), header.get("typ"), header.get("jwk")
    if len(header) != 3 or not is_algorithm(alg) or not isinstance(typ, str) or not isinstance(key, dict):
        raise Refusal("bad_proof")
    if _TYPE.fullmatch(typ) is None:
        raise Refusal("bad_proof")
    return alg, _read_key(key, alg)


def _read_key(key: JsonObject, algorithm: Algorithm) -> RawKey:
    """The members that say which key, if those that would give it away are absent. ``null`` gives nothing away."""
    kty, crv, x, y = (key.get(name) for name in ("kty", "crv", "x", "y"))
    if not isinstance(kty, str) or not isinstance(crv, str) or not isinstance(x, str):
        raise Refusal("bad_proof")
    if key.get("d") is not None or key.get("k") is not None:
        raise Refusal("bad_proof")
    if algorithm != "ES256" and "y" not in key:
        return RawKey(kty, crv, x, None)
    if algorithm != "ES256" or not isinstance(y, str):
        raise Refusal("bad_proof")
    return RawKey(kty, crv, x, y)


def _read_claims(part: str) -> _Said:
    claims = _object_in(part)
    jti = _text(claims.get("jti"))
    if not 0 < len(jti.encode()) <= _LONGEST_JTI:
        raise Refusal("bad_proof")
    ath = decode(_text(claims["ath"])) if "ath" in claims else None
    if "ath" in claims and ath is None:
        raise Refusal("bad_proof")
    nonce = _text(claims["nonce"]) if "nonce" in claims else None
    return _Said(jti, _text(claims.get("htm")), _text(claims.get("htu")), _whole(claims.get("iat")), ath, nonce)


def _text(value: Json) -> str:
    if not isinstance(value, str):
        raise Refusal("bad_proof")
    return value


def _whole(value: Json) -> int:
    """A ``NumericDate``, fractions cut."""
    seconds = float(value.text) if isinstance(value, JsonNumber) else -1.0
    if not 0 <= seconds < _EXACT:
        raise Refusal("bad_proof")
    return math.floor(seconds)


def _sha256(text: str) -> bytes:
    return sha256(text.encode("utf-8", "surrogatepass")).digest()


def _thumbprint(key: RawKey) -> str:
    """RFC 7638: the members that are required, in their order. All of them are known to need no escaping."""
    members = {"crv": key.crv, "kty": key.kty, "x": key.x} | ({} if key.y is None else {"y": key.y})
    return encode(_sha256("{" + ",".join(f'"{name}":"{value}"' for name, value in members.items()) + "}"))


def _name_of(key: str, address: str, jti: str) -> str:
    return encode(_sha256("".join(f"{len(part.encode('utf-8', 'surrogatepass'))}:{part}" for part in ("dpop", key, address, jti))))


_PORTS = {"https": ":443", "http": ":80"}
_UPPER = re.compile(r"[A-Z]+")


def _lower(text: str) -> str:
    """Letters of ASCII only."""
    return _UPPER.sub(lambda letters: letters[0].lower(), text)


def normal(url: str) -> str | None:
    """A URL as it is compared: scheme and host in lower case, without its scheme's own port, query and fragment (RFC 3986 section 6.2).

    ``None`` for what is no http URL, or names a user.
    """
    scheme, separator, rest = url.partition("://")
    port = _PORTS.get(_lower(scheme))
    if not separator or port is None:
        return None
    authority, slash, path = re.split(r"[?#]", rest, maxsplit=1)[0].partition("/")
    host = _lower(authority).removesuffix(port)
    return None if host == "" or "@" in host else f"{_lower(scheme)}://{host}{slash or '/'}{path}"
