// The server that others' code is shown: a process with a data folder of its own, and everything that it is asked goes through here.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { freePort, run } from "../support/processes.mjs";
import { Secrets } from "../support/secrets.mjs";

const COUNTERFOIL = fileURLToPath(new URL("../../target/debug/counterfoil", import.meta.url));
const PASSWORD = "correct horse battery staple";
const JSON_TYPE = { "content-type": "application/json" };

/** What this process sends and is sent goes through `fetch`. */
export const secrets = new Secrets();
secrets.watchFetch();

/** Tries until there is something, and for so many seconds at most; what is thrown meanwhile counts as nothing. */
export async function until(what, attempt, seconds = 30) {
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    let failure;
    const found = await attempt().catch((error) => { failure = error; });
    if (found) return found;
    assert.ok(Date.now() < deadline, `${what}, for ${seconds} s: ${failure ?? found}`);
    await pause(50);
  }
}

export class Authority {
  #folder;
  #port;
  #child;
  #said = "";

  /** Starts a server with this configuration. */
  static async start(config) {
    const authority = new Authority();
    authority.#folder = await mkdtemp(join(tmpdir(), "counterfoil-interop-"));
    authority.#port = await freePort();
    await writeFile(join(authority.#folder, "counterfoil.toml"), config);
    await authority.resume();
    return authority;
  }

  get issuer() {
    return `http://localhost:${this.#port}`;
  }

  get #places() {
    return ["--data", join(this.#folder, "data"), "--config", join(this.#folder, "counterfoil.toml")];
  }

  /** Starts it, at the port and with the data that it had. */
  async resume() {
    this.#child = spawn(COUNTERFOIL, ["serve", "--listen", `127.0.0.1:${this.#port}`, ...this.#places], {
      env: { ...process.env, COUNTERFOIL_LOG: "debug", COUNTERFOIL_LOG_FORMAT: "json" }, stdio: ["ignore", "ignore", "pipe"],
    });
    this.#child.stderr.setEncoding("utf8").on("data", (text) => { this.#said += text; });
    await until("the server starts", async () => this.#child.exitCode !== null || (await fetch(`${this.issuer}/readyz`)).ok);
    assert.equal(this.#child.exitCode, null, this.#said);
  }

  /** Stops it, and keeps what it has. */
  async stop() {
    this.#child.kill("SIGTERM");
    if (this.#child.exitCode === null) await once(this.#child, "close");
  }

  /** Stops it for good, and looks for secrets in all that it has written. */
  async end() {
    await this.stop();
    const data = join(this.#folder, "data");
    secrets.kept(data);
    secrets.assertNotIn("the server's log", this.#said);
    secrets.assertNotStoredIn(data);
    assert.ok(this.#said.includes("stopping") && secrets.size > 20, "there is a log, and there are secrets");
    await rm(this.#folder, { recursive: true });
  }

  /** A command of the server's program, on its data. */
  run(args) {
    return run(COUNTERFOIL, [...args, ...this.#places]);
  }

  async json(path) {
    const answer = await fetch(`${this.issuer}${path}`);
    assert.equal(answer.status, 200, path);
    return answer.json();
  }

  async register(email) {
    const account = { method: "POST", headers: JSON_TYPE, body: JSON.stringify({ email, password: PASSWORD }) };
    assert.ok((await fetch(`${this.issuer}/api/auth/register`, account)).ok, email);
  }

  /** The tokens of a new session at an application with the profile `native`. */
  async signIn(email, client_id) {
    const body = JSON.stringify({ email, password: PASSWORD, client_id });
    const answer = await fetch(`${this.issuer}/api/auth/login`, { method: "POST", headers: JSON_TYPE, body });
    assert.equal(answer.status, 200);
    return answer.json();
  }

  async signOut({ refresh_token }) {
    const body = JSON.stringify({ refresh_token });
    const answer = await fetch(`${this.issuer}/api/auth/refresh`, { method: "DELETE", headers: JSON_TYPE, body });
    assert.equal(answer.status, 204);
  }
}
