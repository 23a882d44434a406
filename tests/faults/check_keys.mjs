// Whether signing keys come and go as docs/design.md says: a rotation locks nobody out, and what a revoked key has signed is refused.
// Pure functions, as in `check.mjs`. Events name the key of the token that they are about as `kid`.

import { acknowledged } from "./history.mjs";

/** By invariant, what is violated. */
export function checkKeys(events, rules) {
  const revocations = events.filter((event) => event.kind === "revoke key");
  const bound = bounds(revocations, rules);
  const asked = earliest(revocations, "begin", () => true);
  const [S2, S3] = [[], []];
  for (const event of events) {
    const late = bound(event);
    if (event.kind === "verify" && event.accepted && late) S2.push({ what: `accepted ${late}`, event });
    if (event.kind === "refresh" && acknowledged(event) && late) S3.push({ what: `given a token of a key ${late}`, event });
    const refused = event.kind === "verify" && event.code === "token_invalid" && event.kid;
    // A revocation that has been asked for may be in force before anybody is told so.
    if (refused && !(asked.get(event.kid) < event.end)) S3.push({ what: "refused for its key, which nobody has revoked", event });
  }
  return { S2, S3, D1: checkRing(events) };
}

/** Says how late an event is about a revoked key, if that is later than it may be. */
function bounds(revocations, { maxStaleness, margin }) {
  const told = earliest(revocations, "end", acknowledged);
  const effective = earliest(revocations, "end", (event) => acknowledged(event) && event.effective);
  return ({ kid, begin }) => {
    if (begin > effective.get(kid)) return `${(begin - effective.get(kid)).toFixed(1)} ms after a receipt said that its key was revoked`;
    if (begin > told.get(kid) + maxStaleness + margin) return `${(begin - told.get(kid)).toFixed(1)} ms after its key was revoked`;
    return undefined;
  };
}

/** Whether what has signed this event's token may have been revoked by then. */
export const mayBeRevoked = (events, { kid, end }) =>
  events.some((event) => event.kind === "revoke key" && event.kid === kid && event.begin < end);

/** D1: what the ring at the end must say. What the end was not asked about is not so. */
function checkRing(events) {
  const states = new Map(events.filter((event) => event.kind === "key").map((event) => [event.kid, event.state]));
  const found = [];
  for (const event of events.filter(acknowledged)) {
    if (event.kind === "revoke key" && states.get(event.kid) !== "revoked") {
      found.push({ what: `the key is ${states.get(event.kid)} at the end, and not revoked`, event });
    }
    if (event.kind === "rotate" && ["next", undefined].includes(states.get(event.to))) {
      found.push({ what: `the key that was to sign is ${states.get(event.to)} at the end`, event });
    }
    if (event.kind === "rotate" && ["next", "active", undefined].includes(states.get(event.from))) {
      found.push({ what: `the key that was to sign no more is ${states.get(event.from)} at the end`, event });
    }
  }
  return found;
}

function earliest(events, time, counts) {
  const found = new Map();
  for (const event of events.filter(counts)) found.set(event.kid, Math.min(event[time], found.get(event.kid) ?? Infinity));
  return found;
}
