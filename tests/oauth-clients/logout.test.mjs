// Back-channel logout as an application takes it: the receiver of docs/guides/back-channel-logout.md, as it is written there, in Express and
// with jose.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import express from "express";
import { decodeJwt, exportJWK, generateKeyPair, SignJWT } from "jose";
import { accessToken, ask, serve } from "./authority.mjs";

const GUIDE = new URL("../../docs/guides/back-channel-logout.md", import.meta.url);
/** Beside this file, so that it finds the packages. */
const RECEIVER = new URL("receiver-of-the-guide.mjs", import.meta.url);
const EVENT = "http://schemas.openid.net/event/backchannel-logout";

let backchannelLogout;

before(async () => {
  const [, script] = (await readFile(GUIDE, "utf8")).match(/```js\n([\s\S]*?)```/);
  await writeFile(RECEIVER, script);
  ({ backchannelLogout } = await import(RECEIVER.href));
});

after(() => rm(RECEIVER, { force: true }));

/** Listens until the test ends. */
async function listening(t, app, port = 0) {
  const server = createServer(app).listen(port, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  return `http://127.0.0.1:${server.address().port}`;
}

test("an application ends its own session when the server's has ended", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "counterfoil-logout-"));
  t.after(() => rm(folder, { recursive: true }));
  const sessions = new Map();
  const app = express();
  const at = await listening(t, app);
  const config = join(folder, "counterfoil.toml");
  await writeFile(config, `[applications.web]\nbackchannel_logout_uri = "${at}/backchannel-logout"\n`);
  const server = await serve(join(folder, "data"), config);
  t.after(server.stop);
  const endSession = (sid) => sessions.delete(sid);
  app.post("/backchannel-logout", backchannelLogout({ issuer: server.issuer, clientId: "web", endSession }));

  const [leaving, staying] = [await accessToken(server.issuer), await accessToken(server.issuer)];
  for (const token of [leaving, staying]) sessions.set(decodeJwt(token).sid, "a session of the application's own");
  const answer = await ask(server.issuer, "/api/auth/logout", { cookie: `__Host-cf_access=${leaving}` });
  assert.equal(answer.status, 204);
  const deadline = Date.now() + 10_000;
  while (sessions.has(decodeJwt(leaving).sid)) {
    assert.ok(Date.now() < deadline, server.said());
    await pause(20);
  }
  assert.deepEqual([...sessions.keys()], [decodeJwt(staying).sid]);
});

test("what the guide's receiver must refuse", async (t) => {
  const { publicKey, privateKey } = await generateKeyPair("EdDSA");
  const stranger = await generateKeyPair("EdDSA");
  const other = await generateKeyPair("ES256");
  let up = true;
  const issuer = await listening(t, async (_, response) => {
    response.statusCode = up ? 200 : 500;
    response.end(JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: "k", alg: "EdDSA" }] }));
  });
  const ended = [];
  const receiver = () => {
    const app = express();
    app.post("/", backchannelLogout({ issuer, clientId: "web", endSession: (sid) => ended.push(sid) }));
    return listening(t, app);
  };
  const at = await receiver();
  const now = Math.floor(Date.now() / 1000);
  const good = { iss: issuer, aud: "web", sub: "u", sid: "s", iat: now, exp: now + 120, jti: "j", events: { [EVENT]: {} } };
  const sign = (claims = {}, { typ = "logout+jwt", alg = "EdDSA", key = privateKey } = {}) =>
    new SignJWT({ ...good, ...claims }).setProtectedHeader({ alg, kid: "k", ...(typ && { typ }) }).sign(key);
  const send = async (token, to = at) =>
    (await fetch(to, { method: "POST", body: new URLSearchParams(token === undefined ? {} : { logout_token: token }) })).status;

  assert.equal(await send(await sign()), 204);
  assert.deepEqual(ended, ["s"]);
  const unsigned = (await sign()).split(".").with(0, Buffer.from('{"alg":"none","typ":"logout+jwt"}').toString("base64url"));
  const wrong = {
    "no token": undefined,
    "no JWT": "x",
    "an access token": await sign({}, { typ: "at+jwt" }),
    "no type": await sign({}, { typ: "" }),
    "another's key": await sign({}, { key: stranger.privateKey }),
    "another algorithm": await sign({}, { alg: "ES256", key: other.privateKey }),
    "no signature": `${unsigned[0]}.${unsigned[1]}.`,
    "another issuer": await sign({ iss: "https://other.example" }),
    "another application": await sign({ aud: "other" }),
    "over": await sign({ iat: now - 200, exp: now - 80 }),
    "without an end": await sign({ exp: undefined }),
    "no session": await sign({ sid: undefined }),
    "no event": await sign({ events: undefined }),
    "another event": await sign({ events: { "https://other.example/event": {} } }),
    "an event that says nothing": await sign({ events: { [EVENT]: null } }),
    "a nonce": await sign({ nonce: "n" }),
  };
  for (const [what, token] of Object.entries(wrong)) assert.equal(await send(token), 400, what);
  assert.deepEqual(ended, ["s"], "and nothing has been ended by any of them");
  up = false;
  assert.equal(await send(await sign(), await receiver()), 503, "it cannot be checked now, so it has to come again");
});
