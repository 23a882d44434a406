// Whether a history keeps the invariants of docs/design.md. Pure functions: history in, violations out. Each says what it takes for
// proven; where it cannot tell, it does not accuse, and what it was not shown it does not believe.

import { checkKeys } from "./check_keys.mjs";
import { checkHonestProofs, checkProofs } from "./check_proofs.mjs";
import { checkBans, spelledOut } from "./check_users.mjs";
import { acknowledged as OK } from "./history.mjs";

const REFUSED = new Set(["refresh_invalid", "refresh_reuse"]);

/** The violations of all invariants, by name, and what happened outside of the conditions under which S3 is promised. */
export function check(seen, rules) {
  const events = spelledOut(seen);
  const s3 = checkS3(events, rules);
  const keys = checkKeys(events, rules);
  return {
    violations: {
      S1: checkS1(events),
      S2: [...checkS2(events, rules), ...keys.S2],
      S3: [...s3.violations, ...keys.S3, ...checkHonestProofs(events)],
      D1: [...checkD1(events, rules), ...checkBans(events), ...keys.D1],
      DPoP: checkProofs(events),
    },
    outside: s3.outside,
  };
}

/** S1: a refresh that begins after somebody has been told that the session is ended does not succeed. */
export function checkS1(events) {
  const acknowledged = firstEnds(events, OK);
  return events
    .filter((event) => event.kind === "refresh" && OK(event) && event.begin > acknowledged.get(event.sid))
    .map((event) => violation(event, `refreshed ${since(event, acknowledged)} after its end was acknowledged`));
}

/**
 * S2: nobody accepts a token in a verification that begins after a receipt has said "effective", nor, receipt or not, later than
 * `maxStaleness` and `margin` after the acknowledgement.
 */
export function checkS2(events, { maxStaleness, margin }) {
  const acknowledged = firstEnds(events, OK);
  const effective = firstEnds(events, (event) => OK(event) && event.effective);
  const found = [];
  for (const event of events) {
    if (event.kind !== "verify" || !event.accepted) continue;
    if (event.begin > effective.get(event.sid)) {
      found.push(violation(event, `accepted ${since(event, effective)} after a receipt said "effective"`));
    } else if (event.begin > acknowledged.get(event.sid) + maxStaleness + margin) {
      found.push(violation(event, `accepted ${since(event, acknowledged)} after its end was acknowledged`));
    }
  }
  return found;
}

/**
 * S3: a session that nobody has ended is not refused to its honest client. Promised only while no token is used later than
 * half the grace after its first use; from such a use on, until a new token comes, what happens is `outside` and no violation.
 */
export function checkS3(events, { grace }) {
  const asked = firstBegins(events);
  const [violations, outside] = [[], []];
  for (const [sid, refreshes] of bySession(events, "refresh")) {
    const late = lateness(refreshes, grace / 2);
    for (const event of refreshes) {
      if (event.status !== 401 || !REFUSED.has(event.code)) continue;
      // Whoever has been ended by somebody is refused rightly, unless it is called theft.
      const theft = event.code === "refresh_reuse" || event.reason === "suspected_theft";
      if (!theft && asked.get(sid) < event.end) continue;
      const where = late.has(event) ? outside : violations;
      where.push(violation(event, `${event.code} ${event.reason ?? ""}, though nobody had ended it`));
    }
  }
  violations.push(...refusedByVerifiers(events, asked, grace));
  return { violations, outside };
}

/** What nobody is told whose session goes on. Of a token that names no key, that it is invalid says the same. */
const saysEnded = ({ code, kid }) =>
  code === "session_revoked" || code === "token_missing" || code === "token_stale" || (code === "token_invalid" && !kid);

/** Tokens of sessions that nobody has ended, refused as if somebody had. */
function refusedByVerifiers(events, asked, grace) {
  const refreshes = bySession(events, "refresh");
  return events
    .filter((event) => event.kind === "verify" && saysEnded(event) && !(asked.get(event.sid) < event.end))
    .filter((event) => lateness(refreshes.get(event.sid) ?? [], grace / 2).size === 0)
    .map((event) => violation(event, `${event.code}, though nobody had ended its session`));
}

/** The refreshes at which a session was outside of the conditions: a token used too late, until a later request brings a new one. */
function lateness(refreshes, longest) {
  // Whoever proves to hold a key is no thief, however late.
  if (refreshes[0]?.profile === "bound") return new Set();
  const firstUse = new Map();
  const late = new Set();
  let since = Infinity;
  for (const event of [...refreshes].sort((a, b) => a.begin - b.begin)) {
    if (!firstUse.has(event.token)) firstUse.set(event.token, event.begin);
    if (event.begin - firstUse.get(event.token) > longest) since = Math.min(since, event.begin);
    if (event.begin >= since) late.add(event);
    if (OK(event) && event.rotated) since = Infinity;
    // A session without a token of its own in dispute starts afresh.
    if (OK(event)) firstUse.delete(event.token);
  }
  return late;
}

/**
 * D1: what was acknowledged is there at the end: accounts, sessions, ends of sessions, rotations. What the end was not asked about is
 * not there.
 */
export function checkD1(events, { grace }) {
  const sessions = new Map(events.filter((event) => event.kind === "session").map((event) => [event.sid, event]));
  const accounts = new Map(events.filter((event) => event.kind === "account").map((event) => [event.email, event]));
  const asked = firstBegins(events);
  const found = events.filter((event) => event.kind === "lost").map((event) => violation(event, "a rotation was forgotten"));
  for (const event of events) {
    if (!OK(event)) continue;
    if (event.kind === "signin" || event.kind === "revoke") {
      const session = sessions.get(event.sid);
      if (!session?.listed) found.push(violation(event, "the session is not listed at the end"));
      else if (event.kind === "revoke" && !session.ended) found.push(violation(event, "the session is not ended at the end"));
    }
    if ((event.kind === "register" || event.kind === "signin") && accounts.get(event.email)?.status !== 200) {
      found.push(violation(event, `the account cannot sign in at the end: ${accounts.get(event.email)?.status}`));
      accounts.set(event.email, { status: 200 });
    }
  }
  const refreshes = bySession(events, "refresh");
  for (const [sid, session] of sessions) {
    if (!session.ended || asked.has(sid)) continue;
    const late = lateness(refreshes.get(sid) ?? [], grace / 2);
    if (late.size === 0) found.push(violation(session, `ended (${session.reason}), though nobody had ended it`));
  }
  return found;
}

/** When each session's end was first answered by an answer of that kind. */
function firstEnds(events, counts) {
  return first(events.filter((event) => event.kind === "revoke" && counts(event)), "end");
}

/** When somebody first asked for the end of each session: from then on it may be ended, whether they were told so or not. */
function firstBegins(events) {
  return first(events.filter((event) => event.kind === "revoke"), "begin");
}

function first(events, time) {
  const found = new Map();
  for (const event of events) found.set(event.sid, Math.min(event[time], found.get(event.sid) ?? Infinity));
  return found;
}

function bySession(events, kind) {
  const found = new Map();
  for (const event of events) {
    if (event.kind !== kind) continue;
    if (!found.has(event.sid)) found.set(event.sid, []);
    found.get(event.sid).push(event);
  }
  return found;
}

const since = (event, times) => `${(event.begin - times.get(event.sid)).toFixed(1)} ms`;

const violation = (event, what) => ({ what, event });
