// What an administrator does, as the command line does it: through the control socket of a replica. Ends a session now and then for
// the load, and, in scenarios that have one at work all the time, keys, users and bans too.

import { ask } from "./ask.mjs";
import { now, pause, until } from "./until.mjs";

/** A receipt comes after `max_staleness` at the latest. */
const PATIENCE = 8_000;
const TRIES = 3;
const REST = [300, 1_200];
/** How long a ban lasts, in milliseconds. */
const BANNED = [1_500, 4_000];
/**
 * How long the next key has been published before it signs. The server asks for ten minutes, twice as long as verifiers may keep the key
 * set; guards that follow the feed know it once they have heard of it, within `max_staleness`, and fetched it.
 */
const KNOWN = 4_000;
const TEN_MINUTES = 600_000;

/** Asks one replica once, and records what came of it. Returns the event. */
async function order(history, { replica, control, path, json = {}, event }) {
  Object.assign(event, { replica, begin: now() });
  const answer = await ask(control, "POST", path, { json, within: PATIENCE });
  Object.assign(event, { end: now(), status: answer.status });
  if (answer.code) event.code = answer.code;
  if (answer.json.effective) event.effective = true;
  if (answer.status >= 500) event.retryAfter = answer.headers["retry-after"] ?? null;
  return history.add(event);
}

const isDone = ({ status }) => status === 200 || status === 204;

const query = (kind) => (kind === "with a receipt" ? "?receipt=effective" : "");

/** `kind` of end is "with a receipt" or "without". Returns whether it is acknowledged. */
export async function endSession(history, { replica, control, sid, kind }) {
  const path = `/api/admin/sessions/${sid}/revoke${query(kind)}`;
  return isDone(await order(history, { replica, control, path, event: { kind: "revoke", sid, by: "administrator" } }));
}

/** One who is at work all the time. */
export class Administrator {
  #stage;
  #environment;
  #accounts;
  #over = false;
  #done;
  /** When each key was first seen to be published. */
  #seen = new Map();

  /** `accounts` have an `id` and are banned now and then; `stage` as for a client, with `onEnded`. */
  constructor(stage, { environment, accounts }) {
    this.#stage = stage;
    this.#environment = environment;
    this.#accounts = accounts;
  }

  start() {
    this.#done = this.#work();
  }

  /** Finishes what is under way, and lifts what bans there are. */
  async stop() {
    this.#over = true;
    await this.#done;
    for (const account of this.#accounts) {
      await until(`${account.email} is not banned`, () => this.#lift(account), { every: 300 });
    }
  }

  async #work() {
    const { random } = this.#stage;
    const acts = [() => this.#rotate(), () => this.#endAll(this.#somebody()), () => this.#revokeKey(), () => this.#ban(this.#somebody())];
    for (let turn = 0; !this.#over; turn += 1) {
      await acts[turn % acts.length]();
      await pause(random.between(...REST));
    }
  }

  #somebody() {
    return this.#accounts[this.#stage.random.below(this.#accounts.length)];
  }

  /** Asks replicas in service until one says that it is done, or `TRIES` are over. Returns whether it is done. */
  async #order(path, event, json) {
    const { service, history, random } = this.#stage;
    for (let left = TRIES; left > 0; left -= 1) {
      const replica = service.pick(random);
      const asked = { replica, control: this.#environment.replicas[replica]?.control, path, json, event: { ...event } };
      if (replica !== undefined && isDone(await order(history, asked))) return true;
      await pause(300);
    }
    return false;
  }

  #receipt() {
    return query(this.#stage.random.chance(0.6) ? "with a receipt" : "without");
  }

  async #endAll({ id, email }, { act = "revoke", ban = false } = {}) {
    const { history, onEnded } = this.#stage;
    const done = await this.#order(`/api/admin/users/${id}/${act}${this.#receipt()}`, { kind: "revoke user", email, ban });
    const theirs = history.of("signin").filter((event) => event.sid && event.email === email);
    if (done) for (const { sid } of theirs.slice(-40)) onEnded(sid);
  }

  async #ban(account) {
    await this.#endAll(account, { act: "ban", ban: true });
    await pause(this.#stage.random.between(...BANNED));
    while (!this.#over && !await this.#lift(account)) await pause(300);
  }

  /** Returns whether there is no ban any more. */
  async #lift({ id, email }) {
    const event = { kind: "unban", email };
    const { service, history, random } = this.#stage;
    const replica = service.pick(random);
    if (replica === undefined) return false;
    const { control } = this.#environment.replicas[replica];
    const { status } = await order(history, { replica, control, path: `/api/admin/users/${id}/unban`, event });
    return status === 204 || status === 404;
  }

  /** The key that signs and the next one, once every verifier has had time to learn the latter; undefined if that cannot be told now. */
  async #ring() {
    const { service, random } = this.#stage;
    const replica = service.pick(random);
    if (replica === undefined) return undefined;
    const { json } = await ask(this.#environment.replicas[replica].control, "GET", "/api/admin/keys", { within: PATIENCE });
    const [active, next] = ["active", "next"].map((state) => json.keys?.find((key) => key.state === state)?.kid);
    if (!next) return undefined;
    if (!this.#seen.has(next)) this.#seen.set(next, now());
    return now() - this.#seen.get(next) > KNOWN ? { active, next } : undefined;
  }

  async #knownRing() {
    return until("the next key is known", () => this.#over || this.#ring(), { within: 2 * KNOWN, every: 200 }).catch(() => undefined);
  }

  async #rotate() {
    const ring = await this.#knownRing();
    if (!ring?.next || !await this.#age(ring.next)) return;
    await this.#order("/api/admin/keys/rotate", { kind: "rotate", from: ring.active, to: ring.next });
  }

  /** Makes the key ten minutes older. Returns whether that was done: the primary may be away. */
  async #age(kid) {
    const sql = `UPDATE signing_key SET since = since - ${TEN_MINUTES} WHERE kid = '${kid}'`;
    return this.#environment.cluster.primary.ask(sql, { database: "counterfoil" }).then(() => true, () => false);
  }

  /** As if the key that signs had leaked. */
  async #revokeKey() {
    const ring = await this.#knownRing();
    if (!ring?.active) return;
    await this.#order(`/api/admin/keys/${ring.active}/revoke${this.#receipt()}`, { kind: "revoke key", kid: ring.active });
  }
}
