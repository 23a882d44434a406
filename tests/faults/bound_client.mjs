// An honest program whose session is bound to a key: each of its requests brings a proof of its own, made with the nonce that it was
// given last. A thief reads along.

import { Holder, LONG_PATIENCE, PATIENCE } from "./holder.mjs";
import { fingerprint, keyOf } from "./history.mjs";
import { Key } from "./proof.mjs";
import { now, pause } from "./until.mjs";

const LOGIN = "/api/auth/login";
const REFRESH = "/api/auth/refresh";
const LOGOUT = "/api/auth/logout";
/** How often in a row it may be asked for a proof with another nonce: each replica may have its own idea of where proofs are kept. */
const MOST_NONCES = 5;
/** How often the thief's copy is on its way at the same time. */
const RACED = 0.1;

export class BoundClient extends Holder {
  access;
  #token;
  #key = new Key();
  /** The newest nonce of either kind. */
  #nonces = {};

  constructor(stage, account) {
    super(stage, account, "bound");
  }

  async present(kind, method, path, { address = path, query = "", json, headers = {}, more = {}, ...options }) {
    const role = path === LOGIN || path === REFRESH ? "issue" : "use";
    const token = role === "use" ? this.access : undefined;
    for (let turn = 1; ; turn += 1) {
      const proof = this.#key.prove({ method, url: `${this.stage.origin}${address}`, nonce: this.#nonces[role], token });
      const shown = { ...headers, DPoP: proof.text, ...(token && { Authorization: `DPoP ${token}` }) };
      // A sign-out may be repeated, and its proof with it.
      const said = { ...more, ...(path !== LOGOUT && { proof: proof.name }) };
      const request = { proof: proof.name, kind, method, path: path + query, headers: shown, json };
      const answer = await this.#send(request, { ...options, more: said });
      this.#nonces[role] = answer.headers["dpop-nonce"] ?? this.#nonces[role];
      if (answer.code !== "use_dpop_nonce" || turn >= MOST_NONCES) return answer;
      answer.event.again = true;
    }
  }

  /** Sends it, and lets the thief have it: at the same time, or as soon as it has been answered or was lost. */
  async #send(request, { more, ...options }) {
    const { thief, random } = this.stage;
    const { kind, method, path, headers, json } = request;
    const watched = thief !== undefined && more.proof !== undefined;
    const raced = watched && random.chance(RACED);
    const sent = this.ask(kind, method, path, { ...options, headers, json, more: { ...more, ...(raced && { raced }) } });
    if (raced) thief.replay(request);
    const answer = await sent;
    if (watched) thief.see(request, answer.event.replica);
    return answer;
  }

  async signIn() {
    const { email, password } = this.account;
    const json = { email, password, client_id: "cli" };
    const answer = await this.present("signin", "POST", LOGIN, { more: { email }, json, within: LONG_PATIENCE });
    this.refused = answer.status === 401 && answer.code === "invalid_credentials";
    if (answer.status !== 200) return false;
    this.sid = answer.json.session.id;
    answer.event.sid = this.sid;
    this.#keep(answer);
    return true;
  }

  #keep({ json, event }) {
    this.access = json.access_token ?? this.access;
    this.#token = json.refresh_token ?? this.#token;
    event.kid = keyOf(this.access);
    event.rotated = json.refresh_token !== undefined;
  }

  about() {
    return { kid: keyOf(this.access) };
  }

  /** Returns whether an answer came. */
  async refresh({ tabs = 1 } = {}) {
    const started = now();
    while (!this.told && now() - started < this.stage.halfGrace) {
      const tries = await Promise.all(Array.from({ length: tabs }, () => this.tryAgain()));
      if (tries.includes("answered")) return true;
      await pause(this.stage.random.between(150, 350));
    }
    return this.told;
  }

  async tryAgain(replica) {
    const token = this.#token;
    const more = { token: fingerprint(token), rotated: false };
    const answer = await this.present("refresh", "POST", REFRESH, { json: { refresh_token: token }, more, replica, within: PATIENCE });
    if (answer.status === 200) this.#keep(answer);
    this.told ||= answer.code === "refresh_invalid" || answer.code === "refresh_reuse";
    return answer.status === 200 || this.told ? "answered" : "lost";
  }

  /** Returns whether it is acknowledged. */
  async signOut(way, { tries }) {
    const receipt = way.endsWith("receipt") ? "?receipt=effective" : "";
    for (let left = tries; left > 0 && !this.told; left -= 1) {
      const more = { by: "owner", ...this.about() };
      const answer = await this.present("revoke", "POST", LOGOUT, { query: receipt, more, within: LONG_PATIENCE });
      if (answer.json.effective) answer.event.effective = true;
      if (answer.status === 200 || answer.status === 204) return true;
      if (answer.status === 401) await this.refresh();
      else await pause(300);
    }
    return false;
  }
}
