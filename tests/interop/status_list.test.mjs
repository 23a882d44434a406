// Token Status Lists (draft-ietf-oauth-status-list) and a library that others wrote for them, that of the OpenWallet Foundation: it reads our
// lists, its verifier of credentials follows them by itself, and our guard reads the lists that it makes.

import assert from "node:assert/strict";
import { createHash, randomBytes, verify } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { createGuard } from "@counterfoil/guard";
import { createHeaderAndPayload, getListFromStatusListJWT, getStatusListFromJWT, StatusList } from "@sd-jwt/jwt-status-list";
import { SDJwtVcInstance } from "@sd-jwt/sd-jwt-vc";
import * as jose from "jose";
import { Authority, until } from "./authority.mjs";

const STATUS_LIST = "application/statuslist+jwt";
const CONFIG = `
[applications.phone]
profile = "native"
status_list = true
[applications.plain]
profile = "native"
[status_lists]
ttl = "5s"
`;

let authority;

before(async () => {
  authority = await Authority.start(CONFIG);
  await authority.register("ada@example.com");
});

after(() => authority?.end());

/** The list that a token names, its signature and its claims verified; and how many places of it are taken away. */
async function listOf(token) {
  const { idx, uri } = getStatusListFromJWT(token);
  const answer = await fetch(uri, { headers: { accept: STATUS_LIST } });
  assert.deepEqual([answer.status, answer.headers.get("content-type")], [200, STATUS_LIST]);
  const text = await answer.text();
  const keys = jose.createRemoteJWKSet(new URL(`${authority.issuer}/.well-known/jwks.json`));
  await jose.jwtVerify(text, keys, {
    issuer: authority.issuer, subject: uri, typ: "statuslist+jwt", requiredClaims: ["iat", "exp", "ttl", "status_list"],
  });
  const list = getListFromStatusListJWT(text);
  return { status: list.getStatus(idx), ended: list.statusList.filter((status) => status !== 0).length };
}

/** A relying party as sd-jwt-vc makes one: a token without disclosures is what it calls a credential, with `~` behind it. */
async function relyingParty(settings = {}) {
  const { keys } = await authority.json("/.well-known/jwks.json");
  const signedByUs = (data, signature) => {
    const { kid } = JSON.parse(Buffer.from(data.split(".")[0], "base64url"));
    const key = keys.find((one) => one.kid === kid);
    return key !== undefined && verify(null, Buffer.from(data), { key, format: "jwk" }, Buffer.from(signature, "base64url"));
  };
  const instance = new SDJwtVcInstance({
    verifier: signedByUs, statusVerifier: signedByUs, hashAlg: "sha-256",
    hasher: (data, algorithm) => createHash(algorithm.replace("-", "")).update(data).digest(), ...settings,
  });
  return (token) => instance.verify(`${token}~`);
}

test("TSL-4.1, TSL-6.2, TSL-8.2: jwt-status-list finds the session that has ended, and no other", async () => {
  const [ended, other] = [await authority.signIn("ada@example.com", "phone"), await authority.signIn("ada@example.com", "phone")];
  assert.notEqual(getStatusListFromJWT(ended.access_token).idx, getStatusListFromJWT(other.access_token).idx);
  const both = () => Promise.all([ended, other].map(({ access_token }) => listOf(access_token)));
  const first = await until("there is a list with places for both", both);
  assert.deepEqual(first.map(({ status }) => status), [0, 0]);
  await authority.signOut(ended);
  const { ended: many } = await until("the list says so", async () => {
    const list = await listOf(ended.access_token);
    return list.status === 1 && list;
  });
  assert.deepEqual([many - first[0].ended, (await listOf(other.access_token)).status], [1, 0]);
  const plain = await authority.signIn("ada@example.com", "plain");
  assert.equal(jose.decodeJwt(plain.access_token).status, undefined, "it has not asked for one");
});

