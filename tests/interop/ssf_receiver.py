"""A receiver of Shared Signals as one makes it of what PyPI has: Authlib is its OAuth client, joserfc verifies what it is sent.

Reads commands from standard input, a line of JSON each, and answers each with a line. SETs that are pushed it takes at `port`.
"""

import json
import os
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import requests
from authlib.integrations.requests_client import OAuth2Session
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from joserfc.jwt import JWTClaimsRegistry

PATIENCE = 10  # Seconds for each request.
SCOPES = "ssf.manage ssf.read"


class Refused(Exception):
    """A SET that is not believed; the word is that of RFC 8935, section 2.4."""


class Receiver:
    def __init__(self, issuer, client_id, client_secret, port, authorization):
        self.metadata = self.told(f"{issuer}/.well-known/ssf-configuration")
        assert self.metadata["issuer"] == issuer, self.metadata
        server = self.told(f"{issuer}/.well-known/oauth-authorization-server")
        self.session = OAuth2Session(client_id, client_secret, scope=SCOPES)
        self.token = self.session.fetch_token(server["token_endpoint"], grant_type="client_credentials", scope=SCOPES)
        self.authorization = authorization
        self.streams = {}
        self.pushed = []
        self.failures = 0
        self.lock = threading.Lock()
        push = ThreadingHTTPServer(("127.0.0.1", port), type("Push", (Push,), {"receiver": self}))
        threading.Thread(target=push.serve_forever, daemon=True).start()

    def told(self, url):
        answer = requests.get(url, timeout=PATIENCE)
        answer.raise_for_status()
        return answer.json()

    def ask(self, method, url, body=None, expected=(200,), **options):
        answer = self.session.request(method, url, json=body, timeout=PATIENCE, **options)
        assert answer.status_code in expected, f"{method} {url}: {answer.status_code} {answer.text}"
        return answer.json() if answer.text else None

    def judge(self, token, audience):
        """The claims of a SET that is for this audience (RFC 8417, SSF 1.0 section 4.1)."""
        try:
            # The key set is read each time: whoever signs may have changed keys since.
            keys = KeySet.import_key_set(self.told(self.metadata["jwks_uri"]))
            header = jws.extract_compact(token.encode()).headers()
            if header.get("typ", "").lower() not in ("secevent+jwt", "application/secevent+jwt"):
                raise Refused("invalid_request")
            claims = jwt.decode(token, keys, algorithms=["EdDSA", "ES256"]).claims
        except (JoseError, ValueError) as error:
            raise Refused("invalid_key") from error
        for name, options, word in (
            ("iss", {"essential": True, "value": self.metadata["issuer"]}, "invalid_issuer"),
            ("aud", {"essential": True, "value": audience}, "invalid_audience"),
            ("jti", {"essential": True}, "invalid_request"),
            ("iat", {"essential": True}, "invalid_request"),
            ("events", {"essential": True}, "invalid_request"),
            ("sub_id", {"essential": True}, "invalid_request"),
        ):
            try:
                JWTClaimsRegistry(**{name: options}).validate(claims)
            except JoseError as error:
                raise Refused(word) from error
        if "sub" in claims or "exp" in claims or len(claims["events"]) != 1:
            raise Refused("invalid_request")
        return claims

    def create(self, delivery, events_requested):
        """A new stream, as the transmitter has taken it in."""
        wanted = {"delivery": delivery, "events_requested": events_requested}
        stream = self.ask("POST", self.metadata["configuration_endpoint"], wanted, (201,))
        assert stream["iss"] == self.metadata["issuer"], stream
        with self.lock:
            self.streams[stream["stream_id"]] = stream
        return stream

    def read(self, stream_id):
        return self.ask("GET", self.metadata["configuration_endpoint"], params={"stream_id": stream_id})

    def delete(self, stream_id):
        self.ask("DELETE", self.metadata["configuration_endpoint"], None, (204,), params={"stream_id": stream_id})

    def status(self, stream_id):
        return self.ask("GET", self.metadata["status_endpoint"], params={"stream_id": stream_id})["status"]

    def set_status(self, stream_id, status):
        return self.ask("POST", self.metadata["status_endpoint"], {"stream_id": stream_id, "status": status})["status"]

    def add(self, stream_id, subject):
        self.ask("POST", self.metadata["add_subject_endpoint"], {"stream_id": stream_id, "subject": subject, "verified": True})

    def remove(self, stream_id, subject):
        wanted = {"stream_id": stream_id, "subject": subject}
        self.ask("POST", self.metadata["remove_subject_endpoint"], wanted, (200, 204))

    def verify(self, stream_id, state):
        self.ask("POST", self.metadata["verification_endpoint"], {"stream_id": stream_id, "state": state}, (204,))

    def poll(self, stream_id, ack):
        """What there is now (RFC 8936), judged; `ack` is what had been taken in before."""
        stream = self.streams[stream_id]
        wanted = {"ack": ack, "maxEvents": 100, "returnImmediately": True}
        told = self.ask("POST", stream["delivery"]["endpoint_url"], wanted)
        claims = [self.judge(token, stream["aud"]) for token in told["sets"].values()]
        assert {one["jti"] for one in claims} == set(told["sets"]), "a SET stands under its own jti"
        return claims

    def raw(self, stream_id):
        """The SETs as they come, for controls."""
        wanted = {"maxEvents": 100, "returnImmediately": True}
        return list(self.ask("POST", self.streams[stream_id]["delivery"]["endpoint_url"], wanted)["sets"].values())

    def take(self, token):
        """A SET that was pushed, for any of the streams."""
        with self.lock:
            audiences = [stream["aud"] for stream in self.streams.values()]
        words = ["invalid_audience"]
        for audience in audiences:
            try:
                return self.judge(token, audience)
            except Refused as refusal:
                words.append(str(refusal))
        raise Refused(words[-1])

    def received(self):
        with self.lock:
            return list(self.pushed)

    def fail(self, times):
        """So many pushes from now on are answered by 503, and not taken in."""
        with self.lock:
            self.failures = times

    def failing(self):
        with self.lock:
            return self.failures


class Push(BaseHTTPRequestHandler):
    """The endpoint of RFC 8935."""

    receiver = None

    def do_POST(self):
        token = self.rfile.read(int(self.headers["content-length"])).decode()
        receiver = self.receiver
        with receiver.lock:
            down = receiver.failures > 0
            receiver.failures -= down
        if down:
            return self.answer(503)
        if self.headers["authorization"] != receiver.authorization:
            return self.answer(401, "authentication_failed")
        if self.headers["content-type"] != "application/secevent+jwt":
            return self.answer(400, "invalid_request")
        try:
            claims = receiver.take(token)
        except Refused as refusal:
            return self.answer(400, str(refusal))
        with receiver.lock:
            receiver.pushed.append(claims)
        return self.answer(202)

    def answer(self, status, word=None):
        body = json.dumps({"err": word, "description": "refused"}).encode() if word else b""
        self.send_response(status)
        if body:
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Language", "en")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def main():
    os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"
    receiver = None
    for line in sys.stdin:
        wanted = json.loads(line)
        name = wanted.pop("do")
        try:
            if name == "start":
                receiver = Receiver(**wanted)
                answer = {"result": {"metadata": receiver.metadata, "access_token": receiver.token["access_token"]}}
            else:
                answer = {"result": getattr(receiver, name)(**wanted)}
        except Exception as error:  # Whatever it is, the test is told and decides.
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


main()
