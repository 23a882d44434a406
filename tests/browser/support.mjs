// Starts the real server and a real browser, and stops both.

import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { after, before } from "node:test";
import { chromium } from "playwright-core";
import { Secrets } from "../support/secrets.mjs";

const BINARY = process.env.COUNTERFOIL_BIN
  ?? fileURLToPath(new URL("../../target/debug/counterfoil", import.meta.url));
const CHROMIUM = process.env.CHROMIUM_BIN ?? "/usr/bin/chromium";
const CHROMIUM_FLAGS = [
  "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
  "--disable-component-update", "--disable-sync", "--no-first-run",
];
const LISTENING = /^Counterfoil is listening on (https?:\/\/localhost:\d+) \(127\.0\.0\.1:(\d+)\)$/m;
const run = promisify(execFile);
const START_MS = 30_000;
const STOP_MS = 10_000;
const PATIENCE_MS = 20_000;

/** What this process and its browsers send and are sent. A server's log and data folder are searched for it when it stops. */
const secrets = new Secrets();
secrets.watchFetch();

/** Waits until `condition` gives something true, and gives that back. */
export async function until(what, condition, { within = PATIENCE_MS, every = 20 } = {}) {
  const deadline = Date.now() + within;
  for (;;) {
    const found = await condition();
    if (found) return found;
    assert.ok(Date.now() < deadline, `${what}: not within ${within} ms`);
    await pause(every);
  }
}

// ---- The server -------------------------------------------------------------------------------

/** Starts a server on a free port, with its own data folder. `settings` are environment variables, `args` further ones of `serve`. */
export async function startServer(settings = {}, args = []) {
  const folder = await mkdtemp(join(tmpdir(), "counterfoil-browser-"));
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith("COUNTERFOIL__"));
  const env = { ...Object.fromEntries(inherited), COUNTERFOIL__LIMITS__ENABLED: "false",
    COUNTERFOIL_LOG: "debug", COUNTERFOIL_LOG_FORMAT: "json",
    // Receipts that nobody acknowledges come after this.
    COUNTERFOIL__REVOCATION__MAX_STALENESS: "1s", ...settings };
  const child = spawn(BINARY, ["serve", "--listen", "127.0.0.1:0", "--data", join(folder, "data"), ...args], {
    env, stdio: ["ignore", "pipe", "pipe"],
  });
  const server = new Server(child, folder);
  try {
    await server.listening();
  } catch (error) {
    await server.stop();
    throw error;
  }
  return server;
}

class Server {
  #child;
  #folder;
  #log = "";
  #said = "";
  #failure = null;

