// The notes application in a folder of its own, started and stopped as its guide says: `npm start`.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdir, mkdtemp, readFile, realpath, rm, symlink } from "node:fs/promises";
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { freePort } from "../support/processes.mjs";
import { Secrets } from "../support/secrets.mjs";

export const ROOT = fileURLToPath(new URL("../..", import.meta.url));
export const EXAMPLES = "examples/from-localstorage";
const COUNTERFOIL = process.env.COUNTERFOIL_BIN ?? join(ROOT, "target/debug/counterfoil");
const MADE_BY_RUNNING = new Set(["node_modules", "data", "dist", ".env", "package-lock.json"]);
const PATIENCE_MS = 60_000;
const DAY_MS = 24 * 3600 * 1000;

/** What these tests send and are sent. What Counterfoil writes is searched for it. */
export const secrets = new Secrets();
secrets.watchFetch();

/** Waits until `attempt` gives something true, and gives that back. */
export async function until(what, attempt) {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const found = await attempt();
    if (found) return found;
    assert.ok(Date.now() < deadline, `${what}: not within ${PATIENCE_MS} ms`);
    await pause(20);
  }
}

const tomorrow = () => new Date(Date.now() + DAY_MS).toISOString().replace(/\.\d+/, "");

/** Whether a file of an application's folder is source, and not made by running it. */
export const isSource = (path) => !MADE_BY_RUNNING.has(basename(path));

/** A folder laid out as this repository is, as far as the examples need it. It goes with the test, and so does all that runs in it. */
export class Workspace {
  #ends = [];
  /** `http://localhost:PORT`: the same for every application that runs here, one after the other. */
  url;

  static async make(t) {
    const it = new Workspace();
    it.folder = await realpath(await mkdtemp(join(tmpdir(), "counterfoil-migration-")));
    it.port = await freePort();
    it.url = `http://localhost:${it.port}`;
    t.after(() => it.#leave());
    await mkdir(join(it.folder, EXAMPLES), { recursive: true });
    await mkdir(join(it.folder, "bin"));
    await symlink(COUNTERFOIL, join(it.folder, "bin/counterfoil"));
    await symlink(join(ROOT, "packages"), join(it.folder, "packages"));
    return it;
  }

  /** A copy of `before` or `after`, with what is installed in the repository if `installed`. */
  async copy(name, { installed = true } = {}) {
    const from = join(ROOT, EXAMPLES, name);
    const to = join(this.folder, EXAMPLES, name);
    await cp(from, to, { recursive: true, filter: (path) => isSource(path) || basename(path) === "package-lock.json" });
    if (installed) {
      assert.ok(existsSync(join(from, "node_modules")), `run \`npm ci\` in ${EXAMPLES}/${name} first`);
      await symlink(join(from, "node_modules"), join(to, "node_modules"));
    }
    return to;
  }

  /** What programs here are given: a port, and Counterfoil on the PATH. */
  #environment() {
    const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith("COUNTERFOIL"));
    return {
      ...Object.fromEntries(inherited),
      PATH: `${join(this.folder, "bin")}:${process.env.PATH}`,
      PORT: String(this.port),
      COUNTERFOIL__PUBLIC_URL: this.url,
      COUNTERFOIL__LISTEN: "127.0.0.1:0",
    };
  }

  /** Runs lines of a shell to their end, and gives what they print. One that fails ends it. */
  async run(lines, folder) {
    const child = spawn("sh", ["-ec", lines], { cwd: folder, env: this.#environment(), stdio: ["ignore", "pipe", "pipe"] });
    let said = "";
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => { said += text; });
    const [code] = await once(child, "close");
    assert.equal(code, 0, `${lines}\n${said}`);
    return said;
  }

  /** Has something ended with the test: the last first, and each whatever the others come to. */
  atEnd(end) {
    this.#ends.unshift(end);
  }

  async #leave() {
    const failures = [];
    for (const end of this.#ends) await end().catch((error) => failures.push(error));
    await rm(this.folder, { recursive: true, force: true });
    if (failures.length > 0) throw failures[0];
  }

  /** `npm start`, until it serves. */
  async start(folder) {
    const config = await readFile(join(folder, "counterfoil.toml"), "utf8").catch(() => "");
    // The time that the example names will have come some day.
    const closing = config.includes("[legacy.notes]") ? { COUNTERFOIL__LEGACY__NOTES__UNTIL: tomorrow() } : {};
    const child = spawn("npm", ["start"], {
      // Of a group of its own, so that all of it can be ended as Ctrl-C does.
      cwd: folder, detached: true, env: { ...this.#environment(), ...closing }, stdio: ["ignore", "pipe", "pipe"],
    });
    const application = new Application(child, folder, this.url);
    this.atEnd(() => application.stop());
    await until(`${folder} serves`, () => {
      assert.equal(child.exitCode, null, `${folder} has ended:\n${application.log}`);
      return application.log.includes(`notes: ${this.url}`);
    });
    return application;
  }
}

class Application {
  log = "";
  #child;
  #folder;
  #closed;

  constructor(child, folder, url) {
    this.#child = child;
    this.#folder = folder;
    this.url = url;
    this.#closed = once(child, "close");
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => { this.log += text; });
  }

  /** A request of no browser. `token`, if given, goes in the header. */
  async ask(method, path, { body, headers = {}, token } = {}) {
    const answer = await fetch(this.url + path, {
      method,
      headers: { "Content-Type": "application/json", ...(token && { Authorization: `Bearer ${token}` }), ...headers },
      body: body && JSON.stringify(body),
    });
    const text = await answer.text();
    return { status: answer.status, headers: answer.headers, body: /json/.test(answer.headers.get("content-type")) ? JSON.parse(text) : text };
  }

  async stop() {
    if (this.#child.exitCode === null && this.#child.signalCode === null) process.kill(-this.#child.pid, "SIGTERM");
    await this.#closed;
    const data = join(this.#folder, "data/counterfoil");
    if (!existsSync(data)) return;
    secrets.kept(data);
    secrets.assertNotIn("the log", this.log);
    secrets.assertNotStoredIn(data);
  }
}
