// A TCP proxy that stands between two parts and can fail as networks do. What is on its way while the line is cut is held, and
// arrives when it is healed, late, as TCP's repetitions would bring it: nothing that a byte stream cannot show is made up.

import { once } from "node:events";
import { connect, createServer } from "node:net";
import { atTheEnd } from "./owned.mjs";

export class Proxy {
  /** Where connections go; another port counts for new ones. */
  target;
  /** Pieces of data that the last cut held back. */
  held = 0;
  /** Connections that the last reset closed. */
  closed = 0;
  /** Connections that came in. */
  accepted = 0;
  #server;
  #pairs = new Set();
  #cut = false;
  #delay = 0;

  /** `target` is a port, on loopback unless `host` says otherwise. */
  static async to(target, host = "127.0.0.1") {
    const proxy = new Proxy();
    Object.assign(proxy, { target, host });
    proxy.#server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => proxy.#join(socket));
    proxy.#server.listen(0, "127.0.0.1");
    await once(proxy.#server, "listening");
    proxy.port = proxy.#server.address().port;
    proxy.forget = atTheEnd(() => proxy.close());
    return proxy;
  }

  get connections() {
    return this.#pairs.size;
  }

  /** From now on nothing gets through, in either direction; connections stay open, and new ones are taken and not answered. */
  cut() {
    this.held = 0;
    this.#cut = true;
  }

  /** Closes every connection at once (RST). New ones are served. */
  reset() {
    this.closed = this.#pairs.size;
    for (const pair of this.#pairs) pair.end();
  }

  /** Everything takes so many milliseconds longer, each way. */
  delay(ms) {
    this.#delay = ms;
  }

  /** As if nothing had been; what was held arrives. */
  heal() {
    this.#cut = false;
    this.#delay = 0;
    for (const pair of this.#pairs) pair.flow();
  }

  close() {
    this.#server.close();
    this.reset();
    this.forget();
  }

  #join(near) {
    this.accepted += 1;
    const far = connect({ port: this.target, host: this.host, allowHalfOpen: true, noDelay: true });
    const lanes = [this.#lane(near, far), this.#lane(far, near)];
    const pair = {
      flow: () => lanes.forEach((lane) => lane()),
      end: () => {
        this.#pairs.delete(pair);
        for (const socket of [near, far]) socket.resetAndDestroy();
      },
    };
    this.#pairs.add(pair);
    for (const [socket, other] of [[near, far], [far, near]]) {
      socket.on("error", () => {});
      socket.on("close", (failed) => {
        // An end with an error is passed on as one, but not through a line that is cut: there nobody hears of it.
        if (failed && !this.#cut) pair.end();
        if (near.destroyed && far.destroyed) this.#pairs.delete(pair);
        else if (failed) other.cutOff = true;
      });
    }
  }

  /** One direction. Returns what makes it go on when the line is healed. */
  #lane(from, to) {
    const waiting = [];
    let timer;
    const flow = () => {
      clearTimeout(timer);
      if (this.#cut) return;
      while (waiting.length > 0) {
        const rest = waiting[0].due - performance.now();
        // A reset that happened behind the cut is heard of now.
        if (rest > 0 && this.#delay > 0) {
          timer = setTimeout(flow, rest);
          return;
        }
        const { data } = waiting.shift();
        if (data === null) to.end();
        else to.write(data);
      }
      if (to.cutOff) to.resetAndDestroy();
      // Read only what can be handed on: memory is bounded by what the reader takes.
      if (from.isPaused()) from.resume();
    };
    const take = (data) => {
      waiting.push({ data, due: performance.now() + this.#delay });
      if (this.#cut) {
        this.held += 1;
        if (waiting.length > 64) from.pause();
      }
      flow();
    };
    from.on("data", take);
    from.on("end", () => take(null));
    return flow;
  }
}
