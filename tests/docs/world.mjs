// A real server whose clock can be set, somebody with an account, their browsers, and guards: what the pictures of docs/how-it-works.md are
// made of.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { rm, mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { ask, secrets } from "../faults/ask.mjs";
import { Replica } from "../faults/authority.mjs";

export const ACCESS = "__Host-cf_access";
export const REFRESH = "__Secure-cf_refresh";
const EMAIL = "ada@example.com";
const PASSWORD = "correct horse battery staple";
const root = fileURLToPath(new URL("../../", import.meta.url));
const SERVER = process.env.COUNTERFOIL_BIN ?? join(root, "target/debug/counterfoil");
const GUARD = process.env.COUNTERFOIL_GUARD ?? join(root, "packages/guard/dist/src/index.js");

/** A server of its own for each test, on a free port and in a temporary folder, gone when the test is over. */
export class World {
  #passed = 0;
  /** What has to be undone before the server is stopped. */
  #held = [];

  static async begin(t, settings = "") {
    const folder = await mkdtemp(join(tmpdir(), "counterfoil-docs-"));
    const world = new World();
    world.replica = await Replica.in(folder, {
      name: "authority", settings, masterKey: randomBytes(32).toString("base64url"), clock: "settable", program: SERVER,
    });
    t.after(async () => {
      await world.#end();
      await rm(folder, { recursive: true, force: true });
    });
    await world.replica.start();
    world.origin = `http://localhost:${world.replica.port}`;
    await world.replica.administer("POST", "/api/admin/users", { email: EMAIL, password: PASSWORD });
    return world;
  }

  async #end() {
    for (const end of this.#held) end();
    await this.replica.stop();
    secrets.assertNotIn("the log", this.replica.log);
    secrets.assertNotStoredIn(this.replica.data);
  }

  /** For the server so many seconds go by, at once. */
  pass(seconds) {
    this.#passed += seconds;
    this.replica.step(this.#passed);
  }

  /** From the next start on the clock that never jumps is set along with the other: what the server does once a minute is then due, too. */
  async everyClock() {
    await this.replica.stop();
    Object.assign(this.replica.environment, { DONT_FAKE_MONOTONIC: "0", FAKETIME_DONT_FAKE_MONOTONIC: "0" });
    await this.replica.start();
  }

  /** A browser in which she has signed in. */
  async browser() {
    const browser = new Browser(this);
    const answer = await browser.send("POST", "/api/auth/login", { json: { email: EMAIL, password: PASSWORD } });
    assert.equal(answer.status, 200, answer.text);
    return browser;
  }

  /** What came of refresh tokens meanwhile, as the server has counted it: `rotate, repeat`. */
  async decided(meanwhile) {
    const before = await this.#decisions();
    const come = await meanwhile();
    const after = await this.#decisions();
    const words = Object.keys(after).sort().reverse().flatMap((word) => Array.from({ length: after[word] - (before[word] ?? 0) }, () => word));
    return [come, words.join(", ")];
  }

  async #decisions() {
    const { text } = await ask(this.replica.port, "GET", "/metrics");
    const counts = text.matchAll(/^counterfoil_refresh_total\{decision="(\w+)"\} (\d+)$/gm);
    return Object.fromEntries([...counts].map(([, decision, count]) => [decision, Number(count)]));
  }

  /** An API's guard, ready to judge. */
  async guard(name) {
    const { credential } = await this.replica.administer("POST", "/api/admin/guards", { name });
    secrets.add("credential", credential);
    const { createGuard } = await import(pathToFileURL(GUARD));
    const guard = createGuard({ issuer: this.origin, audience: "web", feed: { url: this.origin, credential } });
    this.#held.push(() => guard.close());
    await guard.ready();
    return guard;
  }
}

/** Keeps cookies as browsers do: the last one counts. */
export class Browser {
  cookies = new Map();

  constructor(world) {
    this.world = world;
  }

  /** Asks as a page of the server's own does. The answer's cookies are kept, also those that are taken away. */
  async send(method, path, options = {}) {
    const headers = { Origin: this.world.origin, "X-Requested-With": "page", Cookie: this.#sent() };
    const answer = await ask(this.world.replica.port, method, path, { headers, ...options });
    answer.cookies = new Map((answer.headers["set-cookie"] ?? []).map((cookie) => cookie.split(";")[0].split(/=(.*)/s)));
    for (const [name, value] of answer.cookies) {
      if (value) this.cookies.set(name, value);
      else this.cookies.delete(name);
    }
    return answer;
  }

  refresh() {
    return this.send("POST", "/api/auth/refresh");
  }

  me() {
    return this.send("GET", "/api/auth/me");
  }

  /** Somebody else's browser, with copies of some of this one's cookies. */
  copy(...names) {
    const thief = new Browser(this.world);
    thief.cookies = new Map(names.map((name) => [name, this.cookies.get(name)]));
    return thief;
  }

  get access() {
    return this.cookies.get(ACCESS);
  }

  #sent() {
    return [...this.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
  }
}

/** What docs/design.md says a refresh token is made of: the generation, and the nonce that tells siblings apart. */
export function read(token) {
  assert.ok(token, "there is no refresh token to read: the answer brought none, or took it away");
  const bytes = Buffer.from(token.slice("cfr_".length), "base64url");
  return { generation: bytes.readUInt32BE(18), nonce: bytes.subarray(22, 30).toString("hex") };
}

/** An answer in a few words: `200`, `401 refresh_reuse`, `401 refresh_invalid (suspected_theft)`. */
export const inWords = ({ status, code, json }) => [status, code, json.reason && `(${json.reason})`].filter(Boolean).join(" ");

/** When a token was made, in milliseconds. */
export const issuedAt = (token) => JSON.parse(Buffer.from(token.split(".")[1], "base64url")).iat * 1_000;

/** The key that has signed a token. */
export const keyOf = (token) => JSON.parse(Buffer.from(token.split(".")[0], "base64url")).kid;
