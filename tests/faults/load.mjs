// Many honest clients at once: they sign in, refresh over and over, and their sessions end in every way there is, or do not. Bounded:
// each of them does one thing at a time and rests in between.

import { endSession } from "./administrator.mjs";
import { ask } from "./ask.mjs";
import { BoundClient } from "./bound_client.mjs";
import { Client } from "./client.mjs";
import { OpaqueClient } from "./opaque_client.mjs";
import { now, pause, until } from "./until.mjs";

/** How many clients there are besides, with bound tokens or an opaque cookie, where it matters what Redis remembers. */
export const APART = 12;
/** How a session ends, and how often. `stays` means that its client leaves it as it is, and comes back at the end. */
const ENDS = {
  "logout receipt": 4, "logout": 3, "refresh receipt": 2, "refresh": 1, "administrator receipt": 4, "administrator": 3, "stays": 3,
};
/** How long a session lives before that, in milliseconds. */
const LIFE = [2_500, 12_000];
/** How long a client rests between two refreshes. Three rotations per grace is what a session may have; more are held. */
const REST = [400, 3_500];
const TWO_TABS = 0.15;
/** How often an access token is used, between two refreshes. */
const USED = 0.3;
/** How often an account is registered, in milliseconds, and how many in all. */
const REGISTER_EVERY = 2_000;
const MOST_REGISTRATIONS = 12;
const SIGN_OUT_TRIES = 3;
/** Of how many ended sessions it is tried at the end whether they have come back. */
const MOST_LAST_TRIES = 100;

export class Load {
  #stage;
  #accounts;
  #control;
  #over = false;
  #workers = [];
  #living = new Set();
  #ended = [];
  #registered = 0;
  /** Clients that were signed in at the end and could not go on. */
  stuck = [];

  /**
   * `stage` as for a client, with `onEnded`; `control(replica)` is the path of its control socket. `apart` is how many clients there are
   * besides whose sessions are bound to a key, or have one opaque cookie.
   */
  constructor(stage, { accounts, clients, apart = 0, control }) {
    this.#stage = stage;
    this.#accounts = accounts;
    this.#control = control;
    Object.assign(this, { clients, apart });
  }

  start() {
    for (let number = 0; number < this.clients; number += 1) {
      const profile = number % 2 === 0 ? "native" : "cookie";
      this.#add(number, (account) => new Client(this.#stage, account, profile));
    }
    for (let number = 0; number < this.apart; number += 1) {
      const Kind = number % 3 === 2 ? OpaqueClient : BoundClient;
      this.#add(this.clients + number, (account) => new Kind(this.#stage, account));
    }
    this.#workers.push(this.#register());
  }

  /** One who signs in again and again, as what `make` makes of an account. */
  #add(number, make) {
    const account = this.#accounts[number % this.#accounts.length];
    this.#workers.push(this.#signInAgainAndAgain(() => make(account), number * 40));
  }

  /**
   * Lets every client finish what it is at. Then, when all is healed, those that are still signed in refresh once more, and those
   * whose sessions have ended try once more to go on.
   */
  async stop() {
    this.#over = true;
    await Promise.all(this.#workers);
    const last = [
      ...[...this.#living].map((client) => () => this.#goOn(client)),
      ...this.#ended.slice(-MOST_LAST_TRIES).map((client) => () => client.trespass()),
    ];
    const some = async () => {
      for (let next = last.pop(); next; next = last.pop()) await next();
    };
    await Promise.all(Array.from({ length: 8 }, some));
  }

  /** All is healed: who is signed in gets an answer, and what it brings is accepted. That it is the right one is for others to check. */
  async #goOn(client) {
    const answered = await client.refresh();
    const accepted = async () => client.told || client.use();
    const on = answered && await until("it is accepted", accepted, { within: 3_000, every: 300 }).catch(() => false);
    if (!on) this.stuck.push(client);
  }

  async #signInAgainAndAgain(make, late) {
    await pause(late);
    while (!this.#over) {
      const client = make();
      if (await client.signIn()) {
        this.#living.add(client);
        if (await this.#live(client) !== "stays") this.#living.delete(client);
      } else {
        // Who is banned tries on, but not so often that the password is locked for it.
        await pause(this.#stage.random.between(...(client.refused ? [1_000, 2_000] : [200, 600])));
      }
    }
  }

  /** A session from its first refresh to its end. Returns whether it stays signed in. */
  async #live(client) {
    const { random } = this.#stage;
    const end = now() + random.between(...LIFE);
    while (!this.#over && now() < end && !client.told) {
      await client.refresh({ tabs: random.chance(TWO_TABS) ? 2 : 1 });
      if (random.chance(USED)) await client.use();
      await pause(random.between(...REST));
    }
    if (client.told) return this.#trespass(client, 1);
    const way = random.weighed(ENDS);
    if (this.#over || way === "stays") return "stays";
    // Half of the ends meet a refresh that is under way.
    const racing = random.chance(0.5) ? client.refresh() : undefined;
    const done = await this.#end(client, way);
    await racing;
    if (!done) return "over";
    this.#stage.onEnded(client.sid);
    return this.#trespass(client, 3);
  }

  /** Lets it try to go on though its session has ended, so often now, and once more at the end. */
  async #trespass(client, rounds) {
    this.#ended.push(client);
    for (let round = 0; round < rounds && !this.#over; round += 1) {
      await client.trespass();
      await pause(this.#stage.random.between(200, 1_200));
    }
    return "over";
  }

  async #end(client, way) {
    return way.startsWith("administrator") ? this.#endByAdministrator(client.sid, way) : client.signOut(way, { tries: SIGN_OUT_TRIES });
  }

  async #endByAdministrator(sid, way) {
    const { service, history, random } = this.#stage;
    const kind = way.endsWith("receipt") ? "with a receipt" : "without";
    for (let left = SIGN_OUT_TRIES; left > 0; left -= 1) {
      const replica = service.pick(random);
      const asked = replica !== undefined && await endSession(history, { replica, control: this.#control(replica), sid, kind });
      if (asked) return true;
      await pause(300);
    }
    return false;
  }

  /** Makes an account now and then; its password is that of the others. */
  async #register() {
    const { service, history, random } = this.#stage;
    while (!this.#over && this.#registered < MOST_REGISTRATIONS) {
      const replica = service.pick(random);
      if (replica !== undefined) {
        this.#registered += 1;
        const { email, password } = { ...this.#accounts[0], email: `new-${this.#registered}-${this.#accounts[0].email}` };
        const event = { kind: "register", replica, email, begin: now() };
        const answer = await ask(service.port(replica), "POST", "/api/auth/register", { json: { email, password }, within: 8_000 });
        if (answer.status >= 500) Object.assign(event, { code: answer.code, retryAfter: answer.headers["retry-after"] ?? null });
        history.add(Object.assign(event, { end: now(), status: answer.status }));
      }
      await pause(REGISTER_EVERY);
    }
  }
}
