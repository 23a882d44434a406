// The short form of the fault tests: the four most important scenarios against real parts. What is checked, and that the checks can
// fail, is in `check.test.mjs`; all scenarios run with `node run.mjs`.

import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { own } from "./owned.mjs";

const RUN = fileURLToPath(new URL("run.mjs", import.meta.url));

async function run(t, ...args) {
  const running = own(process.execPath, [RUN, ...args], { last: "SIGTERM" });
  const { code } = await running.ended;
  for (const line of running.said.split("\n")) t.diagnostic(line);
  assert.equal(code, 0, running.said);
}

test("S1, S2, S3, D1 hold while a replica, the primary, a line and Redis fail", { timeout: 180_000 }, (t) => run(t, "--short"));

// Its replicas may stay out of service, and every wait for them then takes its whole time.
test("a store that forgets what it has acknowledged is seen to", { timeout: 180_000 }, (t) => run(t, "--control", "--seconds", "4"));
