// The lines that the guide gives for other frameworks hold together with what those frameworks and the guard export. Only that: no application of
// theirs is moved.

import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { ROOT } from "./application.mjs";
import { run } from "../support/processes.mjs";

const GUARD = join(ROOT, "packages/guard");

/** What stands around the lines, by framework. */
const AROUND = {
  Fastify: 'import { fastify as make } from "fastify"\nconst fastify = make()',
  Hono: 'import { Hono } from "hono"\nconst app = new Hono()',
  "Next.js": "declare function save(user: string, what: unknown): Response",
};

/** The lines that the first diff after a framework's name adds. */
function added(guide, framework) {
  const from = guide.indexOf(`**${framework}**`);
  assert.ok(from > 0, `the guide says nothing of ${framework}`);
  const [, diff] = /```diff\n([^]*?)```/.exec(guide.slice(from));
  return diff.split("\n").filter((line) => line.startsWith("+")).map((line) => line.slice(1)).join("\n");
}

test("the lines for Fastify, Hono and Next.js fit their types and the guard's", async (t) => {
  assert.ok(existsSync(join(GUARD, "dist/src/index.d.ts")), "run `npm ci && npm run build` in packages/guard first");
  const guide = await readFile(join(ROOT, "docs/guides/from-localstorage.md"), "utf8");
  const folder = await mkdtemp(join(tmpdir(), "counterfoil-lines-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  await mkdir(join(folder, "node_modules/@counterfoil"), { recursive: true });
  await symlink(GUARD, join(folder, "node_modules/@counterfoil/guard"));
  for (const name of ["fastify", "hono", "next"]) await symlink(join(GUARD, "node_modules", name), join(folder, "node_modules", name));
  const files = await Promise.all(Object.entries(AROUND).map(async ([framework, around]) => {
    const file = join(folder, `${framework}.ts`);
    const [imports, lines] = [[], []];
    for (const line of added(guide, framework).split("\n")) (line.startsWith("import ") ? imports : lines).push(line);
    await writeFile(file, `import type { Guard } from "@counterfoil/guard"\n${imports.join("\n")}\n${around}\ndeclare const guard: Guard\n${lines.join("\n")}\nexport {}\n`);
    return file;
  }));
  await run(join(GUARD, "node_modules/.bin/tsc"), ["--noEmit", "--strict", "--noImplicitAny", "false", "--skipLibCheck", "--target", "es2022", "--module", "esnext",
    "--moduleResolution", "bundler", "--types", "", "--ignoreConfig", ...files]);
});
