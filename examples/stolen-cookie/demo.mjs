// A stolen cookie jar, from the theft to the report. One command, nothing to install:
//
//     node examples/stolen-cookie/demo.mjs
//
// It starts the real server with TLS, signs somebody in as Chromium does (with a key of its own), copies every cookie, and uses them.
// COUNTERFOIL_BIN names another binary than the one that `cargo build` makes.

import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { generateKeyPairSync, sign } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { Agent, request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { connect } from "node:tls";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const COUNTERFOIL = process.env.COUNTERFOIL_BIN ?? fileURLToPath(new URL("../../target/debug/counterfoil", import.meta.url));
const EMAIL = "ada@example.com";
const PASSWORD = "correct horse battery staple";
const REFRESH = "/api/auth/refresh";
const PROOF_LIFE_S = 5;

const say = (text) => console.log(text);

// ---- A server -------------------------------------------------------------------------------

async function startServer(folder) {
  const env = { ...process.env, COUNTERFOIL__SESSION__DEVICE_PROOF_LIFE: `${PROOF_LIFE_S}s` };
  const args = ["serve", "--listen", "127.0.0.1:0", "--tls-self-signed", "--data", join(folder, "data")];
  const child = spawn(COUNTERFOIL, args, { env, stdio: ["ignore", "pipe", "ignore"] });
  let said = "";
  for await (const text of child.stdout.setEncoding("utf8")) {
    said += text;
    if (said.includes("\n")) break;
  }
  const [, origin] = /listening on (https:\/\/\S+)/.exec(said) ?? assert.fail(`the server did not start: ${said}`);
  // The certificate was made up a moment ago, by this very server: it is the one to believe.
  const socket = connect({ port: new URL(origin).port, host: "127.0.0.1", servername: "localhost", rejectUnauthorized: false });
  await once(socket, "secureConnect");
  const ca = `-----BEGIN CERTIFICATE-----\n${socket.getPeerCertificate().raw.toString("base64")}\n-----END CERTIFICATE-----\n`;
  socket.destroy();
  return { child, origin, agent: new Agent({ ca }), data: ["--data", join(folder, "data")] };
}

async function command(server, args, input = "") {
  const asked = promisify(execFile)(COUNTERFOIL, [...args, ...server.data]);
  asked.child.stdin.end(input);
  return (await asked).stdout;
}

// ---- A browser, as far as cookies and keys go -----------------------------------------------

class Browser {
  jar = new Map();
  #server;

  constructor(server) {
    this.#server = server;
  }

  /** A request as a page's script, or the browser itself, sends it. */
  async ask(method, path, { headers = {}, body } = {}) {
    const cookie = [...this.jar].filter(([, each]) => path.startsWith(each.path)).map(([name, each]) => `${name}=${each.value}`);
    const sent = request(new URL(path, this.#server.origin), {
      method, agent: this.#server.agent,
      headers: { "sec-fetch-site": "same-origin", "x-requested-with": "demo", "content-type": "application/json", cookie: cookie.join("; "), ...headers },
    });
    sent.end(body && JSON.stringify(body));
    const [answer] = await once(sent, "response");
    let text = "";
    for await (const part of answer.setEncoding("utf8")) text += part;
    for (const set of answer.headers["set-cookie"] ?? []) this.#keep(set);
    return { status: answer.statusCode, headers: answer.headers, body: text ? JSON.parse(text) : {} };
  }

  #keep(set) {
    const [, name, value] = /^([^=]+)=([^;]*)/.exec(set);
    if (/Max-Age=0/.test(set)) this.jar.delete(name);
    else this.jar.set(name, { value, path: /Path=([^;]+)/.exec(set)[1] });
  }
}

const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");

/** What Chromium does by itself, where it has a place to keep a key that nobody can copy. */
class Device {
  #keys = generateKeyPairSync("ec", { namedCurve: "P-256" });
  #challenge;
  #id;

