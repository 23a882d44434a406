// Shared Signals (SSF 1.0) as a receiver has them that is made of others' libraries: Authlib asks for streams and events, joserfc verifies the
// security event tokens (RFC 8417), polled (RFC 8936) and pushed (RFC 8935). `ssf_receiver.py` is that receiver.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import * as jose from "jose";
import { freePort } from "../support/processes.mjs";
import { Authority, secrets, until } from "./authority.mjs";

const PYTHON = fileURLToPath(new URL("../../target/interop/bin/python", import.meta.url));
const SCRIPT = fileURLToPath(new URL("ssf_receiver.py", import.meta.url));
const [PUSH, POLL] = ["urn:ietf:rfc:8935", "urn:ietf:rfc:8936"];
const VERIFICATION = "https://schemas.openid.net/secevent/ssf/event-type/verification";
const REVOKED = "https://schemas.openid.net/secevent/caep/event-type/session-revoked";
const RISC = "https://schemas.openid.net/secevent/risc/event-type/";
const ACCOUNTS = ["account-disabled", "account-enabled", "account-purged"].map((name) => `${RISC}${name}`);
const AUTHORIZATION = "Bearer a-secret-of-the-receivers-own-choice";

/** The receiver, a process that takes one command after the other. */
class Receiver {
  // joserfc warns of the name `EdDSA`, which is the one that verifiers know.
  #child = spawn(PYTHON, ["-W", "ignore", SCRIPT], { stdio: ["pipe", "pipe", "inherit"] });
  #lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  #turn = Promise.resolve();

  do(name, given = {}) {
    const answer = this.#turn.then(async () => {
      this.#child.stdin.write(`${JSON.stringify({ do: name, ...given })}\n`);
      const { value, done } = await this.#lines.next();
      assert.ok(!done, `the receiver has ended at ${name}`);
      const { error, result } = JSON.parse(value);
      if (error !== undefined) throw new Error(`${name}: ${error}`);
      return result;
    });
    this.#turn = answer.catch(() => {});
    return answer;
  }

  async end() {
    this.#child.stdin.end();
    if (this.#child.exitCode === null) await once(this.#child, "close");
  }
}

let authority;
let receiver;
let pushPort;
let metadata;

before(async () => {
  pushPort = await freePort();
  authority = await Authority.start(`
[applications.phone]
profile = "native"
[ssf]
enabled = true
push_origins = ["http://127.0.0.1:${pushPort}"]
[clients.hub.resources]
ssf = ["ssf.manage", "ssf.read"]
`);
  const client_secret = await authority.run(["client", "add", "hub"]);
  secrets.add("client_secret", client_secret);
  secrets.add("authorization_header", AUTHORIZATION.replace("Bearer ", ""));
  receiver = new Receiver();
  const started = await receiver.do("start", {
    issuer: authority.issuer, client_id: "hub", client_secret, port: pushPort, authorization: AUTHORIZATION,
  });
  secrets.body(JSON.stringify(started));
  metadata = started.metadata;
});

after(async () => {
  await receiver?.end();
  await authority?.end();
});

const subjectOf = (user) => ({ format: "iss_sub", iss: authority.issuer, sub: user });
const eventOf = ({ events }) => Object.keys(events)[0];

/** Whom an event is about: a user, or a session of theirs (RFC 9493, SSF 1.0 section 3). */
function about({ sub_id }) {
  const { user, session } = sub_id.format === "complex" ? sub_id : { user: sub_id };
  assert.deepEqual([user.format, user.iss], ["iss_sub", authority.issuer]);
  return { sub: user.sub, sid: session?.id };
}

/** A new user, and a stream that tells of them. */
async function streamFor(email, delivery, events_requested = [REVOKED]) {
  await authority.register(email);
  const { access_token } = await authority.signIn(email, "phone");
  const subject = subjectOf(jose.decodeJwt(access_token).sub);
  const stream = await receiver.do("create", { delivery, events_requested });
  assert.deepEqual(stream.events_delivered.filter((event) => event !== VERIFICATION).sort(), events_requested.toSorted());
  await receiver.do("add", { stream_id: stream.stream_id, subject });
  return { email, subject, stream_id: stream.stream_id, delivery: stream.delivery };
}

/** Signs in and out, and says whose and which session that was. */
async function signInAndOut(email) {
  const tokens = await authority.signIn(email, "phone");
  const { sub, sid } = jose.decodeJwt(tokens.access_token);
  await authority.signOut(tokens);
  return { sub, sid };
}

/** Polls until there is an event of this kind, and acknowledges it with all that came along; gives what came. */
async function polled(stream_id, kind, which = () => true) {
  const sets = await until(`${kind} is polled`, async () => {
    const found = await receiver.do("poll", { stream_id, ack: [] });
    return found.some((set) => eventOf(set) === kind && which(set)) && found;
  });
  await receiver.do("poll", { stream_id, ack: sets.map(({ jti }) => jti) });
  return sets;
}

test("SSF-META: the receiver finds what it needs in the metadata", () => {
  assert.equal(metadata.spec_version, "1_0");
  for (const method of [PUSH, POLL]) assert.ok(metadata.delivery_methods_supported.includes(method), method);
  for (const name of ["jwks_uri", ...["configuration", "status", "verification", "add_subject", "remove_subject"].map((one) => `${one}_endpoint`)]) {
    assert.ok(metadata[name].startsWith(`${authority.issuer}/`), name);
  }
  assert.ok(metadata.authorization_schemes.some(({ spec_urn }) => spec_urn === "urn:ietf:rfc:6749"));
});

