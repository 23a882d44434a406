"""Authlib against the token endpoint: prints, as JSON, what it was given by each way of proving itself."""

import json
import os
import sys

from authlib.integrations.requests_client import OAuth2Session
from authlib.jose import JsonWebKey
from authlib.oauth2.rfc7523 import PrivateKeyJWT

endpoint = os.environ["TOKEN_ENDPOINT"]
given = json.loads(sys.stdin.read())
answers = {}

for method in ("client_secret_basic", "client_secret_post"):
    session = OAuth2Session("reports", given["secret"], token_endpoint_auth_method=method)
    answers[method] = dict(session.fetch_token(endpoint, grant_type="client_credentials", audience="billing"))

key = JsonWebKey.import_key(given["jwk"])
session = OAuth2Session("keyed", key, token_endpoint_auth_method="private_key_jwt")
session.register_client_auth_method(PrivateKeyJWT(endpoint, headers={"kid": given["jwk"]["kid"]}, alg="ES256"))
answers["private_key_jwt"] = dict(session.fetch_token(endpoint, grant_type="client_credentials", scope="read"))

session = OAuth2Session("reports", given["secret"], token_endpoint_auth_method="client_secret_basic")
try:
    session.fetch_token(endpoint, grant_type="client_credentials", audience="billing", scope="admin")
except Exception as error:  # Whatever Authlib makes of it: its name for the error is what is looked at.
    answers["refused"] = getattr(error, "error", str(error))

answers["exchange"] = dict(
    session.fetch_token(
        endpoint,
        grant_type="urn:ietf:params:oauth:grant-type:token-exchange",
        subject_token=given["subject"],
        subject_token_type="urn:ietf:params:oauth:token-type:access_token",
        audience="billing",
    )
)
print(json.dumps(answers))
