// The Python package: its wheel.

import assert from "node:assert/strict";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { run } from "../support/processes.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** What of a wheel's metadata somebody is bound by, and the names of its files. */
const LOOK = `
import sys, zipfile
from email import message_from_bytes
with zipfile.ZipFile(sys.argv[1]) as wheel:
    names = wheel.namelist()
    [metadata] = [name for name in names if name.endswith(".dist-info/METADATA")]
    said = message_from_bytes(wheel.read(metadata))
needs = [need for need in said.get_all("Requires-Dist", []) if "extra ==" not in need]
print("|".join([said["Requires-Python"], said["License-Expression"], *needs]))
print(*names, sep="\\n")
`;

test("counterfoil-guard: pip makes a wheel of it that needs one library, is typed and has nothing else in it", async (t) => {
  const place = await mkdtemp(join(tmpdir(), "counterfoil-wheel-"));
  t.after(() => rm(place, { recursive: true, force: true }));
  const python = join(root, "target/guard-python/bin/python");
  await run(python, ["-m", "pip", "--quiet", "--disable-pip-version-check", "wheel", "--no-deps", "--wheel-dir", place, join(root, "packages/guard-python")]);
  const [wheel, ...others] = await readdir(place);
  assert.match(wheel, /^counterfoil_guard-[\d.]+-py3-none-any\.whl$/);
  assert.deepEqual(others, []);
  const [bound, ...files] = (await run(python, ["-c", LOOK, join(place, wheel)])).split("\n");
  assert.equal(bound, ">=3.10|Apache-2.0 OR MIT|cryptography>=44");
  assert.ok(files.includes("counterfoil_guard/py.typed"));
  for (const name of ["LICENSE-APACHE", "LICENSE-MIT"]) assert.ok(files.some((file) => file.endsWith(`/licenses/${name}`)), `no ${name}`);
  const beside = files.filter((file) => !/^counterfoil_guard(\/\w+)*\/(\w+\.py|py\.typed)$/.test(file) && !file.includes(".dist-info/"));
  assert.deepEqual(beside, []);
});
