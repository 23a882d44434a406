// The demonstration of a stolen cookie jar, as anybody runs it.

import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { run } from "../support/processes.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));

test("a copied cookie jar is refused and reported, in one command", async () => {
  const said = await run(process.execPath, [join(root, "examples/stolen-cookie/demo.mjs")]);
  assert.match(said, /^4\. .*401 proof_required\.$/m);
  assert.match(said, /^7\. .*device_proof_missing, session [\w-]{22}, from this machine\.$/m);
  assert.match(said, /^9\. .*401 refresh_invalid, signed_out\.$/m);
});
