// PostgreSQL servers of our own: a primary and a synchronous standby, which can be killed, started again and promoted. An answer
// of the primary means that the standby has it on disk too, so nothing acknowledged may be lost with the primary.

import { chown, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { freePort } from "../support/processes.mjs";
import { atTheEnd, childrenOf, end, output, own, runs } from "./owned.mjs";
import { Proxy } from "./proxy.mjs";
import { until } from "./until.mjs";

const SETTINGS = `
unix_socket_directories = ''
max_connections = 200
shared_buffers = 32MB
fsync = on
wal_level = replica
max_wal_senders = 10
min_wal_size = 2MB
max_wal_size = 64MB
wal_keep_size = 32MB
wal_sender_timeout = 5s
wal_receiver_timeout = 5s
wal_retrieve_retry_interval = 200ms
hot_standby = on
log_line_prefix = '%m [%p] '
log_checkpoints = off
`;
/** Trust on loopback: whoever reaches the port is this test. */
const ACCESS = "host all all 127.0.0.1/32 trust\nhost replication all 127.0.0.1/32 trust\n";

/** Where the programs are: the newest version below Debian's folder, or wherever PATH says. */
async function programs() {
  const versions = await readdir("/usr/lib/postgresql").catch(() => []);
  const newest = versions.sort((a, b) => Number(b) - Number(a))[0];
  return newest ? `/usr/lib/postgresql/${newest}/bin/` : "";
}

/** PostgreSQL refuses to run as root: as `postgres`, or `nobody`, then. */
async function identity() {
  if (process.getuid() !== 0) return {};
  const users = (await readFile("/etc/passwd", "utf8")).split("\n").map((line) => line.split(":"));
  const [, , uid, gid] = users.find(([name]) => name === "postgres") ?? users.find(([name]) => name === "nobody");
  return { uid: Number(uid), gid: Number(gid) };
}

const killAll = (pids) => pids.filter(runs).forEach((pid) => process.kill(pid, "SIGKILL"));

/** One server. */
export class Server {
  #process;
  /** Its children while it is stopped, and what takes the care for them away. */
  #frozen = [];
  #forget = () => {};

  /**
   * `within` is an empty folder, possibly a file system of its own; `environment` is the server's, for what is loaded into it;
   * `network` says at which `addresses` besides loopback it listens, and to whom: a `range`.
   */
  static async in(within, { name, environment = {}, network }) {
    const server = new Server();
    Object.assign(server, { name, within, network, bin: await programs(), as: await identity(), port: await freePort() });
    server.environment = { ...process.env, ...environment };
    server.data = join(within, "data");
    await mkdir(within, { recursive: true });
    if (server.as.uid !== undefined) await chown(within, server.as.uid, server.as.gid);
    return server;
  }

  async #run(program, args) {
    const done = await output(join(this.bin, program), args, { ...this.as, cwd: this.within });
    if (done.code !== 0) throw new Error(`${program}: ${done.err || done.out}`);
  }

  /** Makes a cluster of databases. The segments of its log are small, so that a full disk is felt soon. */
  async initialise() {
    await this.#run("initdb", ["-D", this.data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync",
      "--wal-segsize=1"]);
    const more = this.network ? `host all all ${this.network.range} trust\n` : "";
    await writeFile(join(this.data, "pg_hba.conf"), ACCESS + more);
    await this.#configure("");
  }

  /** Becomes a copy of the server behind `port`, and its standby. */
  async copyOf(port) {
    await rm(this.data, { recursive: true, force: true });
    await this.#run("pg_basebackup", ["-D", this.data, "-h", "127.0.0.1", "-p", String(port), "-U", "postgres", "-X", "stream",
      "-c", "fast", "--no-sync"]);
    await this.#configure(`primary_conninfo = 'host=127.0.0.1 port=${port} user=postgres application_name=${this.name}'\n`);
    await writeFile(join(this.data, "standby.signal"), "");
  }

  async #configure(more) {
    const addresses = ["127.0.0.1", ...(this.network?.addresses ?? [])];
    const own = `port = ${this.port}\nlisten_addresses = '${addresses}'\n`;
    await writeFile(join(this.data, "postgresql.auto.conf"), `${SETTINGS}${own}${more}`);
  }

  async start() {
    this.#process = own(join(this.bin, "postgres"), ["-D", this.data], {
      ...this.as, cwd: this.within, env: this.environment, last: "SIGQUIT",
    });
    const answers = async () => this.#process.over || await this.ask("SELECT 1") === "1";
    await until(`PostgreSQL ${this.name} answers`, answers, { within: 60_000 });
    if (this.#process.over) throw new Error(`PostgreSQL ${this.name} has ended itself: ${this.said.slice(-500)}`);
  }

  /** What it has written into its log, the end of it. */
  get said() {
    return this.#process.said;
  }

  get running() {
    return !this.#process.over;
  }

  /** Asks one thing; rejects when there is no answer within two seconds. */
  async ask(sql, { database = "postgres", within = 2_000 } = {}) {
    const args = ["-XAtq", "-h", "127.0.0.1", "-p", String(this.port), "-U", "postgres", "-d", database, "-c", sql];
    const done = await output(join(this.bin, "psql"), args, { timeout: within, env: { ...process.env, PGCONNECT_TIMEOUT: "2" } });
    if (done.code !== 0) throw new Error(done.err || "no answer in time");
    return done.out;
  }

  /** Stops every process of the server where it is, as a machine that hangs: connections are taken, and nothing is answered. */
  freeze() {
    const { pid } = this.#process;
    process.kill(pid, "SIGSTOP");
    this.#frozen = childrenOf(pid);
    this.#forget();
    // What has been stopped hears no other signal.
    this.#forget = atTheEnd(() => killAll([pid, ...this.#frozen]));
    for (const child of this.#frozen) if (runs(child)) process.kill(child, "SIGSTOP");
  }

  /** Kills the server and every process of it, as a loss of power would: none of them gets to write anything more. */
  async kill9() {
    this.freeze();
    killAll(this.#frozen);
    const how = await end(this.#process, "SIGKILL");
    await until("its processes are gone", () => !this.#frozen.some(runs), { every: 10 });
    this.#forget();
    return how;
  }

  async restart() {
    await this.stop();
    await this.start();
  }

  /** Ends it in order, but without waiting for its clients. */
  async stop() {
    if (!this.#process || this.#process.over) return undefined;
    return end(this.#process, "SIGINT");
  }

  /** A standby becomes the primary. It asks no other for confirmation, since there is none. */
  async promote() {
    await this.ask("SELECT pg_promote(true, 30)", { within: 32_000 });
    await until("it is promoted", async () => await this.ask("SELECT pg_is_in_recovery()") === "f");
  }

  /** From now on an answer waits until a standby has written it down; with "" for none. */
  async confirmedBy(standbys) {
    await this.ask(`ALTER SYSTEM SET synchronous_standby_names = '${standbys}'`);
    await this.ask("SELECT pg_reload_conf()");
  }
}

/** A primary and its standby. */
export class Cluster {
  /** The way by which the standby hears from the primary. */
  link;
  /** All servers there have been. */
  servers;

  static async start(folder, options = {}) {
    const cluster = new Cluster();
    const first = await Server.in(options.within ?? join(folder, "a"), { name: "a", ...options });
    const second = await Server.in(join(folder, "b"), { name: "b", ...options });
    cluster.servers = [first, second];
    [cluster.primary, cluster.standby] = cluster.servers;
    await first.initialise();
    await first.start();
    await first.ask("CREATE ROLE counterfoil LOGIN");
    await first.ask("CREATE DATABASE counterfoil OWNER counterfoil");
    cluster.link = await Proxy.to(first.port);
    await cluster.rejoin();
    return cluster;
  }

  /** Makes the server that is not the primary its synchronous standby, from a fresh copy. */
  async rejoin() {
    await this.standby.stop();
    await this.standby.copyOf(this.link.port);
    await this.standby.start();
    await this.primary.confirmedBy("*");
    await this.replicating();
  }

  /** Waits until the standby confirms what the primary writes. */
  async replicating() {
    await until("the standby is synchronous", async () =>
      await this.primary.ask("SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'") === "1");
  }

  /** The standby takes over; the old primary, which must be gone, is the standby to be. */
  async promote() {
    await this.standby.promote();
    [this.primary, this.standby] = [this.standby, this.primary];
    this.link.target = this.primary.port;
  }

  /** The version of the schema that the servers under test have made. */
  async schema() {
    return Number(await this.primary.ask("SELECT max(version) FROM counterfoil_schema", { database: "counterfoil" }));
  }

  async stop() {
    for (const server of this.servers) await server.stop();
  }
}
