// A Redis server of our own that can be killed, started again and emptied. It keeps nothing on disk: after a kill all is gone.

import { once } from "node:events";
import { connect } from "node:net";
import { freePort } from "../support/processes.mjs";
import { end, own } from "./owned.mjs";
import { until } from "./until.mjs";

export class Redis {
  #server;

  static async start(folder) {
    const redis = new Redis();
    redis.folder = folder;
    redis.port = await freePort();
    await redis.restart();
    return redis;
  }

  async restart() {
    const port = String(this.port);
    const args = ["--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", this.folder];
    this.#server = own("redis-server", args);
    await until("Redis answers", async () => await this.ask("PING") === "PONG");
  }

  async kill9() {
    return end(this.#server, "SIGKILL");
  }

  async stop() {
    return end(this.#server, "SIGTERM");
  }

  /** How many keys there are. */
  async size() {
    return Number(await this.ask("DBSIZE"));
  }

  async flushall() {
    return this.ask("FLUSHALL");
  }

  /** One command and its one-line answer, without what marks its kind. */
  async ask(...words) {
    const socket = connect(this.port, "127.0.0.1").setEncoding("utf8");
    socket.setTimeout(2_000, () => socket.destroy(new Error("Redis does not answer")));
    try {
      await once(socket, "connect");
      socket.write(`*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join("")}`);
      const [answer] = await once(socket, "data");
      if (answer.startsWith("-")) throw new Error(answer.slice(1).trim());
      return answer.slice(1).trim();
    } finally {
      socket.destroy();
    }
  }
}
