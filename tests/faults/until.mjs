// Waiting for something to become true, for so long and no longer.

import { setTimeout as pause } from "node:timers/promises";

export { pause };

/** Monotonic milliseconds, comparable between the processes of one machine. */
export const now = () => Number(process.hrtime.bigint()) / 1e6;

/** Tries until `attempt` returns something true; an error counts as not yet. */
export async function until(what, attempt, { within = 30_000, every = 50 } = {}) {
  const deadline = now() + within;
  let last;
  for (;;) {
    try {
      const found = await attempt();
      if (found) return found;
      last = undefined;
    } catch (error) {
      last = error;
    }
    if (now() > deadline) throw new Error(`not within ${within} ms: ${what}${last ? ` (${last.message})` : ""}`);
    await pause(every);
  }
}