  #sign(header, claims) {
    const input = `${part({ alg: "ES256", typ: "dbsc+jwt", ...header })}.${part(claims)}`;
    return `${input}.${sign("sha256", Buffer.from(input), { key: this.#keys.privateKey, dsaEncoding: "ieee-p1363" }).toString("base64url")}`;
  }

  #learn(answer) {
    assert.equal(answer.status, 200);
    this.#id = answer.body.session_identifier;
    [, this.#challenge] = /^"([^"]+)"/.exec(answer.headers["secure-session-challenge"]);
  }

  async register(browser, offer) {
    const [, path] = /;path="([^"]+)"/.exec(offer);
    const [, jti] = /;challenge="([^"]+)"/.exec(offer);
    const [, authorization] = /;authorization="([^"]+)"/.exec(offer);
    const jwk = this.#keys.publicKey.export({ format: "jwk" });
    const proof = this.#sign({ jwk }, { jti, authorization });
    this.#learn(await browser.ask("POST", path, { headers: { "secure-session-response": proof } }));
  }

  async prove(browser) {
    const headers = { "sec-secure-session-id": this.#id, "secure-session-response": this.#sign({}, { jti: this.#challenge }) };
    this.#learn(await browser.ask("POST", `${REFRESH}/device`, { headers }));
  }
}

// ---- What happens ---------------------------------------------------------------------------

async function story(server) {
  await command(server, ["user", "add", EMAIL, "--password-stdin"], PASSWORD);

  const ada = new Browser(server);
  const device = new Device();
  const signedIn = await ada.ask("POST", "/api/auth/login", { body: { email: EMAIL, password: PASSWORD } });
  assert.equal(signedIn.status, 200);
  say(`1. Ada signs in. Her jar: ${[...ada.jar.keys()].join(", ")}.`);

  await device.register(ada, signedIn.headers["secure-session-registration"]);
  await device.prove(ada);
  assert.equal((await ada.ask("POST", REFRESH)).status, 200);
  say("2. Her browser registers a key that cannot be copied, and shows it with its first refresh. The session is bound.");

  const thief = new Browser(server);
  thief.jar = new Map(ada.jar);
  say(`3. A thief copies the whole jar: ${[...thief.jar.keys()].join(", ")}.`);

  let refused;
  const stolenAt = Date.now();
  for (let answer; !refused; await pause(250)) {
    answer = await thief.ask("POST", REFRESH);
    if (answer.status !== 200) refused = answer;
    assert.ok(Date.now() - stolenAt < 4 * PROOF_LIFE_S * 1000, "the thief should have been refused by now");
  }
  assert.deepEqual([refused.status, refused.body.code], [401, "proof_required"]);
  say(`4. The copied proof counts for ${PROOF_LIFE_S} seconds here (four minutes by default). Then the server asks for another: ${refused.status} ${refused.body.code}.`);

  const asked = await thief.ask("POST", `${REFRESH}/device`, { headers: { "sec-secure-session-id": signedIn.body.session.id } });
  assert.equal(asked.status, 403);
  say(`5. The thief asks how to prove it, and is given something to sign: ${asked.status} ${asked.body.code}. The key is not in the jar.`);

  await device.prove(ada);
  assert.equal((await ada.ask("POST", REFRESH)).status, 200);
  say("6. Ada's browser signs, and goes on. She has not been signed out, though the thief had used her token before her.");

  const entries = JSON.parse(await command(server, ["audit", "tail", "--json"]));
  const report = entries.find((entry) => entry.event === "device_proof_missing");
  assert.equal(report?.session, signedIn.body.session.id);
  say(`7. The audit log: ${report.at} ${report.event}, session ${report.session}, from ${report.network}.`);

  const { body } = await ada.ask("GET", "/api/auth/sessions");
  assert.ok(body.sessions[0].copy_refused_at);
  say(`8. Ada's account page: "A copy of this session was used somewhere else" (${body.sessions[0].copy_refused_at}).`);

  assert.equal((await ada.ask("DELETE", REFRESH)).status, 204);
  const last = await thief.ask("POST", REFRESH);
  assert.deepEqual([last.status, last.body.reason], [401, "signed_out"]);
  say(`9. Ada signs out. The jar is worth nothing to anybody: ${last.status} ${last.body.code}, ${last.body.reason}.`);
}

const folder = await mkdtemp(join(tmpdir(), "counterfoil-stolen-cookie-"));
let server;
try {
  server = await startServer(folder);
  await story(server);
} finally {
  server?.agent.destroy();
  if (server && server.child.exitCode === null) {
    server.child.kill("SIGTERM");
    await once(server.child, "exit");
  }
  await rm(folder, { recursive: true, force: true });
}
