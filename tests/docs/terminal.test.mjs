// What the README shows of `counterfoil scan` is what it says of the example, to the letter. With PICTURES=1 it is drawn anew.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { draw } from "../support/terminal.mjs";

const root = fileURLToPath(new URL("../../", import.meta.url));
const COUNTERFOIL = process.env.COUNTERFOIL_BIN ?? join(root, "target/debug/counterfoil");

test("scan: the picture is what it says of an application with tokens in localStorage, and of the same one after the move", async () => {
  const said = (folder) => spawnSync(COUNTERFOIL, ["scan", folder], { cwd: join(root, "examples/from-localstorage"), encoding: "utf8" });
  const [before, after] = [said("before"), said("after")];
  assert.deepEqual([before.status, after.status], [1, 0], before.stderr + after.stderr);
  const lines = ["$ counterfoil scan before", ...before.stdout.trimEnd().split("\n"), "", "$ counterfoil scan after", after.stdout.trimEnd()];
  const picture = draw(lines, "What is wrong with the example before its move: each finding with file, line, reason and fix. After it nothing is.");
  const file = join(root, "docs/images/scan.svg");
  if (process.env.PICTURES) await writeFile(file, picture);
  assert.equal(await readFile(file, "utf8"), picture, "PICTURES=1 draws it anew");
});
