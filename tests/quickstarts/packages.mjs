// The packages of this tree in place of published ones: packed as they would be published, so that what is missing in a package fails here.

import { rmSync } from "node:fs";
import { cp, mkdtemp, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { run } from "../support/processes.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
const FOLDERS = { "@counterfoil/guard": "packages/guard", "@counterfoil/client": "packages/client" };
const making = new Map();

/** Names that commands install are replaced by what is packed of this tree. */
export async function packed(script) {
  let text = script;
  for (const [name, folder] of Object.entries(FOLDERS)) {
    const installs = new RegExp(`^(npm install .*)${name}(?=\\s)`, "gm");
    if (installs.test(text)) text = text.replaceAll(installs, `$1file:${await archive(name, folder)}`);
  }
  return text.replaceAll(/^(.*pip install .*?)counterfoil-guard/gm, `$1${join(root, "packages/guard-python")}`);
}

/** Built and packed once for a test file. */
function archive(name, folder) {
  if (!making.has(name)) making.set(name, make(folder));
  return making.get(name);
}

/** In a copy: the package itself may be in use by another test. Its `npm ci` has been run, as for its own tests. */
async function make(folder) {
  const place = await mkdtemp(join(tmpdir(), "counterfoil-package-"));
  process.once("exit", () => rmSync(place, { recursive: true, force: true }));
  const copy = join(place, "package");
  const filter = (source) => !["node_modules", "dist"].includes(basename(source));
  await cp(join(root, folder), copy, { recursive: true, filter });
  await symlink(join(root, folder, "node_modules"), join(copy, "node_modules"));
  const said = await run("npm", ["pack", "--json", "--pack-destination", place, copy]);
  return join(place, JSON.parse(said)[0].filename);
}
