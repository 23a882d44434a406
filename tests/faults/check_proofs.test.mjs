// The checkers of proofs of possession can fail: for each rule a history that keeps it, and one beside it that does not.

import assert from "node:assert/strict";
import { createPublicKey, verify as isSigned } from "node:crypto";
import { test } from "node:test";
import { check } from "./check.mjs";
import { checkHonestProofs, checkProofs } from "./check_proofs.mjs";
import { Key } from "./proof.mjs";

const RULES = { grace: 10_000, maxStaleness: 2_000, margin: 50 };

const used = (begin, more = {}) =>
  ({ kind: "verify", sid: "s", kid: "k", profile: "bound", proof: "p", begin, end: begin + 1, status: 200, accepted: true, ...more });
const replay = (begin, more = {}) => ({ kind: "replay", proof: "p", begin, end: begin + 1, status: 200, ...more });

test("DPoP: a proof that is accepted a second time is found, whoever was first", () => {
  assert.equal(checkProofs([used(0), replay(10)]).length, 1);
  assert.equal(checkProofs([replay(0), used(10)]).length, 1);
  assert.equal(checkProofs([used(0, { status: 0 }), replay(10), replay(20)]).length, 1, "the answer was lost");
  assert.equal(checkProofs([used(0), replay(10), replay(20)]).length, 2);
});

test("DPoP: refused copies, and proofs that differ, are no violation", () => {
  assert.deepEqual(checkProofs([used(0), replay(10, { status: 401 }), replay(20, { status: 503 })]), []);
  assert.deepEqual(checkProofs([used(0), used(10, { proof: "q" })]), []);
  assert.deepEqual(checkProofs([used(0, { status: 0 }), replay(10)]), [], "it may not have arrived");
  assert.deepEqual(checkProofs([used(0, { proof: undefined }), used(10, { proof: undefined })]), []);
});

test("S3: a new proof that is refused is found, unless a thief was quicker", () => {
  const refused = (more) => used(0, { status: 401, accepted: false, code: "invalid_dpop_proof", ...more });
  assert.equal(checkHonestProofs([refused()]).length, 1);
  assert.equal(checkHonestProofs([refused({ code: "proof_required" })]).length, 1);
  assert.deepEqual(checkHonestProofs([refused({ raced: true }), refused({ code: "use_dpop_nonce" }), refused({ kind: "replay" })]), []);
});

test("S3: a bound session is never late", () => {
  const refresh = (begin, profile, more = {}) =>
    ({ kind: "refresh", sid: "s", token: "t", profile, begin, end: begin + 5, status: 0, ...more });
  const invalid = { status: 401, code: "refresh_invalid" };
  const found = (profile) => check([refresh(0, profile), refresh(9_000, profile, invalid)], RULES);
  assert.deepEqual([found("bound").violations.S3.length, found("bound").outside.length], [1, 0]);
  assert.deepEqual([found("native").violations.S3.length, found("native").outside.length], [0, 1]);
});

test("S3: an opaque cookie of a session that nobody has ended is not refused", () => {
  const refused = { kind: "verify", sid: "s", begin: 100, end: 101, accepted: false, status: 401 };
  const found = (...events) => check(events, RULES).violations.S3.length;
  for (const code of ["session_revoked", "token_invalid", "token_missing", "token_stale"]) {
    assert.equal(found({ ...refused, code }), 1, code);
  }
  const ended = { kind: "revoke", sid: "s", begin: 90, end: 95, status: 204 };
  assert.equal(found(ended, { ...refused, code: "session_revoked" }), 0);
});

test("a proof is signed by the key that it shows, for one request", () => {
  const { name, text } = new Key().prove({ method: "GET", url: "http://localhost/me", nonce: "n", token: "t" });
  const [header, claims] = text.split(".").slice(0, 2).map((part) => JSON.parse(Buffer.from(part, "base64url")));
  const [input, signature] = text.split(/\.(?=[^.]*$)/);
  const key = createPublicKey({ key: header.jwk, format: "jwk" });
  assert.ok(isSigned(null, Buffer.from(input), key, Buffer.from(signature, "base64url")));
  assert.equal(header.jwk.d, undefined);
  assert.deepEqual([claims.htm, claims.htu, claims.nonce, claims.jti], ["GET", "http://localhost/me", "n", name]);
});
