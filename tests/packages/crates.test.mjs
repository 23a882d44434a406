// The crates: cargo takes them as it would for a registry. Whether what is in them compiles is shown by `cargo publish --dry-run` without
// `--no-verify`, before a release: it builds all of them once more.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { run } from "../support/processes.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
const CRATES = ["counterfoil", "counterfoil-core", "counterfoil-guard", "counterfoil-scan"];

test("all crates can be published, in one go, and no other member of the workspace", () => {
  const args = ["publish", "--workspace", "--dry-run", "--no-verify", "--allow-dirty", "--locked", "--color", "never"];
  const said = spawnSync("cargo", args, { cwd: root, encoding: "utf8" });
  assert.equal(said.status, 0, said.stderr);
  // Tests stay in the repository, where their vectors are.
  assert.doesNotMatch(said.stderr, /^warning: (?!aborting upload due to dry run|ignoring test )/m);
  const uploaded = [...said.stderr.matchAll(/Uploading ([\w-]+) v/g)].map(([, name]) => name);
  assert.deepEqual(uploaded.sort(), CRATES);
});

for (const name of CRATES) {
  test(`${name}: licences and a page for the registry are in it, tests are not`, async () => {
    const files = (await run("cargo", ["package", "--list", "--allow-dirty", "--package", name, "--manifest-path", `${root}/Cargo.toml`])).split("\n");
    for (const needed of ["Cargo.toml", "LICENSE-APACHE", "LICENSE-MIT", "README.md"]) assert.ok(files.includes(needed), `no ${needed}`);
    assert.deepEqual(files.filter((file) => file.startsWith("tests/")), []);
  });
}

test("every copy of the licences says what the first one says", async () => {
  const folders = [...CRATES.map((name) => `crates/${name}`), "packages/client", "packages/guard", "packages/guard-python"];
  for (const licence of ["LICENSE-APACHE", "LICENSE-MIT"]) {
    const first = await readFile(`${root}/${licence}`, "utf8");
    for (const folder of folders) assert.equal(await readFile(`${root}/${folder}/${licence}`, "utf8"), first, `${folder}/${licence}`);
  }
});
