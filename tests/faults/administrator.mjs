// How an administrator ends a session: as `counterfoil session revoke` does it, through the control socket of a replica.

import { ask } from "./ask.mjs";
import { now } from "./until.mjs";

/** A receipt comes after `max_staleness` at the latest. */
const PATIENCE = 8_000;

/** Asks one replica once, and records what came of it. `kind` of end is "with a receipt" or "without". Returns whether it is acknowledged. */
export async function endSession(history, { replica, control, sid, kind }) {
  const query = kind === "with a receipt" ? "?receipt=effective" : "";
  const event = { kind: "revoke", replica, sid, by: "administrator", begin: now() };
  const answer = await ask(control, "POST", `/api/admin/sessions/${sid}/revoke${query}`, { json: {}, within: PATIENCE });
  Object.assign(event, { end: now(), status: answer.status });
  if (answer.code) event.code = answer.code;
  if (answer.json.effective) event.effective = true;
  if (answer.status >= 500) event.retryAfter = answer.headers["retry-after"] ?? null;
  history.add(event);
  return answer.status === 200 || answer.status === 204;
}
