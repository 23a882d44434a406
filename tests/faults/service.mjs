// What a load balancer does: knows which replicas are in service, and gives requests to those only.

import { ask } from "./ask.mjs";
import { now, pause } from "./until.mjs";

const EVERY = 100;

export class Service {
  /** Whether the replica with that number was in service when it was last asked. */
  ready;
  #replicas;
  #history;
  #over = false;
  #done;

  /** `replicas` have a `port`. */
  constructor(replicas, history) {
    this.#replicas = replicas;
    this.#history = history;
    this.ready = replicas.map(() => false);
    this.#done = Promise.all(replicas.map((_, index) => this.#watch(index)));
  }

  async #watch(index) {
    while (!this.#over) {
      const { status } = await ask(this.#replicas[index].port, "GET", "/readyz", { within: 1_000 });
      const ready = status === 200;
      if (ready !== this.ready[index]) this.#history.add({ kind: "ready", replica: index, ready, end: now() });
      this.ready[index] = ready;
      await pause(EVERY);
    }
  }

  /** The number of the replica to ask, any that is in service; undefined when none is. */
  pick(random) {
    const candidates = this.ready.flatMap((ready, index) => (ready ? [index] : []));
    return candidates[random.below(candidates.length)];
  }

  port(index) {
    return this.#replicas[index].port;
  }

  get size() {
    return this.#replicas.length;
  }

  async close() {
    this.#over = true;
    await this.#done;
  }
}
