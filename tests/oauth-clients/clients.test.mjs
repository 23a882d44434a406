// The token endpoint as the clients that people really use see it: openid-client and oauth4webapi from npm, Authlib from PyPI (as
// Debian packages it). Each discovers the server or is told of it, proves itself in every way it has, and is refused in words it
// understands.

import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import * as oauth from "oauth4webapi";
import * as openid from "openid-client";
import { run } from "../support/processes.mjs";
import { Secrets } from "../support/secrets.mjs";
import { accessToken, COUNTERFOIL, serve } from "./authority.mjs";

const EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token";
const CONFIG = `
[resources.billing]
audience = "https://billing.example.com"
scopes = ["read", "write"]
[clients.reports]
exchanges = ["web"]
[clients.reports.resources]
billing = ["read"]
[clients.keyed.resources]
billing = ["read", "write"]
`;

/** What the libraries send and are sent goes through `fetch`. */
const secrets = new Secrets();
secrets.watchFetch();

let folder;
let server;
let issuer;
let secret;
let keys;
let jwk;
let subject;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "counterfoil-clients-"));
  const [data, config] = [join(folder, "data"), join(folder, "counterfoil.toml")];
  await writeFile(config, CONFIG);
  server = await serve(data, config);
  ({ issuer } = server);
  keys = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["sign", "verify"]);
  const { key_ops, ext, ...halves } = await crypto.subtle.exportKey("jwk", keys.privateKey);
  jwk = { ...halves, kid: "k1", alg: "ES256" };
  const { d, ...half } = jwk;
  await writeFile(join(folder, "public.jwk"), JSON.stringify(half));
  const at = ["--data", data, "--config", config];
  secret = await run(COUNTERFOIL, ["client", "add", "reports", ...at]);
  assert.match(secret, /^cfc_[\w-]{43}$/);
  assert.equal(await run(COUNTERFOIL, ["client", "add", "keyed", "--jwks", join(folder, "public.jwk"), ...at]), "");
  const listed = JSON.parse(await run(COUNTERFOIL, ["client", "list", "--json", ...at]));
  assert.deepEqual(listed.map(({ client_id, method }) => [client_id, method]), [["keyed", "private_key_jwt"], ["reports", "client_secret"]]);
  subject = await accessToken(issuer);
});

after(async () => {
  await server.stop();
  const data = join(folder, "data");
  secrets.kept(data);
  secrets.assertNotIn("the server's log", server.said());
  secrets.assertNotStoredIn(data);
  assert.match(server.said(), /a service came with a wrong secret/, "there is a log");
  assert.ok(secrets.size > 100, "and there are secrets");
  await rm(folder, { recursive: true });
});

const claimsOf = (token) => JSON.parse(Buffer.from(token.split(".")[1], "base64url"));

function isServices(answer, name, scope) {
  assert.deepEqual([answer.token_type.toLowerCase(), answer.scope], ["bearer", scope]);
  const { sub, aud, client_id } = claimsOf(answer.access_token);
  assert.deepEqual([sub, aud, client_id], [`client:${name}`, "https://billing.example.com", name]);
}

function isExchanged(answer) {
  assert.equal(answer.issued_token_type, ACCESS_TOKEN);
  const [old, made] = [claimsOf(subject), claimsOf(answer.access_token)];
  assert.deepEqual([made.sub, made.sid, made.act.sub, made.aud], [old.sub, old.sid, "client:reports", "https://billing.example.com"]);
  assert.ok(made.exp <= old.exp);
}

test("openid-client", async () => {
  const discover = (client, authentication) => openid.discovery(new URL(issuer), client, undefined, authentication, {
    algorithm: "oauth2", execute: [openid.allowInsecureRequests],
  });
  for (const authentication of [openid.ClientSecretBasic(secret), openid.ClientSecretPost(secret)]) {
    const config = await discover("reports", authentication);
    isServices(await openid.clientCredentialsGrant(config, { audience: "billing" }), "reports", "read");
  }
  const keyed = await discover("keyed", openid.PrivateKeyJwt({ key: keys.privateKey, kid: "k1" }));
  isServices(await openid.clientCredentialsGrant(keyed, { scope: "write" }), "keyed", "write");
  const reports = await discover("reports", openid.ClientSecretBasic(secret));
  const asked = { subject_token: subject, subject_token_type: ACCESS_TOKEN, audience: "billing" };
  isExchanged(await openid.genericGrantRequest(reports, EXCHANGE, asked));
  await assert.rejects(openid.clientCredentialsGrant(reports, { scope: "admin" }), { error: "invalid_scope" });
  const wrong = await discover("reports", openid.ClientSecretBasic("cfc_wrong"));
  await assert.rejects(openid.clientCredentialsGrant(wrong, {}), (error) => error.status === 401 || /invalid_client|WWW-Auth/i.test(String(error.cause?.error ?? error.message ?? error)));
  const made = await openid.clientCredentialsGrant(reports, {});
  await openid.tokenRevocation(reports, made.access_token);
});

