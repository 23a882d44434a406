// Numbers about a history, and answers in it that are wrong whatever the invariants say.

import { mayBeRevoked } from "./check_keys.mjs";
import { mayBeBanned } from "./check_users.mjs";
import { acknowledged } from "./history.mjs";

const ASKED = new Set(["register", "signin", "refresh", "revoke"]);

/** What an administrator at work must have done, and what must have come of it. */
const GOVERNED = {
  "a rotation of the signing key": (event) => event.kind === "rotate" && acknowledged(event),
  "a revocation of the signing key": (event) => event.kind === "revoke key" && acknowledged(event),
  "a token refused for its key": (event) => event.kind === "verify" && event.code === "token_invalid",
  "an end of all sessions of a user": (event) => event.kind === "revoke user" && !event.ban && acknowledged(event),
  "a ban": (event) => event.kind === "revoke user" && event.ban && acknowledged(event),
  "a sign-in refused by a ban": (event) => event.kind === "signin" && event.status === 401,
};

/** What clients whose sessions are bound to a key, and those with an opaque cookie, must have seen. */
const APART = {
  "a bound token accepted at the gate": (event) => event.accepted && event.profile === "bound" && isGate(event),
  "a bound session refreshed": (event) => event.kind === "refresh" && event.profile === "bound" && event.rotated,
  "a proof that was used up, refused": (event) => event.kind === "replay" && event.code === "invalid_dpop_proof",
  "an opaque cookie accepted at the gate": (event) => event.accepted && event.profile === "opaque" && isGate(event),
  "an opaque cookie refused at the gate": (event) => event.code === "session_revoked" && event.profile === "opaque" && isGate(event),
};

/** Requests served, failures, and the longest time without any success. */
export function measure(events, span, trial) {
  const requests = events.filter((event) => (ASKED.has(event.kind) || isMe(event)) && event.status !== undefined);
  const answered = requests.filter((event) => event.status > 0);
  const failed = answered.filter((event) => event.status >= 500);
  for (const wrong of wrongAnswers(requests, events)) trial.problem(wrong);
  for (const missing of unexercised(events, trial.scenario)) trial.problem(missing);
  return {
    served: answered.length,
    failed: failed.length,
    internal: failed.filter((event) => event.status === 500).length,
    longest: longestWithout(answered, span),
  };
}

const isMe = (event) => event.kind === "verify" && event.replica !== undefined;

const isGate = (event) => event.kind === "verify" && event.verifier.startsWith("the gate");

/** The longest time in milliseconds in which nobody had a success. */
function longestWithout(answered, { begin, end }) {
  const successes = answered.filter((event) => event.status < 300).map((event) => event.end).sort((a, b) => a - b);
  let [longest, last] = [0, begin];
  for (const at of [...successes.filter((at) => at <= end), end]) {
    longest = Math.max(longest, at - last);
    last = at;
  }
  return longest;
}

/** What no honest request may be answered with, whatever has failed: each kind once, with how often. */
function wrongAnswers(requests, events) {
  const found = new Map();
  for (const event of requests) {
    const told = `${event.kind} (${event.replica}): ${event.status} ${event.code ?? ""}`;
    const refused = event.status >= 400 && event.status < 500;
    if (refused && !isAboutProof(event) && !(event.status === 401 && mayBe401(events, event))) count(found, `a wrong answer: ${told}`);
    if (event.status === 503 && event.retryAfter === null) count(found, `no Retry-After: ${told}`);
    if (event.status >= 500 && event.status !== 503) count(found, `a wrong answer: ${told}`);
  }
  return [...found].map(([what, times]) => `${what}, ${times} times`);
}

/** It is asked for another nonce, and has one now; or a thief was quicker. */
const isAboutProof = ({ code, again, raced }) => (code === "use_dpop_nonce" && again) || (code === "invalid_dpop_proof" && raced);

/** Who or whose session or key is not let in any more is told so. Whether rightly is for others to say. */
function mayBe401(events, event) {
  if (event.kind === "signin") return mayBeBanned(events, event);
  if (event.kind === "revoke") return event.code === "token_invalid" && mayBeRevoked(events, event);
  return event.kind === "refresh" || isMe(event);
}

/** What the load must have done for the checkers to have had something to check. */
function unexercised(events, { administrator, apart }) {
  const wanted = {
    "a refresh that rotated": (event) => event.kind === "refresh" && event.rotated,
    "a refresh of an ended session, refused": (event) => event.kind === "refresh" && event.code === "refresh_invalid",
    "a receipt": (event) => event.kind === "revoke" && event.effective,
    "an end without a receipt": (event) => event.kind === "revoke" && event.status === 204,
    "a token accepted by a guard": (event) => event.kind === "verify" && event.accepted,
    "a token refused by a guard": (event) => event.kind === "verify" && event.code === "session_revoked",
    "a token accepted at the gate": (event) => event.accepted && isGate(event),
    "a token refused at the gate": (event) => event.code === "session_revoked" && isGate(event),
    ...(administrator && GOVERNED),
    ...(apart && APART),
  };
  return Object.entries(wanted).filter(([, is]) => !events.some(is)).map(([what]) => `the load never saw ${what}`);
}

function count(found, what) {
  found.set(what, (found.get(what) ?? 0) + 1);
}
