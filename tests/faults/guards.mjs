// Guards in processes of their own, each following the authority at an address of its own, and what they decide.

import { fileURLToPath } from "node:url";
import { end, own } from "./owned.mjs";
import { until } from "./until.mjs";

const PROGRAM = fileURLToPath(new URL("guard_process.mjs", import.meta.url));

export class Guard {
  #process;
  #accepts = false;

  /** `onDecision` is called with each decision as an event of the history. */
  constructor({ name, issuer, url, credential, onDecision }) {
    Object.assign(this, { name, issuer, url, credential, onDecision });
  }

  start() {
    this.#accepts = false;
    this.#process = own(process.execPath, [PROGRAM, this.issuer, this.url, this.credential], {
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    this.#process.child.on("message", ({ decisions }) => {
      for (const [sid, kid, begin, end, code] of decisions) {
        const accepted = code === null;
        this.#accepts ||= accepted;
        this.onDecision({ kind: "verify", verifier: this.name, sid, kid, begin, end, accepted, ...(code && { code }) });
      }
    });
    // A guard that has been killed is told nothing.
    this.#process.child.on("error", () => {});
  }

  /** A token to judge from now on, or the id of a session that has just ended. */
  tell(message) {
    if (this.#process.child.connected) this.#process.child.send(message, () => {});
  }

  /** Waits until it has accepted something: until it has a lease and the keys. */
  async ready() {
    await until(`${this.name} accepts tokens`, () => this.#accepts);
  }

  async kill9() {
    return end(this.#process, "SIGKILL");
  }

  async stop() {
    return end(this.#process, "SIGTERM");
  }
}
