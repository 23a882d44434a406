// The pictures of docs/how-it-works.md are what a real server does: each scenario is run again, and what it shows, but for the times, is what
// the picture says.
//
// With PICTURES=1 what was seen is drawn anew. COUNTERFOIL_BIN and COUNTERFOIL_GUARD name another server and another build of the guard.

import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { test } from "node:test";
import { draw, withoutTimes } from "./draw.mjs";
import { keyRotation } from "./key_rotation.mjs";
import { race } from "./race.mjs";
import { signOut } from "./sign_out.mjs";
import { theft } from "./theft.mjs";

const PICTURES = { "how-race": race, "how-theft": theft, "how-sign-out": signOut, "how-key-rotation": keyRotation };

for (const [name, scenario] of Object.entries(PICTURES)) {
  test(`${name}: the picture says what the server does`, { timeout: 120_000 }, async (t) => {
    const file = new URL(`../../docs/images/${name}.svg`, import.meta.url);
    const seen = draw(await scenario(t));
    if (process.env.PICTURES) await writeFile(file, seen);
    const drawn = await readFile(file, "utf8");
    assert.equal(withoutTimes(seen), withoutTimes(drawn), `what was seen is not what docs/images/${name}.svg says: PICTURES=1 draws it anew`);
  });
}
