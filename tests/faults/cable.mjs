// A network of its own for one program, joined to this machine's by two cables: one for whoever asks it, and one that can be pulled.
// What is sent on a cable that has been pulled is gone, and nobody is told: not what `proxy.mjs` does, which holds it back. Needs root.

import { spawnSync } from "node:child_process";
import { atTheEnd, output } from "./owned.mjs";

/** For tests of networks (RFC 2544): nobody else's. Each run has 256 addresses of it, each cable four. */
const ADDRESSES = `198.18.${process.pid % 256}`;
export const RANGE = `${ADDRESSES}.0/24`;
const EACH = 4;
let made = 0;

async function must(program, args) {
  const done = await output(program, args);
  if (done.code !== 0) throw new Error(`${program} ${args.join(" ")}: ${done.err}`);
  return done.out;
}

const ip = (...args) => must("ip", args);

/** A cable into a namespace; `near` and `far` are the addresses at its ends. */
class Cable {
  static async into(namespace) {
    const cable = new Cable();
    const number = made;
    made += 1;
    Object.assign(cable, { namespace, name: `cf${process.pid}n${number}`, inside: `cf${process.pid}f${number}` });
    [cable.near, cable.far] = [1, 2].map((end) => `${ADDRESSES}.${number * EACH + end}`);
    await ip("link", "add", cable.name, "type", "veth", "peer", "name", cable.inside, "netns", namespace);
    cable.forget = atTheEnd(() => spawnSync("ip", ["link", "delete", cable.name]));
    await ip("address", "add", `${cable.near}/30`, "dev", cable.name);
    await ip("-n", namespace, "address", "add", `${cable.far}/30`, "dev", cable.inside);
    await ip("link", "set", cable.name, "up");
    await ip("-n", namespace, "link", "set", cable.inside, "up");
    return cable;
  }

  /** Whatever is sent at either end is gone. The ends do not know: of a link that is down, the one who sends is told. */
  async pull() {
    await must("tc", ["qdisc", "replace", "dev", this.name, "root", "blackhole"]);
    await must("tc", ["-n", this.namespace, "qdisc", "replace", "dev", this.inside, "root", "blackhole"]);
  }

  async plug() {
    await must("tc", ["qdisc", "delete", "dev", this.name, "root"]);
    await must("tc", ["-n", this.namespace, "qdisc", "delete", "dev", this.inside, "root"]);
  }

  async remove() {
    await ip("link", "delete", this.name);
    this.forget();
  }
}

export class Network {
  static async make() {
    const network = new Network();
    network.name = `counterfoil-${process.pid}-${made}`;
    await ip("netns", "add", network.name);
    network.forget = atTheEnd(() => spawnSync("ip", ["netns", "delete", network.name]));
    await ip("-n", network.name, "link", "set", "lo", "up");
    network.asked = await Cable.into(network.name);
    network.store = await Cable.into(network.name);
    return network;
  }

  /** What runs a program in it: in the same process, so that its id is the program's. */
  get command() {
    return ["ip", "netns", "exec", this.name];
  }

  /** How often something was sent in it once more, because nobody had said that it had arrived. */
  async repetitions() {
    const lines = (await ip("netns", "exec", this.name, "cat", "/proc/net/snmp")).split("\n").filter((line) => line.startsWith("Tcp:"));
    const [names, numbers] = lines.map((line) => line.split(" "));
    return Number(numbers[names.indexOf("RetransSegs")]);
  }

  async remove() {
    for (const cable of [this.asked, this.store]) await cable.remove();
    await ip("netns", "delete", this.name);
    this.forget();
  }
}