test("SSF-VER, POLL-2: a stream that is polled is verified, and tells of the session that has ended until it is acknowledged", async () => {
  const { email, stream_id, delivery } = await streamFor("ada@example.com", { method: POLL });
  assert.ok(delivery.endpoint_url.startsWith(`${authority.issuer}/`));
  assert.deepEqual((await receiver.do("read", { stream_id })).delivery.method, POLL);
  await receiver.do("verify", { stream_id, state: "as it was given" });
  const [verification] = (await polled(stream_id, VERIFICATION)).filter((set) => eventOf(set) === VERIFICATION);
  assert.deepEqual(verification.events[VERIFICATION].state, "as it was given");
  assert.deepEqual(verification.sub_id, { format: "opaque", id: stream_id });

  const ended = await signInAndOut(email);
  const find = async (ack = []) => (await receiver.do("poll", { stream_id, ack })).find((set) => eventOf(set) === REVOKED);
  const first = await until("the session that has ended", find);
  assert.deepEqual(about(first), ended);
  const { event_timestamp } = first.events[REVOKED];
  assert.ok(Math.abs(event_timestamp - Date.now() / 1000) < 60, String(event_timestamp));
  assert.equal((await find())?.jti, first.jti, "what is not acknowledged comes again");
  assert.equal(await find([first.jti]), undefined, "what is acknowledged does not");
});

test("nothing is lost while the server is down and the receiver away", async () => {
  const { email, stream_id } = await streamFor("bob@example.com", { method: POLL });
  const ended = [await signInAndOut(email), await signInAndOut(email)];
  await authority.stop();
  await authority.resume();
  ended.push(await signInAndOut(email));
  const told = await until("all three are there", async () => {
    const found = (await receiver.do("poll", { stream_id, ack: [] })).filter((set) => eventOf(set) === REVOKED);
    return found.length >= 3 && found;
  });
  assert.deepEqual(told.map(about).map(({ sid }) => sid).sort(), ended.map(({ sid }) => sid).sort());
});

test("PUSH-2: events are pushed with the receiver's own authorization, and again after it has failed", async () => {
  const { email, stream_id } = await streamFor("cora@example.com", {
    method: PUSH, endpoint_url: `http://127.0.0.1:${pushPort}/events`, authorization_header: AUTHORIZATION,
  });
  const received = (which) => async () => (await receiver.do("received")).find(which);
  await receiver.do("verify", { stream_id, state: "pushed" });
  await until("the verification is pushed", received((set) => set.events[VERIFICATION]?.state === "pushed"));
  await receiver.do("fail", { times: 2 });
  const ended = await signInAndOut(email);
  const isOfIt = (set) => eventOf(set) === REVOKED && about(set).sid === ended.sid;
  const set = await until("the session that has ended is pushed again", received(isOfIt), 60);
  assert.deepEqual(about(set), ended);
  assert.equal(await receiver.do("failing"), 0, "it had failed before");
});

test("a stream tells of the subjects that were added and not removed, and of nothing while it is disabled", async () => {
  const { email, subject, stream_id } = await streamFor("dora@example.com", { method: POLL });
  const told = await signInAndOut(email);
  await polled(stream_id, REVOKED, (set) => about(set).sid === told.sid);
  await receiver.do("remove", { stream_id, subject });
  const untold = await signInAndOut(email);
  // What comes after it has come: then the one before does not come any more.
  await receiver.do("verify", { stream_id, state: "after" });
  const sets = await polled(stream_id, VERIFICATION);
  assert.deepEqual(sets.filter((set) => eventOf(set) === REVOKED && about(set).sid === untold.sid), []);
  assert.equal(await receiver.do("set_status", { stream_id, status: "disabled" }), "disabled");
  assert.equal(await receiver.do("status", { stream_id }), "disabled");
  await receiver.do("delete", { stream_id });
  await assert.rejects(receiver.do("read", { stream_id }), /404/);
});

test("RISC: accounts that are disabled, enabled and purged are told of as such", async () => {
  const { email, subject, stream_id } = await streamFor("emil@example.com", { method: POLL }, ACCOUNTS);
  const commands = [["user", "ban", email], ["user", "unban", email], ["user", "delete", email]];
  for (const [index, command] of commands.entries()) {
    await authority.run(command);
    const sets = await polled(stream_id, ACCOUNTS[index]);
    assert.deepEqual(sets.map((set) => [eventOf(set), about(set).sub]), [[ACCOUNTS[index], subject.sub]]);
  }
});

test("control: the receiver refuses a SET that was changed, and one for another audience", async () => {
  const { email, stream_id } = await streamFor("finn@example.com", { method: POLL });
  await signInAndOut(email);
  const [token] = await until("there is a SET", async () => {
    const found = await receiver.do("raw", { stream_id });
    return found.length > 0 && found;
  });
  assert.match(jose.decodeProtectedHeader(token).typ, /^secevent\+jwt$/);
  const { aud } = jose.decodeJwt(token);
  assert.equal(eventOf(await receiver.do("judge", { token, audience: aud })), REVOKED);
  const [header, , signature] = token.split(".");
  const changed = Buffer.from(JSON.stringify({ ...jose.decodeJwt(token), jti: "another" })).toString("base64url");
  await assert.rejects(receiver.do("judge", { token: [header, changed, signature].join("."), audience: aud }), /invalid_key/);
  await assert.rejects(receiver.do("judge", { token, audience: "https://other.example.com" }), /invalid_audience/);
  const { access_token } = await authority.signIn(email, "phone");
  await assert.rejects(receiver.do("judge", { token: access_token, audience: "phone" }), /invalid_request/);
});
