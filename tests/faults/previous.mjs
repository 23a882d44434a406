// The server as it was: COUNTERFOIL_PREVIOUS names the program, or else it is built below `target/previous`, from the commit or the tag
// that the file `previous` names. So an upgrade is one between two real programs.

import { existsSync } from "node:fs";
import { mkdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { output } from "./owned.mjs";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const FOLDER = join(ROOT, "target/previous");
/** A release build with all that it depends on. */
const BUILT_WITHIN = 40 * 60_000;

/** The program of the version before this one. `say` is told when it has to be built, which takes minutes. */
export async function previousBinary(say = () => {}) {
  const given = process.env.COUNTERFOIL_PREVIOUS;
  if (given && !existsSync(given)) throw new Error(`COUNTERFOIL_PREVIOUS is ${given}, and there is no such file`);
  return given || build(await commitOf(await named()), say);
}

/** The name in the file. */
export async function named() {
  const lines = (await readFile(new URL("previous", import.meta.url), "utf8")).split("\n").map((line) => line.trim());
  return lines.find((line) => line && !line.startsWith("#"));
}

/** Which commit of this history that is. */
export async function commitOf(name) {
  const found = await output("git", ["-C", ROOT, "rev-parse", "--verify", "--quiet", `${name}^{commit}`]);
  if (found.code === 0) return found.out;
  const why = (await output("git", ["-C", ROOT, "rev-parse", "--is-shallow-repository"])).out === "true"
    ? "this clone is shallow; git fetch --unshallow brings the rest"
    : "git fetch --tags may bring it";
  throw new Error(`the version before this one, ${name}, is not in the history: ${why}, or COUNTERFOIL_PREVIOUS names a program`);
}

/** A folder for each commit: what stands in one is never changed, so that what has been built from it stays good. */
async function build(commit, say) {
  const source = join(FOLDER, commit);
  if (!existsSync(source)) await extract(commit, source);
  say(`building ${commit.slice(0, 12)}, the version before this one`);
  const args = ["build", "--release", "--locked", "--quiet", "-p", "counterfoil", "--target-dir", join(FOLDER, "build")];
  const built = await output("cargo", args, { cwd: source, timeout: BUILT_WITHIN });
  if (built.code !== 0) throw new Error(`the version before this one cannot be built: ${built.err.slice(-2_000)}`);
  return join(FOLDER, "build/release/counterfoil");
}

/** Under its name only once it is whole. */
async function extract(commit, source) {
  const [unfinished, archive] = [`${source}.unfinished`, `${source}.tar`];
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished, { recursive: true });
  await must("git", ["-C", ROOT, "archive", "--output", archive, commit]);
  await must("tar", ["-xf", archive, "-C", unfinished]);
  await rm(archive);
  await rename(unfinished, source);
}

async function must(program, args) {
  const done = await output(program, args);
  if (done.code !== 0) throw new Error(`${program} ${args.join(" ")}: ${done.err || done.out}`);
}
