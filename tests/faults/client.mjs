// One honest client with one session: signs in, refreshes, signs out. It keeps to what docs/design.md, section 5, takes for granted:
// an answer that was lost is asked for again with the same token, for half the grace at the most, and what an answer brings is kept.

import { Holder, LONG_PATIENCE, PATIENCE } from "./holder.mjs";
import { fingerprint, keyOf } from "./history.mjs";
import { now, pause } from "./until.mjs";

const REFRESH = "/api/auth/refresh";
const ACCESS_COOKIE = "__Host-cf_access";
const REFRESH_COOKIE = "__Secure-cf_refresh";

export class Client extends Holder {
  access;
  #token;
  #native;

  constructor(stage, account, profile) {
    super(stage, account, profile);
    this.#native = profile === "native";
  }

  /** Returns whether it is signed in now. */
  async signIn() {
    const { email, password } = this.account;
    const json = { email, password, client_id: this.#native ? "cli" : "web" };
    const answer = await this.ask("signin", "POST", "/api/auth/login", { more: { email }, json, within: LONG_PATIENCE });
    this.refused = answer.status === 401;
    if (answer.status !== 200) return false;
    this.#keep(answer);
    this.sid = JSON.parse(Buffer.from(this.access.split(".")[1], "base64url")).sid;
    answer.event.sid = this.sid;
    this.stage.onToken(this.sid, this.access);
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
      : { headers: { ...this.page(), Cookie: `${REFRESH_COOKIE}=${token}` } };
  }

  /** Refreshes, again and again if need be; some browsers have two tabs that do it at once. Returns whether an answer came in time. */
  async refresh({ tabs = 1 } = {}) {
    const token = this.#token;
    const started = now();
    while (!this.told) {
      const tries = await Promise.all(Array.from({ length: tabs }, () => this.#try(token)));
      if (tries.includes("answered")) return true;
      if (now() - started > this.stage.halfGrace) return false;
      await pause(Math.min(this.stage.random.between(150, 350), Math.max(0, started + this.stage.halfGrace - now())));
      if (now() - started > this.stage.halfGrace) return false;
    }
    return true;
  }

  async #try(token) {
    const options = { ...this.#with(token), more: { token: fingerprint(token), rotated: false }, within: PATIENCE };
    const answer = await this.ask("refresh", "POST", REFRESH, options);
    if (answer.status === 200) {
      answer.event.rotated = this.#keep(answer);
      answer.event.kid = keyOf(this.access);
      this.stage.onToken(this.sid, this.access);
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
      const asked = { more: { by: "owner", ...this.about() }, replica, within: LONG_PATIENCE };
      const answer = way.startsWith("refresh")
        ? await this.ask("revoke", "DELETE", REFRESH + receipt, { ...this.#with(this.#token), ...asked })
        : await this.present("revoke", "POST", `/api/auth/logout${receipt}`, asked);
      if (answer.json.effective) answer.event.effective = true;
      if (answer.status === 200 || answer.status === 204) return true;
      // As any client whose access token is refused: the session may live on.
      if (answer.status === 401) await this.refresh();
      else await pause(300);
    }
    return false;
  }

  shows() {
    return this.#native ? { Authorization: `Bearer ${this.access}` } : { Cookie: `${ACCESS_COOKIE}=${this.access}` };
  }

  about() {
    return { kid: keyOf(this.access) };
  }

  /** A refresh that must not succeed. */
  async tryAgain(replica) {
    const token = this.#token;
    const more = { token: fingerprint(token), rotated: false };
    await this.ask("refresh", "POST", REFRESH, { ...this.#with(token), more, replica, within: PATIENCE });
  }
}
