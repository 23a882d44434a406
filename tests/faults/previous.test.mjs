// Whoever has no version before this one at hand is told what to do. That it is built and upgraded from is shown by `run.mjs`.

import assert from "node:assert/strict";
import { test } from "node:test";
import { commitOf, named, previousBinary } from "./previous.mjs";

test("a program that is named and not there is not replaced by another", async () => {
  process.env.COUNTERFOIL_PREVIOUS = "/there/is/no/such/program";
  await assert.rejects(previousBinary(), /COUNTERFOIL_PREVIOUS is \/there\/is\/no\/such\/program, and there is no such file/);
});

test("a version that is not in the history is told by its name, with a way out", async () => {
  await assert.rejects(commitOf("v0.0.0-never"), /v0\.0\.0-never, is not in the history: .*git fetch.*COUNTERFOIL_PREVIOUS/);
  assert.match(await commitOf("HEAD"), /^[0-9a-f]{40}$/);
});

test("the file names one version, beside its comments", async () => {
  assert.match(await named(), /^[\w.-]+$/);
});
