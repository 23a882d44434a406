// The checkers of what is done to users and to keys can fail: for each rule a history that keeps it, and one beside it that does not.

import assert from "node:assert/strict";
import { test } from "node:test";
import { check } from "./check.mjs";
import { checkKeys, mayBeRevoked } from "./check_keys.mjs";
import { checkBans, mayBeBanned, spelledOut } from "./check_users.mjs";

const RULES = { grace: 10_000, maxStaleness: 2_000, margin: 50 };

const signin = (begin, end, more = {}) => ({ kind: "signin", sid: "s", email: "e", begin, end, status: 200, ...more });
const refresh = (begin, more = {}) =>
  ({ kind: "refresh", sid: "s", token: "t", begin, end: begin + 5, status: 200, rotated: true, kid: "k", ...more });
const verify = (begin, more = {}) => ({ kind: "verify", sid: "s", kid: "k", begin, end: begin + 1, accepted: true, ...more });
const endOfAll = (begin, end, more = {}) => ({ kind: "revoke user", email: "e", begin, end, status: 204, ...more });
const ban = (begin, end, more = {}) => endOfAll(begin, end, { ban: true, ...more });
const unban = (begin, end, more = {}) => ({ kind: "unban", email: "e", begin, end, status: 204, ...more });
const revokeKey = (begin, end, more = {}) => ({ kind: "revoke key", kid: "k", begin, end, status: 204, ...more });
const rotate = (more = {}) => ({ kind: "rotate", from: "k", to: "l", begin: 0, end: 1, status: 204, ...more });
const key = (kid, state) => ({ kind: "key", kid, state });
const refused = (begin, more = {}) => verify(begin, { accepted: false, code: "token_invalid", ...more });

const found = (events) => Object.fromEntries(Object.entries(check(events, RULES).violations).map(([name, all]) => [name, all.length]));

test("S1, S2, D1: a session that began before all of its user's were ended is ended", () => {
  const account = { kind: "account", email: "e", status: 200 };
  const session = { kind: "session", sid: "s", listed: true, ended: true };
  const before = [signin(0, 50), endOfAll(100, 110, { status: 200, effective: true }), account, session];
  assert.deepEqual(found(before), { S1: 0, S2: 0, S3: 0, D1: 0, DPoP: 0 });
  assert.deepEqual(found([...before, refresh(111)]), { S1: 1, S2: 0, S3: 0, D1: 0, DPoP: 0 });
  assert.deepEqual(found([...before, verify(111)]), { S1: 0, S2: 1, S3: 0, D1: 0, DPoP: 0 });
  assert.deepEqual(found([...before.slice(0, 3), { ...session, ended: false }]), { S1: 0, S2: 0, S3: 0, D1: 1, DPoP: 0 });
});

test("S3: a session that began afterwards, or another user's, is not ended by it", () => {
  const invalid = refresh(300, { status: 401, code: "refresh_invalid", rotated: false });
  assert.equal(found([endOfAll(100, 110), signin(120, 150), invalid]).S3, 1);
  assert.equal(found([endOfAll(100, 110, { email: "other" }), signin(0, 50), invalid]).S3, 1);
  assert.equal(found([endOfAll(100, 110), signin(0, 50), invalid]).S3, 0);
});

test("a sign-in under way may be reached or not", () => {
  const ends = spelledOut([signin(90, 105), endOfAll(100, 110)]).filter(({ kind }) => kind === "revoke");
  assert.deepEqual(ends.map(({ sid, status }) => [sid, status]), [["s", 0]]);
  const unanswered = (begin) => spelledOut([signin(begin, begin + 1), endOfAll(100, 110, { status: 0 })]).length - 2;
  assert.equal(unanswered(5_000), 1, "what nobody has acknowledged may come late");
  assert.equal(unanswered(11_000), 0, "but not for ever");
});

