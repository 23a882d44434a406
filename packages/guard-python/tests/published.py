"""Vectors: where they are, and how a signature is judged without the token around it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from counterfoil_guard.base64url import decode, encode
from counterfoil_guard.jwks import Algorithm, KeySet, VerifyingKey

ROOT = Path(__file__).parents[3] / "vectors"


def read(name: str) -> Any:
    """The file of that name, without its ending."""
    return json.loads((ROOT / f"{name}.json").read_text("utf-8"))


def imported(algorithm: Algorithm, jwk: dict[str, str]) -> VerifyingKey | None:
    """The key that a key set makes of it, if any."""
    return KeySet.from_jwks(json.dumps({"keys": [{**jwk, "alg": algorithm, "kid": "k"}]})).get("k")


def holds(algorithm: Algorithm, jwk: dict[str, str], message: bytes, signature: bytes) -> bool:
    """Whether it is a key, and has made the signature."""
    key = imported(algorithm, jwk)
    return key is not None and key.verifies(signature, message)


def okp(point: str) -> dict[str, str]:
    """From the point in hex."""
    return {"kty": "OKP", "crv": "Ed25519", "x": encode(bytes.fromhex(point))}


def ec(point: str) -> dict[str, str]:
    """From 4, x, y in hex."""
    return {"kty": "EC", "crv": "P-256", "x": encode(bytes.fromhex(point[2:66])), "y": encode(bytes.fromhex(point[66:]))}


def opened(token: str) -> tuple[dict[str, Any], bytes] | None:
    """Header and payload of a token of three parts, unchecked; ``None`` when the first is no JSON, or the second no base64url."""
    parts = token.split(".")
    if len(parts) != 3:
        return None
    head, payload = decode(parts[0]), decode(parts[1])
    if head is None or payload is None:
        return None
    try:
        said: dict[str, Any] = json.loads(head)
    except ValueError:
        return None
    return said, payload
