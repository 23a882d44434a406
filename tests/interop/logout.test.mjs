// Back-channel logout (OpenID Connect) and the relying party that others wrote: express-openid-connect takes the logout token, verifies it by
// the key set that it discovers, and says what has ended.

import assert from "node:assert/strict";
import { once } from "node:events";
import { after, before, test } from "node:test";
import express from "express";
import openid from "express-openid-connect";
import * as jose from "jose";
import { freePort } from "../support/processes.mjs";
import { Authority, until } from "./authority.mjs";

const EVENT = "http://schemas.openid.net/event/backchannel-logout";

let authority;
let application;
let seen;
let ended;
let down = 0;

/** The metadata of this server stand where those of OAuth do (RFC 8414): it is no OpenID provider otherwise. */
const found = (url, options) => fetch(String(url).replace("/openid-configuration", "/oauth-authorization-server"), options);

/** An application behind express-openid-connect, under this name. */
async function relyingParty(clientID, port, onLogoutToken) {
  const app = express();
  app.use((request, response, next) => {
    if (down > 0) {
      down -= 1;
      response.sendStatus(503);
    } else next();
  });
  app.use(express.urlencoded({ extended: false }), (request, response, next) => {
    const post = { isForm: request.is("urlencoded") !== false, token: request.body.logout_token };
    seen.push(post);
    response.on("finish", () => { post.status = response.statusCode; });
    next();
  });
  app.use(openid.auth({
    issuerBaseURL: authority.issuer, baseURL: `http://127.0.0.1:${port}`, clientID, secret: "s".repeat(32), authRequired: false,
    idTokenSigningAlg: "EdDSA", customFetch: found, enableTelemetry: false,
    backchannelLogout: { isLoggedOut: false, onLogin: false, onLogoutToken }, routes: { backchannelLogout: "/logout" },
  }));
  const server = app.listen(port, "127.0.0.1");
  await once(server, "listening");
  return server;
}

before(async () => {
  [seen, ended] = [[], []];
  const port = await freePort();
  authority = await Authority.start(`
[applications.phone]
profile = "native"
backchannel_logout_uri = "http://127.0.0.1:${port}/logout"
[applications.other]
profile = "native"
`);
  application = await relyingParty("phone", port, async (token) => { ended.push(token); });
  await authority.register("ada@example.com");
});

after(async () => {
  application?.closeAllConnections();
  application?.close();
  await authority?.end();
});

const signIn = async (name) => {
  const tokens = await authority.signIn("ada@example.com", name);
  const { sub, sid } = jose.decodeJwt(tokens.access_token);
  return { ...tokens, sub, sid };
};
const endOf = ({ sid }) => async () => ended.find((token) => token.sid === sid);

test("ASVS-10.5.5: express-openid-connect takes the token of a session that has ended", async () => {
  const session = await signIn("phone");
  await authority.signOut(session);
  const token = await until("the application is told", endOf(session));
  assert.deepEqual([token.iss, token.aud, token.sub, token.events], [authority.issuer, "phone", session.sub, { [EVENT]: {} }]);
  assert.ok(token.jti && token.iat && token.exp > token.iat, JSON.stringify(token));
  const { isForm, token: text } = seen.find(({ token: one }) => one && jose.decodeJwt(one).sid === session.sid);
  assert.deepEqual([isForm, jose.decodeProtectedHeader(text).typ], [true, "logout+jwt"]);
});

test("an application that was away is told later, and of its own sessions only", async () => {
  const [other, session] = [await signIn("other"), await signIn("phone")];
  down = 2;
  await authority.signOut(other);
  await authority.signOut(session);
  await until("the application is told, after it had failed", endOf(session), 60);
  assert.equal(down, 0, "it had failed before");
  assert.equal(await endOf(other)(), undefined);
});

test("nothing is lost while the server is down", async () => {
  const session = await signIn("phone");
  down = Infinity;
  await authority.signOut(session);
  await authority.stop();
  down = 0;
  await authority.resume();
  await until("the application is told after the restart", endOf(session), 60);
});

test("control: express-openid-connect refuses a token that was changed, an access token, and what is for another application", async (t) => {
  const session = await signIn("phone");
  await authority.signOut(session);
  await until("the application is told", endOf(session));
  const { token } = seen.find(({ token: one, status }) => one && status === 204 && jose.decodeJwt(one).sid === session.sid);
  const port = await freePort();
  const others = await relyingParty("other", port, async () => {});
  t.after(() => { others.closeAllConnections(); others.close(); });
  const post = async (to, logout_token) => {
    const answer = await fetch(`http://127.0.0.1:${to}/logout`, { method: "POST", body: new URLSearchParams({ logout_token }) });
    return answer.status;
  };
  const { port: own } = application.address();
  assert.equal(await post(own, token), 204);
  const [header, , signature] = token.split(".");
  const changed = Buffer.from(JSON.stringify({ ...jose.decodeJwt(token), sid: "another" })).toString("base64url");
  assert.equal(await post(own, [header, changed, signature].join(".")), 400);
  assert.equal(await post(own, session.access_token), 400);
  assert.equal(await post(port, token), 400);
});
