// What is done to a user is done to each of their sessions: here it is spelled out, so that the rules about sessions judge it. And who
// is banned does not sign in. Pure functions, as in `check.mjs`.

import { acknowledged } from "./history.mjs";

/**
 * How long after it was asked for something may take effect that nobody has acknowledged, in milliseconds: longer than a server
 * waits for its store.
 */
const LATE = 10_000;

/** The events, and an end of each session that an end of all of its user's has reached, or may have reached. */
export function spelledOut(events) {
  const begun = events.filter((event) => event.kind === "signin" && event.sid);
  const ends = events.filter((event) => event.kind === "revoke user");
  return [...events, ...ends.flatMap((end) => begun.filter((signin) => isReached(signin, end)).map((signin) => endOf(signin, end)))];
}

function isReached(signin, end) {
  const until = acknowledged(end) ? end.end : Math.max(end.end, end.begin + LATE);
  return signin.email === end.email && signin.begin < until;
}

/** A sign-in under way comes before the end or after it; nobody has promised which. */
function endOf(signin, end) {
  const sure = signin.end < end.begin;
  return { ...end, kind: "revoke", sid: signin.sid, ...(!sure && { status: 0, effective: false }) };
}

/** D1, of bans: no sign-in that begins after a ban was acknowledged succeeds, until somebody asks for it to be lifted. */
export function checkBans(events) {
  const found = [];
  for (const ban of events.filter((event) => isBan(event) && acknowledged(event))) {
    const lifted = Math.min(...liftings(events, ban).map((event) => event.begin));
    const after = (event) => event.kind === "signin" && event.email === ban.email && event.begin > ban.end && event.end < lifted;
    for (const event of events.filter((event) => after(event) && acknowledged(event))) {
      found.push({ what: `signed in ${(event.begin - ban.end).toFixed(1)} ms after a ban was acknowledged`, event });
    }
  }
  return found;
}

/** Whether a sign-in may have been refused because of a ban: one was asked for, and had not been lifted for certain. */
export function mayBeBanned(events, signin) {
  return events.some((ban) => isBan(ban) && ban.email === signin.email && ban.begin < signin.end && !isLifted(events, ban, signin.begin));
}

/** A ban that nobody has acknowledged may take effect after somebody has lifted what there was. */
function isLifted(events, ban, before) {
  const since = acknowledged(ban) ? ban.begin : ban.begin + LATE;
  return liftings(events, ban).some((event) => acknowledged(event) && event.begin > since && event.end < before);
}

const isBan = (event) => event.kind === "revoke user" && event.ban;

function liftings(events, ban) {
  return events.filter((event) => event.kind === "unban" && event.email === ban.email && event.begin > ban.begin);
}