test("TSL-8.3a: the verifier of sd-jwt-vc, which fetches the list itself, and our guard refuse a session that has ended", async (t) => {
  const guard = createGuard({ issuer: authority.issuer, audience: "phone", mode: "status-list" });
  t.after(() => guard.close());
  const verifyByOthers = await relyingParty();
  const tokens = await authority.signIn("ada@example.com", "phone");
  const { payload } = await until("its place is in a list", () => verifyByOthers(tokens.access_token));
  const { sub, sid } = await guard.verify(tokens.access_token);
  assert.deepEqual([payload.sub, payload.sid], [sub, sid]);
  await authority.signOut(tokens);
  const refusedBy = (judge) => async () => {
    const outcome = await judge(tokens.access_token).catch((error) => error);
    return outcome instanceof Error && outcome;
  };
  const theirs = await until("their verifier refuses it", refusedBy(verifyByOthers));
  assert.match(theirs.message, /Status is not valid/);
  const ours = await until("our guard refuses it, within the ttl", refusedBy((token) => guard.verify(token)), 15);
  assert.deepEqual([ours.reason, ours.code], ["revoked", "session_revoked"]);
});

test("control: the verifier of sd-jwt-vc looks at the signatures of a token and of its list", async () => {
  const { access_token } = await authority.signIn("ada@example.com", "phone");
  await until("its place is in a list", async () => (await relyingParty())(access_token));
  const broken = (text) => text.replace(/.{8}$/, (end) => (end === "AAAAAAAA" ? "BBBBBBBB" : "AAAAAAAA"));
  const withBrokenList = await relyingParty({ statusListFetcher: async (uri) => broken(await (await fetch(uri)).text()) });
  await assert.rejects(withBrokenList(access_token), /Status List JWT verification failed/);
  await assert.rejects((await relyingParty())(broken(access_token)), /Invalid JWT Signature/);
});

/** An authority of others: one key, one list as jwt-status-list makes it. */
async function othersAuthority(t, statuses, bits) {
  const { publicKey, privateKey } = await jose.generateKeyPair("EdDSA", { crv: "Ed25519" });
  const key = { ...await jose.exportJWK(publicKey), kid: "theirs", alg: "EdDSA", use: "sig" };
  const pages = new Map([["/.well-known/jwks.json", ["application/json", JSON.stringify({ keys: [key] })]]]);
  const server = createServer((request, response) => {
    const [type, text] = pages.get(request.url) ?? [];
    response.writeHead(text === undefined ? 404 : 200, { "content-type": type ?? "text/plain" }).end(text ?? "");
  }).listen(0, "127.0.0.1");
  t.after(() => { server.closeAllConnections(); server.close(); });
  await once(server, "listening");
  const issuer = `http://localhost:${server.address().port}`;
  const uri = `${issuer}/status-lists/1`;
  const now = Math.floor(Date.now() / 1000);
  const signed = ({ header, payload }) => new jose.SignJWT(payload).setProtectedHeader({ ...header, alg: "EdDSA", kid: key.kid }).sign(privateKey);
  const made = createHeaderAndPayload(new StatusList(statuses, bits), { iss: issuer, sub: uri, iat: now, exp: now + 600, ttl: 60 }, { alg: "EdDSA" });
  pages.set("/status-lists/1", [STATUS_LIST, await signed(made)]);
  const id = () => randomBytes(16).toString("base64url");
  const token = (idx) => signed({
    header: { typ: "at+jwt" },
    payload: {
      iss: issuer, sub: id(), aud: "web", client_id: "web", iat: now, exp: now + 300, jti: id(), sid: id(), auth_time: now, acr: "aal1",
      amr: ["pwd"], status: { status_list: { idx, uri } },
    },
  });
  return { issuer, token };
}

test("TSL-4.1, TSL-8.3b: our guard reads the lists that jwt-status-list makes, of every width", async (t) => {
  for (const bits of [1, 2, 4, 8]) {
    await t.test(`${bits} bits`, async (t) => {
      // More than a byte of every status there is, in an order that is none when read from the wrong end; and a last byte that is not full.
      const statuses = Array.from({ length: 2 ** bits * 3 + 1 }, (_, index) => index * 5 % 7 % 2 ** bits);
      const { issuer, token } = await othersAuthority(t, statuses, bits);
      const guard = createGuard({ issuer, audience: "web", mode: "status-list" });
      t.after(() => guard.close());
      const verdict = async (idx) => guard.verify(await token(idx)).then(() => "valid", ({ reason }) => reason);
      for (const [index, status] of statuses.entries()) {
        assert.equal(await verdict(index), status === 0 ? "valid" : "revoked", `${status} at ${index}`);
      }
      const places = 8 / bits;
      assert.equal(await verdict(Math.ceil(statuses.length / places) * places), "bad_claim", "beyond the end");
    });
  }
});
