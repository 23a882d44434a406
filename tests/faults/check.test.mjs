// The checkers can fail: for each rule a history that keeps it, and one beside it that does not.

import assert from "node:assert/strict";
import { test } from "node:test";
import { check, checkD1, checkS1, checkS2, checkS3 } from "./check.mjs";

const RULES = { grace: 10_000, maxStaleness: 2_000, margin: 50 };

const refresh = (begin, more = {}) =>
  ({ kind: "refresh", sid: "s", token: "t", begin, end: begin + 5, status: 200, rotated: true, ...more });
const revoke = (begin, end, more = {}) => ({ kind: "revoke", sid: "s", begin, end, status: 204, ...more });
const verify = (begin, accepted = "yes") => ({ kind: "verify", sid: "s", begin, end: begin + 1, accepted: accepted === "yes" });
const refused = (begin, more = {}) => refresh(begin, { status: 401, code: "refresh_invalid", rotated: false, ...more });
const lost = (begin, more = {}) => refresh(begin, { status: 0, rotated: false, ...more });
const session = (more = {}) => ({ kind: "session", sid: "s", listed: true, ended: false, ...more });

test("S1: a refresh that begins after the acknowledgement and succeeds is found", () => {
  assert.equal(checkS1([revoke(100, 110), refresh(111)]).length, 1);
  assert.equal(checkS1([revoke(100, 110, { status: 200, effective: true }), refresh(5_000_000)]).length, 1);
  // The earliest acknowledgement counts, in whatever order they stand.
  assert.equal(checkS1([revoke(300, 310), revoke(100, 110), refresh(200)]).length, 1);
});

test("S1: what began before, what was refused, other sessions and unacknowledged ends are no violation", () => {
  assert.deepEqual(checkS1([revoke(100, 110), refresh(109), refused(111), refresh(112, { sid: "other" })]), []);
  assert.deepEqual(checkS1([revoke(100, 110, { status: 0 }), revoke(200, 210, { status: 503 }), refresh(300)]), []);
});

test("S2: a token accepted after the receipt is found, also within the staleness", () => {
  assert.equal(checkS2([revoke(100, 110, { status: 200, effective: true }), verify(111)], RULES).length, 1);
});

test("S2: without a receipt a token may be accepted for max_staleness and the margin, and no longer", () => {
  assert.deepEqual(checkS2([revoke(100, 110), verify(111), verify(2_160), verify(9_000, "no")], RULES), []);
  assert.equal(checkS2([revoke(100, 110), verify(2_161)], RULES).length, 1);
  // A receipt that never came changes nothing.
  assert.deepEqual(checkS2([revoke(100, 110), revoke(120, 130, { status: 0 }), verify(131)], RULES), []);
});

test("S3: a refusal of a session that nobody has ended is found", () => {
  assert.equal(checkS3([refresh(0, { token: "a" }), refused(100)], RULES).violations.length, 1);
  assert.equal(checkS3([lost(0), lost(2_000), refused(4_900)], RULES).violations.length, 1);
  assert.equal(checkS3([revoke(500, 510), refused(100)], RULES).violations.length, 1, "ended only afterwards");
});

test("S3: who has been ended is refused rightly, but never for theft", () => {
  assert.deepEqual(checkS3([revoke(90, 95), refused(100)], RULES).violations, []);
  assert.deepEqual(checkS3([revoke(90, 95, { status: 0 }), refused(100)], RULES).violations, [], "perhaps it has taken effect");
  assert.equal(checkS3([revoke(90, 95), refused(100, { code: "refresh_reuse" })], RULES).violations.length, 1);
  assert.equal(checkS3([revoke(90, 95), refused(100, { reason: "suspected_theft" })], RULES).violations.length, 1);
});

test("S3: after an outage of more than half the grace it is told apart, until a new token has come", () => {
  const late = [lost(0), lost(4_000), refused(5_001)];
  assert.deepEqual(checkS3(late, RULES).violations, []);
  assert.equal(checkS3(late, RULES).outside.length, 1);
  const cured = [lost(0), refresh(6_000), refused(6_100, { token: "u" })];
  assert.equal(checkS3(cured, RULES).violations.length, 1);
  const held = [lost(0), refresh(6_000, { rotated: false }), refused(6_100)];
  assert.equal(checkS3(held, RULES).outside.length, 1);
});

test("S3: a token that is held back is used again and again without being late", () => {
  const held = (begin) => refresh(begin, { rotated: false });
  assert.equal(checkS3([held(0), held(3_000), held(6_000), refused(9_000)], RULES).violations.length, 1);
});

test("S3: a token that is refused as revoked, of a session that nobody has ended, is found", () => {
  const revoked = { ...verify(100, "no"), code: "session_revoked" };
  assert.equal(checkS3([revoked], RULES).violations.length, 1);
  assert.deepEqual(checkS3([revoke(90, 95), revoked], RULES).violations, []);
  assert.deepEqual(checkS3([{ ...revoked, code: "verifier_stale" }], RULES).violations, []);
});

test("D1: sessions, ends, accounts and rotations that were acknowledged and are gone are found", () => {
  const signin = { kind: "signin", sid: "s", email: "e", begin: 0, end: 1, status: 200 };
  const account = { kind: "account", email: "e", status: 200 };
  assert.deepEqual(checkD1([signin, account, session()], RULES), []);
  assert.deepEqual(checkD1([signin, account, revoke(5, 6), session({ ended: true })], RULES), []);
  assert.equal(checkD1([signin, account, session({ listed: false })], RULES).length, 1);
  assert.equal(checkD1([signin, account], RULES).length, 1, "not looked at");
  assert.equal(checkD1([signin, account, revoke(5, 6), session()], RULES).length, 1);
  assert.equal(checkD1([signin, { ...account, status: 401 }, session()], RULES).length, 1);
  assert.equal(checkD1([{ kind: "register", email: "e", begin: 0, end: 1, status: 201 }], RULES).length, 1);
  assert.equal(checkD1([{ kind: "lost", replica: 0 }], RULES).length, 1);
  // What was never acknowledged may be there or not.
  assert.deepEqual(checkD1([{ ...signin, status: 0 }, revoke(5, 6, { status: 0 }), session()], RULES), []);
});

test("D1: a session that ended by itself is found, unless its client was cut off for too long", () => {
  const ended = session({ ended: true, reason: "suspected_theft" });
  assert.equal(checkD1([refresh(0), ended], RULES).length, 1);
  assert.deepEqual(checkD1([lost(0), lost(6_000), ended], RULES), []);
  assert.deepEqual(checkD1([revoke(1, 2, { status: 0 }), ended], RULES), []);
});

test("all of it together", () => {
  const { violations, outside } = check([revoke(100, 110), refresh(200), verify(9_000), session()], RULES);
  const numbers = Object.entries(violations).map(([name, found]) => [name, found.length]);
  assert.deepEqual(numbers, [["S1", 1], ["S2", 1], ["S3", 0], ["D1", 1], ["DPoP", 0]]);
  assert.deepEqual(outside, []);
});
