"""A mail server (aiosmtpd) that prints what it takes, a JSON line each.

Arguments: port, mode (tls, starttls or plain), certificate, key. Somebody called `gone` does not exist, `later` is taken at the second try."""

import json
import ssl
import sys

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

PORT, MODE, CERTIFICATE, KEY = int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4]
USER, PASSWORD = b"counterfoil", b"a password for the mail server"


def sign_in(server, session, envelope, mechanism, data):
    return AuthResult(success=(data.login, data.password) == (USER, PASSWORD), handled=False)


class Printer:
    def __init__(self):
        self.tried = set()

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("gone@"):
            return f"550 5.1.1 <{address}>: no such mailbox"
        if address.startswith("later@") and address not in self.tried:
            self.tried.add(address)
            return f"451 4.7.1 <{address}>: come back later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        taken = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "text": envelope.content.decode("utf-8"),
            "encrypted": MODE == "tls" or session.ssl is not None,
            "signed_in": bool(session.authenticated),
        }
        print(json.dumps(taken), flush=True)
        return "250 OK"


context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
context.load_cert_chain(CERTIFICATE, KEY)
options = {
    "plain": {},
    "starttls": dict(tls_context=context, require_starttls=True, authenticator=sign_in, auth_required=True),
    # The connection is encrypted before the server knows of it.
    "tls": dict(ssl_context=context, authenticator=sign_in, auth_required=True, auth_require_tls=False),
}[MODE]
Controller(Printer(), hostname="127.0.0.1", port=PORT, **options).start()
print(json.dumps("ready"), flush=True)
# Until whoever has started it is gone.
sys.stdin.read()
