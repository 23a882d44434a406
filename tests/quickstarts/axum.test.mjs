// The quickstart of axum shows the example that tests/examples runs, and is otherwise what the other pages are: nothing is compiled here.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { blocksOf, root } from "./page.mjs";

test("axum: the page shows the example, and asks for the crates that it needs", async () => {
  const blocks = await blocksOf("axum");
  const example = await readFile(join(root, "examples/axum-api/src/main.rs"), "utf8");
  assert.equal(blocks.find(({ file }) => file === "src/main.rs").body, example);
  const manifest = blocks.find(({ language }) => language === "toml").body;
  const [shown, used] = [dependenciesIn(manifest), dependenciesIn(await readFile(join(root, "examples/axum-api/Cargo.toml"), "utf8"))];
  assert.deepEqual(Object.keys(shown), Object.keys(used));
  // Of what the workspace says it is the page that must name a version.
  for (const [name, said] of Object.entries(used)) if (!/workspace/.test(said)) assert.equal(shown[name], said, name);
  assert.match(shown["counterfoil-guard"], /features = \["axum"\]/);
});

test("axum: its commands are those of a page that is run as written", async () => {
  const commands = async (name) => (await blocksOf(name)).filter(({ language, body }) => language === "sh" && !/\b(npm|node|cargo)\b/.test(body)).map(({ body }) => body);
  assert.deepEqual(await commands("axum"), await commands("express"));
});

/** From the names of a manifest's dependencies to what it says of them. */
function dependenciesIn(manifest) {
  const [section] = manifest.split("[dependencies]\n")[1].split("\n\n");
  return Object.fromEntries(section.trim().split("\n").map((line) => /^([\w-]+)(?: = |\.)(.*)$/.exec(line).slice(1)));
}
