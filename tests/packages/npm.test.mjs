// The npm packages: what is in them, whether their entries and types are found by every way to resolve modules, and what comes along.

import assert from "node:assert/strict";
import { cp, mkdir, mkdtemp, readFile, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { run } from "../support/processes.mjs";

const here = fileURLToPath(new URL(".", import.meta.url));
const root = join(here, "../..");
const tool = (name) => join(here, "node_modules/.bin", name);

/** By folder: what a package needs at run time, and how each entry is used. */
const PACKAGES = {
  client: {
    needs: {},
    use: `
      import { createClient } from "@counterfoil/client";
      import { takeOver } from "@counterfoil/client/migrate";
      import { signInWithPasskey } from "@counterfoil/client/passkeys";
      import { useSession } from "@counterfoil/client/react";
      import { fetchWithProof } from "@counterfoil/client/step-up";
      export const all = [createClient, takeOver, signInWithPasskey, useSession, fetchWithProof];`,
  },
  guard: {
    needs: { jose: "^6.2.17" },
    use: `
      import { createGuard } from "@counterfoil/guard";
      import { createGuard as edge } from "@counterfoil/guard/edge";
      import { authenticate as express } from "@counterfoil/guard/express";
      import { authenticate as fastify } from "@counterfoil/guard/fastify";
      import { authenticate as hono } from "@counterfoil/guard/hono";
      import { protect } from "@counterfoil/guard/next";
      import { requireAuth } from "@counterfoil/guard/next/page";
      export const all = [createGuard, edge, express, fastify, hono, protect, requireAuth];`,
  },
};

let place;
before(async () => { place = await mkdtemp(join(tmpdir(), "counterfoil-packages-")); });
after(() => rm(place, { recursive: true, force: true }));

for (const [name, { needs, use }] of Object.entries(PACKAGES)) {
  test(`@counterfoil/${name}: packed as it would be published, it is whole and has nothing else in it`, async () => {
    const folder = await copied(name);
    const [made] = JSON.parse(await run("npm", ["pack", "--json", "--pack-destination", place, folder]));
    const files = made.files.map((file) => file.path);
    const beside = files.filter((path) => !/^dist\/src\/\w+\.(d\.ts|js)$/.test(path)).sort();
    assert.deepEqual(beside, ["LICENSE-APACHE", "LICENSE-MIT", "README.md", "package.json"]);
    const sources = (await readdir(join(folder, "src"))).length;
    assert.equal(files.length - beside.length, 2 * sources, "each source as code and as types");

    const manifest = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
    assert.deepEqual(manifest.dependencies ?? {}, needs);
    for (const peer of Object.keys(manifest.peerDependencies)) assert.ok(manifest.peerDependenciesMeta[peer].optional, `${peer} is forced on everybody`);
    for (const script of ["preinstall", "install", "postinstall"]) assert.equal(manifest.scripts[script], undefined, "nothing runs where it is installed");

    const { messages } = await publint({ pkgDir: folder, strict: true });
    assert.deepEqual(messages.map((message) => formatMessage(message, manifest)), []);
    await run(tool("attw"), ["--profile", "esm-only", "--no-emoji", join(place, made.filename)]);
    await resolved(name, join(place, made.filename), use);
  });
}

/** The package, apart: it is built anew by packing it, and another test may be using the one of the tree. */
async function copied(name) {
  const folder = join(place, name);
  const kept = (source) => !["node_modules", "dist"].includes(basename(source));
  await cp(join(root, "packages", name), folder, { recursive: true, filter: kept });
  await symlink(join(root, "packages", name, "node_modules"), join(folder, "node_modules"));
  return folder;
}

/** Somebody's program with the package: its types hold together, whichever way modules are resolved, and every entry can be imported. */
async function resolved(name, archive, use) {
  const program = join(place, `uses-${name}`);
  const modules = join(program, "node_modules");
  await mkdir(join(modules, "@counterfoil", name), { recursive: true });
  await run("tar", ["-xzf", archive, "--strip-components=1", "-C", join(modules, "@counterfoil", name)]);
  // The frameworks, and what the package needs, as they are installed for its own tests.
  const installed = join(root, "packages", name, "node_modules");
  for (const entry of await readdir(installed)) if (!entry.startsWith(".")) await symlink(join(installed, entry), join(modules, entry));
  await writeFile(join(program, "package.json"), '{"type":"module"}');
  await writeFile(join(program, "use.ts"), use);
  for (const [module, resolution] of [["nodenext", "nodenext"], ["esnext", "bundler"]]) {
    await run(tool("tsc"), ["--noEmit", "--strict", "--target", "es2022", "--module", module, "--moduleResolution", resolution,
      "--lib", "es2023,dom,dom.iterable", "--skipLibCheck", "--ignoreConfig", join(program, "use.ts")]);
  }
  const entries = [...use.matchAll(/import \{ (\w+).* from "(.+)";/g)];
  assert.ok(entries.length > 4);
  const imports = entries.map(([, what, from]) => `if (typeof (await import(${JSON.stringify(from)})).${what} !== "function") throw new Error("${from}: no ${what}");`);
  await writeFile(join(program, "use.mjs"), imports.join("\n"));
  await run(process.execPath, [join(program, "use.mjs")]);
}
