// A browser with one meaningless cookie, which only the authority can judge: there is nothing to refresh, and no guard for it.

import { Holder, LONG_PATIENCE } from "./holder.mjs";
import { pause } from "./until.mjs";

const SESSION_COOKIE = "__Host-cf_session";

export class OpaqueClient extends Holder {
  #cookie;

  constructor(stage, account) {
    super(stage, account, "opaque");
  }

  async signIn() {
    const { email, password } = this.account;
    const json = { email, password, client_id: "portal" };
    const answer = await this.ask("signin", "POST", "/api/auth/login", { more: { email }, json, within: LONG_PATIENCE });
    this.refused = answer.status === 401;
    if (answer.status !== 200) return false;
    const cookies = answer.headers["set-cookie"].map((text) => text.split(";")[0].split(/=(.*)/s));
    this.#cookie = new Map(cookies).get(SESSION_COOKIE);
    this.sid = answer.json.session.id;
    answer.event.sid = this.sid;
    return true;
  }

  shows() {
    return { Cookie: `${SESSION_COOKIE}=${this.#cookie}` };
  }

  about() {
    return {};
  }

  /** Nothing is refreshed: what it has is good as long as the session is. */
  async refresh() {
    return this.use();
  }

  async use() {
    const accepted = await super.use();
    this.told ||= this.refusal === "session_revoked";
    return accepted;
  }

  async tryAgain() {}

  /** Returns whether it is acknowledged. */
  async signOut(way, { tries }) {
    const path = `/api/auth/logout${way.endsWith("receipt") ? "?receipt=effective" : ""}`;
    for (let left = tries; left > 0; left -= 1) {
      const answer = await this.present("revoke", "POST", path, { more: { by: "owner" }, within: LONG_PATIENCE });
      if (answer.json.effective) answer.event.effective = true;
      if (answer.status === 200 || answer.status === 204) return true;
      await pause(300);
    }
    return false;
  }
}