test("oauth4webapi", async () => {
  const options = { [oauth.allowInsecureRequests]: true };
  const found = await oauth.discoveryRequest(new URL(issuer), { ...options, algorithm: "oauth2" });
  const as = await oauth.processDiscoveryResponse(new URL(issuer), found);
  const ask = async (client_id, authentication, parameters) => {
    const client = { client_id };
    const answer = await oauth.clientCredentialsGrantRequest(as, client, authentication, parameters, options);
    return oauth.processClientCredentialsResponse(as, client, answer);
  };
  isServices(await ask("reports", oauth.ClientSecretPost(secret), {}), "reports", "read");
  isServices(await ask("reports", oauth.ClientSecretBasic(secret), { audience: "billing" }), "reports", "read");
  isServices(await ask("keyed", oauth.PrivateKeyJwt({ key: keys.privateKey, kid: "k1" }), {}), "keyed", "read write");
  const asked = { subject_token: subject, subject_token_type: ACCESS_TOKEN };
  const client = { client_id: "reports" };
  const answer = await oauth.genericTokenEndpointRequest(as, client, oauth.ClientSecretBasic(secret), EXCHANGE, asked, options);
  isExchanged(await oauth.processGenericTokenEndpointResponse(as, client, answer));
  await assert.rejects(ask("reports", oauth.ClientSecretPost(secret), { audience: "mail" }), { error: "invalid_target" });
});

test("Authlib", async () => {
  const env = { TOKEN_ENDPOINT: `${issuer}/oauth/token`, AUTHLIB_INSECURE_TRANSPORT: "1" };
  const script = fileURLToPath(new URL("authlib_client.py", import.meta.url));
  const answers = JSON.parse(await run("/usr/bin/python3", [script], { env, input: JSON.stringify({ secret, jwk, subject }) }));
  secrets.body(JSON.stringify(answers));
  isServices(answers.client_secret_basic, "reports", "read");
  isServices(answers.client_secret_post, "reports", "read");
  isServices(answers.private_key_jwt, "keyed", "read");
  isExchanged(answers.exchange);
  assert.equal(answers.refused, "invalid_scope");
});

test("DPoP (RFC 9449), nonce included: oauth4webapi and openid-client", async () => {
  const options = { [oauth.allowInsecureRequests]: true };
  const as = await oauth.processDiscoveryResponse(new URL(issuer), await oauth.discoveryRequest(new URL(issuer), { ...options, algorithm: "oauth2" }));
  const client = { client_id: "reports" };
  const pair = await oauth.generateKeyPair("ES256", { extractable: true });
  const DPoP = oauth.DPoP(client, pair);
  const ask = async () => {
    const answer = await oauth.clientCredentialsGrantRequest(as, client, oauth.ClientSecretBasic(secret), {}, { ...options, DPoP });
    return oauth.processClientCredentialsResponse(as, client, answer);
  };
  // Once without a nonce; the server says which, and the library puts it into the next.
  const first = await ask().then(() => undefined, (error) => error);
  assert.ok(oauth.isDPoPNonceError(first), String(first));
  const bound = await ask();
  assert.equal(bound.token_type, "dpop");
  const thumbprint = await DPoP.calculateThumbprint?.();
  assert.match(claimsOf(bound.access_token).cnf.jkt, /^[\w-]{43}$/);
  if (thumbprint) assert.equal(claimsOf(bound.access_token).cnf.jkt, thumbprint);
  // openid-client retries by itself.
  const config = await openid.discovery(new URL(issuer), "reports", undefined, openid.ClientSecretBasic(secret), { algorithm: "oauth2", execute: [openid.allowInsecureRequests] });
  const handle = openid.getDPoPHandle(config, await openid.randomDPoPKeyPair("ES256"));
  const again = await openid.clientCredentialsGrant(config, {}, { DPoP: handle });
  assert.equal(again.token_type, "dpop");
});
