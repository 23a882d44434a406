// All parts together, with lines between them that can be cut: a primary and a standby, Redis, replicas. Guards come with each
// scenario.
//
//   clients ─▶ replica ─line─▶ primary ─link─▶ standby
//   guards ──▶    │ ───line─▶ standby (before it is the primary, it is of no use)
//                 └────line─▶ Redis

import { randomBytes } from "node:crypto";
import { freePort } from "../support/processes.mjs";
import { Replica, binary } from "./authority.mjs";
import { Network, RANGE } from "./cable.mjs";
import { SlowDisk, SmallDisk } from "./disk.mjs";
import { temporaryFolder } from "./owned.mjs";
import { Cluster } from "./postgres.mjs";
import { previousBinary } from "./previous.mjs";
import { Proxy } from "./proxy.mjs";
import { Redis } from "./redis.mjs";
import { until } from "./until.mjs";

/** What the checkers hold the server to, in milliseconds. */
export const RULES = { grace: 10_000, maxStaleness: 2_000, margin: 50 };

/** Rates are counted, so that what counts them is in use, and never reached. */
const RATES = ["login_per_account", "login_per_network", "register_per_network", "revoke_per_network", "token_per_network"]
  .map((name) => `${name} = { burst = 1000000, interval = "1s" }`).join("\n");

const SMALL_DISK_MEGABYTES = 96;

export class Environment {
  replicas = [];
  /** For each replica its lines to the servers of the store, in the order of `cluster.servers`, and to Redis. */
  storeLines = [];
  redisLines = [];

  /**
   * `needs`: `store` ("postgres" or "embedded"), `clock` ("settable"), `disk` ("small" or "slow", under the first primary),
   * `connections` of each replica to its store, `version` ("previous") of the program that they run at first, `network` ("own") for
   * replicas that are joined to the store by cables. `say` is told what takes long.
   */
  static async start(needs, count, say) {
    const environment = new Environment();
    environment.needs = needs;
    environment.program = needs.version === "previous" ? await previousBinary(say) : binary();
    environment.folder = temporaryFolder("faults");
    // Who listens beyond loopback must be known by https; that would be its proxy's.
    environment.origin = `${needs.network === "own" ? "https" : "http"}://localhost:${await freePort()}`;
    if (needs.store === "embedded") {
      await environment.#replicas(1, [""]);
    } else {
      await environment.#parts(count);
      await environment.#replicas(count, await environment.#lines(count));
    }
    return environment;
  }

  async #parts(count) {
    const { folder, needs } = this;
    if (needs.network === "own") await this.#networks(count);
    if (needs.disk === "slow") this.slowDisk = await SlowDisk.in(folder);
    if (needs.disk === "small") this.smallDisk = await SmallDisk.in(folder, SMALL_DISK_MEGABYTES);
    [this.cluster, this.redis] = await Promise.all([
      Cluster.start(folder, { environment: this.slowDisk?.environment, within: this.smallDisk?.folder, network: this.#cables() }),
      Redis.start(folder),
    ]);
  }

  async #networks(count) {
    this.networks = [];
    for (let index = 0; index < count; index += 1) this.networks.push(await Network.make());
  }

  /** Where the servers of the store are reached by cables. */
  #cables() {
    return this.networks && { range: RANGE, addresses: this.networks.map(({ store }) => store.near) };
  }

  /** By cables there is no Redis: there need be none. */
  #byCables() {
    return this.networks.map(({ store }) => {
      const hosts = this.cluster.servers.map(({ port }) => `${store.near}:${port}`).join(",");
      return `[store]\nurl = "postgres://counterfoil@${hosts}/counterfoil?sslmode=disable"\n`;
    });
  }

  /** Makes the lines, and says for each replica where it finds its store and Redis. */
  async #lines(count) {
    if (this.networks) return this.#byCables();
    const settings = [];
    for (let index = 0; index < count; index += 1) {
      const store = await Promise.all(this.cluster.servers.map((server) => Proxy.to(server.port)));
      const redis = await Proxy.to(this.redis.port);
      this.storeLines.push(store);
      this.redisLines.push(redis);
      const hosts = store.map((line) => `127.0.0.1:${line.port}`).join(",");
      settings.push(`
[store]
url = "postgres://counterfoil@${hosts}/counterfoil?sslmode=disable"
connections = ${this.needs.connections ?? 16}

[redis]
url = "redis://127.0.0.1:${redis.port}"
`);
    }
    return settings;
  }

  async #replicas(count, settings) {
    const masterKey = randomBytes(32).toString("base64url");
    for (let index = 0; index < count; index += 1) {
      const text = `public_url = "${this.origin}"
trusted_proxies = ["127.0.0.1/32", "${RANGE}"]
${settings[index]}
[revocation]
max_staleness = "${RULES.maxStaleness / 1000}s"

[session]
rotation_grace = "${RULES.grace / 1000}s"
max_per_user = 1000

[limits]
${RATES}

[applications.cli]
profile = "native"

[applications.portal]
profile = "opaque"
`;
      const options = { name: `r${index}`, settings: text, masterKey, clock: this.needs.clock, network: this.networks?.[index], program: this.program };
      this.replicas.push(await Replica.in(this.folder, options));
    }
    // All at once: who makes the tables and the keys is theirs to settle.
    await Promise.all(this.replicas.map((replica) => replica.start()));
  }

  /** The line from a replica to what is the primary now. */
  lineToPrimary(index) {
    return this.storeLines[index][this.cluster.servers.indexOf(this.cluster.primary)];
  }

  get lines() {
    return [...this.storeLines.flat(), ...this.redisLines, ...(this.cluster ? [this.cluster.link] : [])];
  }

  /** Waits until every replica is in service. */
  async whole(within) {
    await Promise.all(this.replicas.map((replica) => replica.ready({ within })));
  }

  /** Asks replicas in service for an administrator's answer until one gives it. */
  async administer(method, path, json) {
    let answer;
    await until(`an answer to ${method} ${path}`, async () => {
      for (const replica of this.replicas) {
        if (await replica.answers() === 200) answer = await replica.administer(method, path, json);
        if (answer) return true;
      }
      return false;
    });
    return answer;
  }

  async stop() {
    for (const replica of this.replicas) await replica.stop();
    await this.redis?.stop();
    await this.cluster?.stop();
    for (const line of this.lines) line.close();
    for (const { proxy } of this.replicas) proxy?.close();
    for (const network of this.networks ?? []) await network.remove();
    this.smallDisk?.unmount();
    this.slowDisk?.close();
  }
}
