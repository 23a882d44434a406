"""What a verification costs: a token seen for the first time, the bare signature check within it, and a token that is remembered.

Run it with ``python bench/verify.py``. Nothing is asked over a network: the authority is a function in this process. Slices of the three
alternate, so that whatever else the machine does hits all of them; the middle of each is printed.
"""

from __future__ import annotations

import json
import statistics
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

sys.path.insert(0, str(Path(__file__).parents[1] / "src"))

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from counterfoil_guard import Answer, Request, create_guard
from counterfoil_guard.base64url import encode

SLICES = 21
SLICE_SECONDS = 0.1
ISSUER = "https://app.example.com"
KEY = Ed25519PrivateKey.generate()


class Authority:
    """Says that nothing has been revoked but one session, and has nothing new to say after that."""

    def __init__(self) -> None:
        self._closed = threading.Event()

    def request(self, request: Request) -> Answer | None:
        query = {name: values[0] for name, values in parse_qs(urlsplit(request.url).query).items()}
        if "instance" not in query:
            jwk = {"kty": "OKP", "crv": "Ed25519", "x": encode(KEY.public_key().public_bytes_raw()), "kid": "k1", "alg": "EdDSA", "use": "sig"}
            return Answer(200, {}, json.dumps({"keys": [jwk]}).encode())
        self._closed.wait(int(query["wait"]) / 1000)
        said = {
            "instance": query["instance"], "nonce": query["nonce"], "cursor": "A.1.x", "snapshot": True, "held_ms": 0,
            "now": int(time.time() * 1000), "max_staleness_ms": 5000, "margin_ms": 50, "keys_etag": '"1"',
            "sessions": [encode(bytes(16)), 4_000_000_000], "tokens": [], "stale": [], "keys": [],
        }
        return Answer(200, {}, json.dumps(said).encode())

    def close(self) -> None:
        self._closed.set()


def mint(number: int) -> str:
    now = int(time.time())
    claims = {
        "iss": ISSUER, "sub": encode(b"\1" * 16), "aud": "web", "client_id": "web", "exp": now + 600, "iat": now,
        "jti": encode(number.to_bytes(16, "big")), "sid": encode(b"\2" * 16), "auth_time": now, "acr": "aal1", "amr": ["pwd"], "roles": ["editor"],
    }
    text = ".".join(encode(json.dumps(part, separators=(",", ":")).encode()) for part in ({"alg": "EdDSA", "kid": "k1", "typ": "at+jwt"}, claims))
    return f"{text}.{encode(KEY.sign(text.encode()))}"


def microseconds(one: Callable[[int], object]) -> float:
    """For one."""
    start, count = time.perf_counter(), 0
    while (spent := time.perf_counter() - start) < SLICE_SECONDS:
        one(count)
        count += 1
    return spent * 1e6 / count


def main() -> None:
    # With a cache of one, each of many tokens is always new.
    forgetful = create_guard(ISSUER, "web", credential="cfg_bench", transport=Authority(), cache_size=1)
    guard = create_guard(ISSUER, "web", credential="cfg_bench", transport=Authority())
    forgetful.ready(10)
    guard.ready(10)
    tokens = [mint(number) for number in range(100)]
    signed = [(token.rpartition(".")[0].encode(), KEY.sign(token.rpartition(".")[0].encode())) for token in tokens]
    public = KEY.public_key()
    kinds: dict[str, Callable[[int], object]] = {
        "first sight": lambda n: forgetful.verify(tokens[n % 100]),
        "signature alone": lambda n: public.verify(signed[n % 100][1], signed[n % 100][0]),
        "remembered": lambda n: guard.verify(tokens[n % 100]),
    }
    measured: dict[str, list[float]] = {name: [] for name in kinds}
    for _ in range(SLICES):
        for name, one in kinds.items():
            measured[name].append(microseconds(one))
    for name, found in measured.items():
        print(f"{name:16} {statistics.median(found):7.1f} µs")
    forgetful.close()
    guard.close()


if __name__ == "__main__":
    main()
