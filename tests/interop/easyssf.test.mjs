// Shared Signals (SSF 1.0) as easyssf-receiver has them, a library that others have written: from the metadata to the acknowledgement nothing
// here tells it what to do. `easyssf/` is the program around it.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import * as jose from "jose";
import { Authority, secrets, until } from "./authority.mjs";

const PROGRAM = fileURLToPath(new URL("../../target/interop/easyssf/debug/easyssf-interop", import.meta.url));
const EVENTS = ["session-revoked", "credential-change"].map((name) => `https://schemas.openid.net/secevent/caep/event-type/${name}`);
const RISC = ["account-disabled", "account-enabled"].map((name) => `https://schemas.openid.net/secevent/risc/event-type/${name}`);

let authority;
let folder;

before(async () => {
  authority = await Authority.start(`
[applications.phone]
profile = "native"
[ssf]
enabled = true
[clients.hub.resources]
ssf = ["ssf.manage", "ssf.read"]
`);
  const client_secret = await authority.run(["client", "add", "hub"]);
  secrets.add("client_secret", client_secret);
  folder = await mkdtemp(join(tmpdir(), "counterfoil-easyssf-"));
  await writeFile(join(folder, "receiver.toml"), `
transmitter-issuer = "${authority.issuer}"
delivery-method = "poll"
[oauth2]
token-uri = "${authority.issuer}/oauth/token"
client-id = "hub"
client-secret = "${client_secret}"
scopes = ["ssf.manage", "ssf.read"]
[stream]
management = "receiver"
events-requested = ${JSON.stringify([...EVENTS, ...RISC])}
[poll]
interval = "200ms"
[set-validation]
accepted-algorithms = ["EdDSA"]
`);
});

after(async () => {
  await authority?.end();
  if (folder) await rm(folder, { recursive: true });
});

/** The receiver, and what it has been told. */
class Receiver {
  #child = spawn(PROGRAM, [join(folder, "receiver.toml")], { stdio: ["pipe", "pipe", "inherit"] });
  #health = [];
  told = [];

  constructor() {
    createInterface({ input: this.#child.stdout }).on("line", (line) => {
      const said = JSON.parse(line);
      (said.health === undefined ? this.told : this.#health).push(said);
    });
  }

  /** Waits until it says that it has its stream and has polled it. */
  async ready() {
    await until("the receiver is healthy", async () => {
      this.#child.stdin.write("\n");
      return this.#health.some(({ health }) => health === "healthy");
    });
  }

  /** Waits until it has been told of this. */
  hears(what, which) {
    return until(what, async () => this.told.find(which));
  }

  async end() {
    this.#child.stdin.end();
    if (this.#child.exitCode === null) await once(this.#child, "close");
    assert.equal(this.#child.exitCode, 0);
  }
}

test("SSF 1.0, POLL-2: it makes its stream by itself, and hears of the session that has ended, of the ban and of its end, once each", async () => {
  const receiver = new Receiver();
  await receiver.ready();
  await authority.register("ada@example.com");
  const tokens = await authority.signIn("ada@example.com", "phone");
  const { sub, sid } = jose.decodeJwt(tokens.access_token);
  await authority.signOut(tokens);
  const user = { format: "iss_sub", iss: authority.issuer, sub };
  const ended = await receiver.hears("the end of the session", ({ types }) => types.includes(EVENTS[0]));
  assert.deepEqual(ended.sub_id, { format: "complex", session: { format: "opaque", id: sid }, user });
  assert.equal(ended.iss, authority.issuer);

  await authority.run(["user", "ban", "ada@example.com", "--reason", "spam"]);
  await authority.run(["user", "unban", "ada@example.com"]);
  const enabled = await receiver.hears("the end of the ban", ({ types }) => types.includes(RISC[1]));
  assert.deepEqual(enabled.sub_id, user);
  await receiver.end();

  // What it has acknowledged does not come again; what happens while it is away does.
  const other = await authority.signIn("ada@example.com", "phone");
  await authority.signOut(other);
  const again = new Receiver();
  const missed = await again.hears("what it has missed", ({ types }) => types.includes(EVENTS[0]));
  assert.equal(missed.sub_id.session.id, jose.decodeJwt(other.access_token).sid);
  await again.end();
  const all = [...receiver.told, ...again.told].map(({ jti }) => jti);
  assert.equal(new Set(all).size, all.length, "nothing came twice");
  assert.deepEqual(receiver.told.map(({ types: [type] }) => type), [EVENTS[0], ...RISC], "in order");

  const streams = JSON.parse(await authority.run(["stream", "list", "--json"]));
  assert.deepEqual(streams.map(({ client_id, delivery, behind }) => [client_id, delivery, behind]), [["hub", "poll", 0]], "one stream for both");
});