test("D1: who is banned does not sign in", () => {
  assert.equal(checkBans([ban(100, 110), signin(111, 150)]).length, 1);
  assert.equal(checkBans([ban(100, 110), signin(111, 150), unban(160, 170)]).length, 1);
  assert.deepEqual(checkBans([ban(100, 110), signin(105, 150)]), [], "under way");
  assert.deepEqual(checkBans([ban(100, 110), unban(140, 160, { status: 0 }), signin(111, 150)]), [], "lifted, perhaps");
  assert.deepEqual(checkBans([ban(100, 110, { status: 503 }), signin(111, 150)]), [], "nobody was told so");
  assert.deepEqual(checkBans([endOfAll(100, 110), signin(111, 150)]), [], "no ban");
});

test("a refused sign-in is excused by a ban, and by no other", () => {
  const excused = (...events) => mayBeBanned(events, signin(500, 510));
  assert.ok(excused(ban(100, 110)));
  assert.ok(excused(ban(100, 110), unban(120, 130, { status: 0 })));
  assert.ok(excused(ban(100, 110, { status: 0 }), unban(120, 130)), "it may take effect after it was lifted");
  assert.ok(!excused(ban(100, 110), unban(120, 130)));
  assert.ok(!excused(ban(100, 110, { email: "other" })));
  assert.ok(!excused(endOfAll(100, 110)));
  assert.ok(!excused(ban(511, 520)));
});

test("S2: a token of a revoked key is accepted for max_staleness and the margin, and not after a receipt", () => {
  assert.equal(checkKeys([revokeKey(100, 110), verify(2_161)], RULES).S2.length, 1);
  assert.equal(checkKeys([revokeKey(100, 110, { effective: true }), verify(111)], RULES).S2.length, 1);
  assert.deepEqual(checkKeys([revokeKey(100, 110), verify(2_160), verify(5_000, { kid: "l" })], RULES).S2, []);
  assert.deepEqual(checkKeys([revokeKey(100, 110, { status: 0 }), verify(5_000)], RULES).S2, []);
});

test("S3: a token is refused for its key only when somebody has revoked that", () => {
  assert.equal(checkKeys([refused(100)], RULES).S3.length, 1);
  assert.equal(checkKeys([rotate(), refused(100)], RULES).S3.length, 1, "a rotation is no reason");
  assert.equal(checkKeys([revokeKey(200, 210), refused(100)], RULES).S3.length, 1, "only afterwards");
  assert.deepEqual(checkKeys([revokeKey(90, 210), refused(100)], RULES).S3, []);
  assert.deepEqual(checkKeys([refused(100, { code: "verifier_stale" })], RULES).S3, []);
});

test("S3: nobody is given a token of a key that has been revoked", () => {
  assert.equal(checkKeys([revokeKey(100, 110, { effective: true }), refresh(111)], RULES).S3.length, 1);
  assert.equal(checkKeys([revokeKey(100, 110), refresh(2_161)], RULES).S3.length, 1);
  assert.deepEqual(checkKeys([revokeKey(100, 110), refresh(111), refresh(5_000, { kid: "l" })], RULES).S3, []);
});

test("D1: rotations and revocations of keys that were acknowledged are there at the end", () => {
  assert.deepEqual(checkKeys([rotate(), key("k", "retiring"), key("l", "active")], RULES).D1, []);
  assert.equal(checkKeys([rotate(), key("k", "active"), key("l", "next")], RULES).D1.length, 2);
  assert.equal(checkKeys([rotate(), key("k", "retiring")], RULES).D1.length, 1, "not looked at");
  assert.deepEqual(checkKeys([revokeKey(100, 110), key("k", "revoked")], RULES).D1, []);
  assert.equal(checkKeys([revokeKey(100, 110), key("k", "retiring")], RULES).D1.length, 1);
  assert.deepEqual(checkKeys([revokeKey(100, 110, { status: 0 }), key("k", "active")], RULES).D1, []);
});

test("a refused sign-out is excused by a revoked key", () => {
  assert.ok(mayBeRevoked([revokeKey(100, 110)], verify(105)));
  assert.ok(!mayBeRevoked([revokeKey(200, 210)], verify(105)));
  assert.ok(!mayBeRevoked([revokeKey(100, 110, { kid: "l" })], verify(105)));
});
