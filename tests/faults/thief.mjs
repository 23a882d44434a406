// Reads along on the wire, and sends what others have sent once more, at other replicas: at once, at the same time, or later. A proof
// counts once, so nothing of that may be accepted that has been accepted before.

import { ask } from "./ask.mjs";
import { now, pause } from "./until.mjs";

/** How many requests are remembered; beyond it the oldest are forgotten. */
const MOST = 300;
/** How long it rests between two of those that it sends later, in milliseconds. */
const REST = 40;
const AT_ONCE = 0.5;
const PATIENCE = 1_500;

export class Thief {
  #stage;
  #copies = [];
  #underWay = new Set();
  #over = false;
  #done;

  /** `stage` has the service, the history and a source of chance. */
  constructor(stage) {
    this.#stage = stage;
  }

  start() {
    this.#done = this.#work();
  }

  /** Remembers a request that a replica has been sent. */
  see(request, replica) {
    if (this.#stage.random.chance(AT_ONCE)) this.replay(request, replica);
    // A sign-in costs the hash of a password each time: that is not what is looked for here.
    if (request.kind !== "signin") this.#copies.push(request);
    if (this.#copies.length > MOST) this.#copies.shift();
  }

  /** Sends a request as it was, to any replica but the one that is named. */
  replay(request, other) {
    const places = this.#everywhere().filter((index) => index !== other);
    if (places.length === 0) return undefined;
    const sent = this.#send(request, places[this.#stage.random.below(places.length)]).finally(() => this.#underWay.delete(sent));
    this.#underWay.add(sent);
    return sent;
  }

  #everywhere() {
    return Array.from({ length: this.#stage.service.size }, (_, index) => index);
  }

  async #send({ proof, method, path, headers, json }, replica) {
    const { service, history } = this.#stage;
    const event = { kind: "replay", proof, replica, path, begin: now() };
    const answer = await ask(service.port(replica), method, path, { headers, json, within: PATIENCE });
    history.add(Object.assign(event, { end: now(), status: answer.status, ...(answer.code && { code: answer.code }) }));
  }

  /** Everything that is remembered, once more at every replica. */
  async replayAll() {
    for (const request of [...this.#copies]) {
      await Promise.all(this.#everywhere().map((replica) => this.#send(request, replica)));
    }
  }

  async #work() {
    const { random } = this.#stage;
    while (!this.#over) {
      if (this.#copies.length > 0) await this.replay(this.#copies[random.below(this.#copies.length)]);
      await pause(REST);
    }
  }

  async stop() {
    this.#over = true;
    await this.#done;
    await Promise.all(this.#underWay);
  }
}
