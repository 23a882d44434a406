// Whoever holds a session, in whatever profile: asks replicas, records what came of it, and shows what it has to those who judge it.

import { ask } from "./ask.mjs";
import { now, pause } from "./until.mjs";

/** The longest an answer is waited for, in milliseconds: time for several tries within half the grace. */
export const PATIENCE = 1_500;
/** A receipt comes after `max_staleness` at the latest, and a sign-in hashes a password. */
export const LONG_PATIENCE = 8_000;

/** What a proxy says of the request that it asks the gate about. */
const ABOUT = { "X-Original-Method": "GET", "X-Original-URI": "/orders" };

export class Holder {
  sid;
  /** Whether somebody has told it that its session is over. */
  told = false;
  /** Whether its sign-in was refused. */
  refused = false;
  /** Why what it has shown was refused the last time, if it was. */
  refusal;

  /** `stage` has the service, the history, a source of chance, the origin, half the grace, `onToken` and the thief. */
  constructor(stage, account, profile) {
    Object.assign(this, { stage, account, profile });
  }

  /** Asks a replica in service, or waits a moment when there is none. Records what came of it. */
  async ask(kind, method, path, { more = {}, replica, ...options } = {}) {
    const { service, history, random } = this.stage;
    const asked = replica ?? service.pick(random);
    if (asked === undefined) {
      await pause(50);
      return { status: 0, code: "none in service", json: {}, headers: {}, event: {} };
    }
    const event = { kind, replica: asked, sid: this.sid, profile: this.profile, ...more, begin: now() };
    const answer = await ask(service.port(asked), method, path, options);
    Object.assign(event, { end: now(), status: answer.status });
    if (answer.code) event.code = answer.code;
    if (answer.json.reason) event.reason = answer.json.reason;
    if (answer.status >= 500) event.retryAfter = answer.headers["retry-after"] ?? null;
    history.add(event);
    return { ...answer, event };
  }

  /** A request that rests on what it holds. `address` is where its client sends it, if that is not `path`. */
  async present(kind, method, path, { headers = {}, ...options }) {
    return this.ask(kind, method, path, { ...options, headers: { ...headers, ...this.page(), ...this.shows() } });
  }

  /** What a page of the application sends along. */
  page() {
    return { Origin: this.stage.origin, "X-Requested-With": "counterfoil" };
  }

  /** Shows what it has to a replica, which is a verifier as guards are. Returns whether it is accepted. */
  async me(replica) {
    return this.#judged(`replica ${replica}`, "/api/auth/me", { replica });
  }

  /** The same at the replica's gate, as a proxy does that has received a request. */
  async gate(replica) {
    return this.#judged(`the gate of replica ${replica}`, "/gate", { replica, headers: ABOUT, address: ABOUT["X-Original-URI"] });
  }

  async #judged(verifier, path, options) {
    const { event } = await this.present("verify", "GET", path, { ...options, more: { verifier, ...this.about() }, within: PATIENCE });
    event.accepted = event.status === 200;
    this.refusal = event.code;
    return event.accepted;
  }

  /** Uses what it has somewhere. Returns whether it was accepted. */
  async use() {
    const { service, random } = this.stage;
    const replica = service.pick(random);
    if (replica === undefined) return false;
    return random.chance(0.5) ? this.me(replica) : this.gate(replica);
  }

  /** Tries to go on although the session has ended, at every replica, in service or not. */
  async trespass() {
    for (let replica = 0; replica < this.stage.service.size; replica += 1) {
      await this.tryAgain(replica);
      await this.me(replica);
      await this.gate(replica);
    }
  }
}