  constructor(child, folder) {
    this.#child = child;
    this.#folder = folder;
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text) => { this.#log += text; });
    }
    child.stderr.on("data", (text) => { this.#said += text; });
    child.on("error", (error) => { this.#failure = error; });
    process.once("exit", () => child.kill("SIGKILL"));
  }

  async listening() {
    const line = await until(`the server ${BINARY} listens`, () => {
      const over = this.#failure ?? this.#child.exitCode;
      assert.equal(over, null, `the server did not start: ${over}\n${this.#log}`);
      return LISTENING.exec(this.#log);
    }, { within: START_MS });
    [, this.url, this.port] = line;
  }

  /** What the server said so far. */
  get log() {
    return this.#log;
  }

  /** How often refresh decided what: `{ rotate: 3, hold: 5 }`. */
  async refreshDecisions() {
    const text = await (await fetch(`${this.url}/metrics`)).text();
    const counts = text.matchAll(/^counterfoil_refresh_total\{decision="(\w+)"\} (\d+)$/gm);
    return Object.fromEntries([...counts].map(([, decision, count]) => [decision, Number(count)]));
  }

  /** What a command says, asked while the server runs; `input` is what it reads. */
  async command(args, input = "") {
    const asked = run(BINARY, [...args, "--data", join(this.#folder, "data")]);
    asked.child.stdin.end(input);
    return (await asked).stdout.trim();
  }

  /** A guard's credential. */
  async guardCredential(name) {
    const credential = await this.command(["guard", "add", name]);
    secrets.add("credential", credential);
    return credential;
  }

  /** A request of no browser: JSON, no cookies. */
  post(path, body, headers = {}) {
    return fetch(this.url + path, {
      method: "POST",
      headers: { "Content-Type": "application/json", ...headers },
      body: JSON.stringify(body),
    });
  }

  async stop() {
    if (this.#child.pid !== undefined && this.#child.exitCode === null && this.#child.signalCode === null) {
      const gone = once(this.#child, "exit");
      this.#child.kill("SIGTERM");
      const late = setTimeout(() => this.#child.kill("SIGKILL"), STOP_MS);
      await gone;
      clearTimeout(late);
    }
    const data = join(this.#folder, "data");
    if (existsSync(data)) {
      secrets.kept(data);
      secrets.assertNotIn("the server's log", this.#said);
      secrets.assertNotStoredIn(data);
    }
    await rm(this.#folder, { recursive: true, force: true });
  }
}

// ---- The browser ------------------------------------------------------------------------------

export const launching = { executablePath: CHROMIUM, headless: true, args: CHROMIUM_FLAGS };

/** A browser whose profile refuses all cookies and storage, as a person can choose in the settings. */
export async function launchRefusingCookies(writePreferences) {
  const profile = await mkdtemp(join(tmpdir(), "counterfoil-profile-"));
  await writePreferences(profile);
  const context = await chromium.launchPersistentContext(profile, launching);
  const close = async () => {
    await context.close();
    await rm(profile, { recursive: true, force: true });
  };
  return { context, close };
}

/**
 * A server and a browser for the tests of a file. `visitor(t)` gives a browser context of its own,
 * which is closed after the test `t`; an error in a page's script or a violated content security
 * policy fails the test.
 */
export function stage(settings = {}) {
  const it = { server: null, browser: null, visitor };
  before(async () => {
    it.server = await startServer(settings);
    it.browser = await chromium.launch(launching);
  });
  after(async () => {
    await it.browser?.close();
    await it.server?.stop();
  });

  async function visitor(t, options = {}) {
    const context = await it.browser.newContext({ baseURL: it.server.url, ...options });
    context.setDefaultTimeout(PATIENCE_MS);
    const troubles = await watchTroubles(context);
    watchSecrets(context);
    t.after(async () => {
      secrets.headers((await context.cookies()).map(({ name, value }) => ["cookie", `${name}=${value}`]));
      await closed(context);
      assert.deepEqual(troubles, [], "errors in the pages");
    });
    return context;
  }
  return it;
}

/**
 * Closes a context. Chromium sometimes never answers that after a passkey was offered in the autofill of a page (`Target.disposeBrowserContext`);
 * it goes with the browser then, which is closed at the end of the file.
 */
function closed(context) {
  return Promise.race([context.close(), pause(PATIENCE_MS, null, { ref: false })]);
}

/** Takes in what the pages send, and the cookies they are given on the way. */
export function watchSecrets(context) {
  context.on("request", (request) => secrets.body(request.postData() ?? ""));
  context.on("response", (answer) => {
    // One that has gone with its page is of no use any more; its cookie is in the next one's jar, if anywhere.
    answer.headersArray().then((headers) => secrets.headers(headers.map(({ name, value }) => [name, value])), () => undefined);
  });
}

/** Collects what must not happen on any page: an uncaught error, a violation of the policy. */
export async function watchTroubles(context) {
  const troubles = [];
  context.on("weberror", (error) => troubles.push(`error: ${error.error().stack}`));
  await context.exposeBinding("reportViolation", (_, text) => troubles.push(`policy: ${text}`));
  await context.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", (event) => {
      window.reportViolation(`${event.effectiveDirective} ${event.blockedURI} ${event.sample}`);
    });
  });
  return troubles;
}
