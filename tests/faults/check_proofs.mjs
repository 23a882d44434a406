// Whether proofs of possession count once, and for those who make them. Pure functions, as in `check.mjs`. What was sent with a proof
// names it as `proof`; what a thief has sent once more is a `replay`.

import { acknowledged } from "./history.mjs";

/** No proof is accepted twice, at whatever replicas and in whatever order the two answers came. */
export function checkProofs(events) {
  const accepted = new Map();
  const found = [];
  for (const event of events.filter((event) => event.proof && acknowledged(event))) {
    const first = accepted.get(event.proof);
    if (first) found.push({ what: `a proof was accepted twice, the other time at replica ${first.replica}, at ${first.begin}`, event });
    else accepted.set(event.proof, event);
  }
  return found;
}

const REFUSED = new Set(["invalid_dpop_proof", "proof_required"]);

/** S3: a proof that nobody has used is not refused. That a thief was quicker (`raced`) is not the server's fault. */
export function checkHonestProofs(events) {
  return events
    .filter((event) => event.proof && event.kind !== "replay" && REFUSED.has(event.code) && !event.raced)
    .map((event) => ({ what: `${event.code}, though the proof was new`, event }));
}
