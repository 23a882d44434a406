// Replicas of the server under test: `counterfoil serve`, each with a data folder of its own and, if it is asked for, a wall clock
// that can be set while it runs.

import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { freePort } from "../support/processes.mjs";
import { ask } from "./ask.mjs";
import { end, own } from "./owned.mjs";
import { Proxy } from "./proxy.mjs";
import { until } from "./until.mjs";

const target = fileURLToPath(new URL("../../target/", import.meta.url));

/** The program under test: COUNTERFOIL_BINARY, or what has been built, the release first. */
export function binary() {
  const candidates = [process.env.COUNTERFOIL_BINARY, join(target, "release/counterfoil"), join(target, "debug/counterfoil")];
  const found = candidates.find((path) => path && existsSync(path));
  if (!found) throw new Error("there is no server to test: build one, or set COUNTERFOIL_BINARY");
  return found;
}

/** The library that shows a process another time (Debian package `libfaketime`). */
function faketime() {
  const folders = readdirSync("/usr/lib").map((name) => join("/usr/lib", name, "faketime/libfaketimeMT.so.1"));
  const found = folders.find((path) => existsSync(path));
  if (!found) throw new Error("setting a replica's clock needs the Debian package faketime");
  return found;
}

export class Replica {
  #process;
  /** What its processes before this one have written into their logs. */
  #before = "";

  /**
   * `settings` is the text of its configuration; `clock` is "settable" for one that `step` can set; `program` is what it runs. In a
   * `network` of its own it is reached through a proxy.
   */
  static async in(folder, { name, settings, masterKey, clock, network, program = binary() }) {
    const replica = new Replica();
    Object.assign(replica, { name, program, network, port: await freePort(), data: join(folder, name) });
    replica.listen = `127.0.0.1:${replica.port}`;
    if (network) await replica.#reachedThroughProxy();
    replica.config = join(folder, `${name}.toml`);
    writeFileSync(replica.config, settings);
    replica.environment = { ...process.env, COUNTERFOIL_MASTER_KEY: masterKey, COUNTERFOIL_LOG: "info" };
    if (clock === "settable") {
      replica.time = join(folder, `${name}.time`);
      replica.step(0);
      Object.assign(replica.environment, {
        LD_PRELOAD: faketime(), FAKETIME_TIMESTAMP_FILE: replica.time, FAKETIME_NO_CACHE: "1",
        DONT_FAKE_MONOTONIC: "1", FAKETIME_DONT_FAKE_MONOTONIC: "1",
      });
    }
    return replica;
  }

  async #reachedThroughProxy() {
    const { far } = this.network.asked;
    this.listen = `${far}:${this.port}`;
    this.proxy = await Proxy.to(this.port, far);
    this.port = this.proxy.port;
  }

  /** Starts the process and does not wait until it is in service: without a store it may never be. */
  launch() {
    const args = ["serve", "--listen", this.listen, "--data", this.data, "--config", this.config];
    this.#before = this.log;
    const [program, ...all] = [...(this.network?.command ?? []), this.program, ...args];
    this.#process = own(program, all, { env: this.environment });
  }

  async start() {
    this.launch();
    await this.ready();
  }

  async ready({ within = 30_000 } = {}) {
    await until(`replica ${this.name} is in service`, async () => this.#process.over || await this.answers() === 200, { within });
    if (this.#process.over) throw new Error(`replica ${this.name} has ended itself: ${this.log.slice(-1_000)}`);
  }

  /** What it says to a load balancer; 0 when it says nothing. */
  async answers() {
    return (await ask(this.port, "GET", "/readyz", { within: 1_000 })).status;
  }

  /** What it has written into its log, the end of it. */
  get log() {
    return (this.#before + this.said).slice(-500_000);
  }

  /** What this process of it has written. */
  get said() {
    return this.#process?.said ?? "";
  }

  get pid() {
    return this.#process.pid;
  }

  /** Whether its process has ended. */
  get over() {
    return this.#process.over;
  }

  /** The socket at which it takes an administrator's word. */
  get control() {
    return join(this.data, "control.sock");
  }

  /** Asks as its administrator; what is not a success is an error. */
  async administer(method, path, json) {
    const answer = await ask(this.control, method, path, { json, within: 10_000 });
    if (answer.status < 200 || answer.status > 299) throw new Error(`${method} ${path}: ${answer.status} ${answer.code ?? ""}`);
    return answer.json;
  }

  async kill9() {
    return end(this.#process, "SIGKILL");
  }

  /** Waits until it has ended by itself; returns how. One that does not is killed. */
  async ends(patience = 20_000) {
    return end(this.#process, 0, patience);
  }

  /** Ends it in order. */
  async stop() {
    return end(this.#process, "SIGTERM");
  }

  /** From now on its wall clock differs from this machine's by so many seconds. */
  step(seconds) {
    writeFileSync(this.time, `${seconds < 0 ? "" : "+"}${seconds}\n`);
  }

  /** By how many seconds the dates of its answers differ from now. Set back, its dates stand still. */
  async difference() {
    const { headers } = await ask(this.port, "GET", "/healthz", { within: 2_000 });
    return (Date.parse(headers.date) - Date.now()) / 1_000;
  }
}
