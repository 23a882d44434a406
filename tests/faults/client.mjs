// One honest client with one session: signs in, refreshes, signs out. It keeps to what docs/design.md, section 5, takes for granted:
// an answer that was lost is asked for again with the same token, for half the grace at the most, and what an answer brings is kept.

import { ask } from "./ask.mjs";
import { fingerprint, keyOf } from "./history.mjs";
import { now, pause } from "./until.mjs";

const REFRESH = "/api/auth/refresh";
const ACCESS_COOKIE = "__Host-cf_access";
const REFRESH_COOKIE = "__Secure-cf_refresh";

/** The longest a client waits for an answer, in milliseconds: time for several tries within half the grace. */
const PATIENCE = 1_500;
/** A receipt comes after `max_staleness` at the latest, and a sign-in hashes a password. */
const LONG_PATIENCE = 8_000;

export class Client {
  sid;
  access;
  /** Whether somebody has told it that its session is over. */
  told = false;
  /** Whether its sign-in was refused. */
  refused = false;
  #token;
  #stage;
  #native;

  /** `stage` has the service, the history, a source of chance, the origin, half the grace, and `onToken`. */
  constructor(stage, account, profile) {
    this.#stage = stage;
    this.account = account;
    this.profile = profile;
    this.#native = profile === "native";
  }

  /** Asks a replica in service, or waits a moment when there is none. Records what came of it. */
  async #ask(kind, method, path, { more = {}, replica, ...options } = {}) {
    const { service, history, random } = this.#stage;
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

  /** Returns whether it is signed in now. */
  async signIn() {
    const { email, password } = this.account;
    const json = { email, password, client_id: this.#native ? "cli" : "web" };
    const answer = await this.#ask("signin", "POST", "/api/auth/login", { more: { email }, json, within: LONG_PATIENCE });
    this.refused = answer.status === 401;
    if (answer.status !== 200) return false;
    this.#keep(answer);
    this.sid = JSON.parse(Buffer.from(this.access.split(".")[1], "base64url")).sid;
    answer.event.sid = this.sid;
    this.#stage.onToken(this.sid, this.access);
    return true;
  }

  /** Keeps what an answer brings, and says whether a new refresh token was in it. */
  #keep({ json, headers }) {
    if (this.#native) {
      this.access = json.access_token ?? this.access;
      this.#token = json.refresh_token ?? this.#token;
      return json.refresh_token !== undefined;
    }
    const cookies = new Map((headers["set-cookie"] ?? []).map((text) => text.split(";")[0].split(/=(.*)/s)));
    this.access = cookies.get(ACCESS_COOKIE) || this.access;
    this.#token = cookies.get(REFRESH_COOKIE) || this.#token;
    return Boolean(cookies.get(REFRESH_COOKIE));
  }

  /** What a browser sends along, or what a program sends. */
  #with(token) {
    return this.#native
      ? { json: { refresh_token: token } }
      : { headers: { ...this.#page(), Cookie: `${REFRESH_COOKIE}=${token}` } };
  }

  #page() {
    return { Origin: this.#stage.origin, "X-Requested-With": "counterfoil" };
  }

  /** Refreshes, again and again if need be; some browsers have two tabs that do it at once. Returns whether an answer came in time. */
  async refresh({ tabs = 1 } = {}) {
    const token = this.#token;
    const started = now();
    while (!this.told) {
      const tries = await Promise.all(Array.from({ length: tabs }, () => this.#try(token)));
      if (tries.includes("answered")) return true;
      if (now() - started > this.#stage.halfGrace) return false;
      await pause(Math.min(this.#stage.random.between(150, 350), Math.max(0, started + this.#stage.halfGrace - now())));
      if (now() - started > this.#stage.halfGrace) return false;
    }
    return true;
  }

  async #try(token) {
    const options = { ...this.#with(token), more: { token: fingerprint(token), rotated: false }, within: PATIENCE };
    const answer = await this.#ask("refresh", "POST", REFRESH, options);
    if (answer.status === 200) {
      answer.event.rotated = this.#keep(answer);
      answer.event.kid = keyOf(this.access);
      this.#stage.onToken(this.sid, this.access);
      return "answered";
    }
    if (answer.status === 401) {
      this.told = true;
      return "answered";
    }
    return "lost";
  }

  /** Signs out, at `replica` or anywhere, until somebody says that it is done or `tries` are over. Returns whether it is acknowledged. */
  async signOut(way, { tries, replica }) {
    const receipt = way.endsWith("receipt") ? "?receipt=effective" : "";
    for (let left = tries; left > 0 && !this.told; left -= 1) {
      const [method, path, options] = way.startsWith("refresh")
        ? ["DELETE", REFRESH, this.#with(this.#token)]
        : ["POST", "/api/auth/logout", { headers: { ...this.#page(), ...this.#shows() } }];
      const asked = { ...options, more: { by: "owner", kid: keyOf(this.access) }, replica, within: LONG_PATIENCE };
      const answer = await this.#ask("revoke", method, path + receipt, asked);
      if (answer.json.effective) answer.event.effective = true;
      if (answer.status === 200 || answer.status === 204) return true;
      // As any client whose access token is refused: the session may live on.
      if (answer.status === 401) await this.refresh();
      else await pause(300);
    }
    return false;
  }

  /** How it shows its access token. */
  #shows() {
    return this.#native ? { Authorization: `Bearer ${this.access}` } : { Cookie: `${ACCESS_COOKIE}=${this.access}` };
  }

  /** Uses its access token somewhere. */
  async use() {
    const replica = this.#stage.service.pick(this.#stage.random);
    if (replica !== undefined) await this.me(replica);
  }

  /**
   * Tries to go on although the session has ended, at every replica, in service or not: a refresh, and `me` with the last access
   * token.
   */
  async trespass() {
    const token = this.#token;
    for (let replica = 0; replica < this.#stage.service.size; replica += 1) {
      const more = { token: fingerprint(token), rotated: false };
      await this.#ask("refresh", "POST", REFRESH, { ...this.#with(token), more, replica, within: PATIENCE });
      await this.me(replica);
    }
  }

  /** Shows the access token to a replica, which is a verifier as guards are. */
  async me(replica) {
    const headers = this.#shows();
    const more = { verifier: `replica ${replica}`, kid: keyOf(this.access) };
    const answer = await this.#ask("verify", "GET", "/api/auth/me", { headers, more, replica, within: PATIENCE });
    answer.event.accepted = answer.status === 200;
  }
}
