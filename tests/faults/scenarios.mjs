// What is broken, how it is seen to be broken, and how it is healed. The load goes on all the while.
//
// `needs` is what the environment must have; scenarios with equal needs share one in the short form. With `administrator`, one is at
// work on keys, users and bans all the while; `apart` is how many clients there are with bound tokens or an opaque cookie, and a thief
// who reads along. `inject` gets the trial and the environment, and heals before it returns.

import { endSession } from "./administrator.mjs";
import { APART } from "./load.mjs";
import { cables } from "./scenarios_cable.mjs";
import { clocks } from "./scenarios_clock.mjs";
import { disks } from "./scenarios_disk.mjs";
import { networks } from "./scenarios_network.mjs";
import { upgrades } from "./scenarios_upgrade.mjs";
import { now, until } from "./until.mjs";

const killed = ({ signal }) => (signal === "SIGKILL" ? "ended by SIGKILL" : undefined);

/** Kills a replica, and starts it again after a while. */
async function killReplica(trial, { replicas }) {
  const replica = replicas[trial.random.below(replicas.length)];
  await trial.fault(`kill -9 replica ${replica.name}`, async () => killed(await replica.kill9()));
  await trial.rest(trial.random.between(100, 1_500));
  await replica.start();
}

async function killPrimary(trial, { cluster }) {
  await trial.fault(`kill -9 the primary, ${cluster.primary.name}`, async () => killed(await cluster.primary.kill9()));
  await trial.rest(trial.random.between(100, 1_500));
  await cluster.primary.start();
  await cluster.replicating();
}

async function killStandby(trial, { cluster }) {
  await trial.fault(`kill -9 the standby, ${cluster.standby.name}`, async () => killed(await cluster.standby.kill9()));
  await trial.rest(trial.random.between(100, 1_500));
  await cluster.standby.start();
  await cluster.replicating();
}

async function killRedis(trial, { redis }) {
  await trial.fault("kill -9 Redis", async () => killed(await redis.kill9()));
  await trial.rest(trial.random.between(100, 1_500));
  await redis.restart();
}

async function killGuard(trial) {
  const guard = trial.guards[trial.random.below(trial.guards.length)];
  await trial.fault(`kill -9 ${guard.name}`, async () => killed(await guard.kill9()));
  guard.start();
  await guard.ready();
}

/** Does one thing after another, for as long as the trial lasts and at least once each. */
async function inTurn(trial, environment, actions) {
  const over = now() + trial.seconds * 1_000;
  for (let turn = 0; turn < actions.length || now() < over; turn += 1) {
    await actions[turn % actions.length](trial, environment);
    await trial.rest(trial.random.between(500, 2_500));
  }
}

async function promote(trial, { cluster }) {
  await trial.fault(`promote the standby, ${cluster.standby.name}`, async () => {
    await cluster.promote();
    return `pg_is_in_recovery() is ${await cluster.primary.ask("SELECT pg_is_in_recovery()")}`;
  });
}

/** The primary is gone for good, and the standby takes its place; later a new standby is made. */
async function losePrimary(trial, environment) {
  const { cluster } = environment;
  await trial.fault(`kill -9 the primary, ${cluster.primary.name}, for good`, async () => killed(await cluster.primary.kill9()));
  await trial.rest(500);
  await promote(trial, environment);
  await trial.rest(3_000);
  await cluster.rejoin();
}

/** The primary takes connections and answers nothing more; the standby takes its place while it still does so. */
async function hangPrimary(trial, environment) {
  const { cluster } = environment;
  const hanging = cluster.primary;
  await trial.fault(`stop every process of the primary, ${hanging.name}`, async () => {
    hanging.freeze();
    return hanging.ask("SELECT 1").then(() => undefined, (error) => error.message);
  });
  await promote(trial, environment);
  await trial.rest(trial.seconds * 1_000);
  await hanging.kill9();
  await cluster.rejoin();
}

async function cutStandbyOff(trial, { cluster }) {
  await trial.fault("cut the standby off, so that nothing is confirmed", async () => {
    cluster.link.cut();
    await until("a commit waits", async () =>
      Number(await cluster.primary.ask("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'")) > 0);
    return "commits wait for the standby";
  });
}

/** With the standby away no commit is confirmed. What the primary has then said to be done must be on the standby all the same. */
async function losePrimaryWithoutStandby(trial, environment) {
  await cutStandbyOff(trial, environment);
  // Longer than a server waits for its store.
  await trial.rest(7_000);
  await losePrimaryBehind(trial, environment);
}

/**
 * As before, but the primary comes back for a while first, and what nobody has confirmed can be read there. Whoever asks again for an
 * end that was not acknowledged must not be told that it is done because it can be read.
 */
async function restartThenLosePrimary(trial, environment) {
  const { cluster } = environment;
  await cutStandbyOff(trial, environment);
  // Longer than a server waits for its store: what hangs is answered, and not with a yes.
  await trial.rest(6_000);
  await trial.fault(`kill -9 the primary, ${cluster.primary.name}`, async () => killed(await cluster.primary.kill9()));
  await cluster.primary.start();
  await trial.fault("ask again for ends that were not acknowledged", async () => {
    const asked = await endAgain(trial, environment);
    return asked > 0 ? `${asked} times` : undefined;
  });
  await losePrimaryBehind(trial, environment);
}

/** Returns how many. Replicas are asked whether they are in service or not: a load balancer is not always told in time. */
async function endAgain({ history, random }, { replicas }) {
  const revocations = history.of("revoke");
  const acknowledged = new Set(revocations.filter(({ status }) => status === 200 || status === 204).map(({ sid }) => sid));
  const open = [...new Set(revocations.map(({ sid }) => sid))].filter((sid) => !acknowledged.has(sid));
  await Promise.all(open.map((sid) => {
    const replica = random.below(replicas.length);
    return endSession(history, { replica, control: replicas[replica].control, sid, kind: "without" });
  }));
  return open.length;
}

async function losePrimaryBehind(trial, environment) {
  const { cluster } = environment;
  await trial.fault(`kill -9 the primary, ${cluster.primary.name}, for good`, async () => killed(await cluster.primary.kill9()));
  // What was on its way when the line was cut does not arrive: it was in the memory of the machine that is gone.
  cluster.link.reset();
  cluster.link.heal();
  await promote(trial, environment);
  await trial.rest(3_000);
  await cluster.rejoin();
}

/** More requests than connections, each of which takes long. */
async function exhaust(trial, environment) {
  await trial.fault("make the way to the store slow, with five connections each", async () => {
    for (const line of environment.storeLines.flat()) line.delay(100);
    await trial.rest(trial.seconds * 500);
    const overloaded = trial.history.events.filter((event) => event.status === 503 && event.code === "overloaded").length;
    return overloaded > 0 ? `${overloaded} answers 503 overloaded` : undefined;
  });
  for (const line of environment.storeLines.flat()) line.heal();
}

async function flushRedis(trial, { redis }) {
  await trial.fault("flush Redis", async () => {
    await redis.ask("SET", "a-key-of-this-test", "1");
    const before = await redis.size();
    await redis.flushall();
    const after = Number(await redis.ask("EXISTS", "a-key-of-this-test"));
    return after === 0 ? `${before} keys are gone` : undefined;
  });
}

/** The control: a primary that does not wait for its standby forgets what it has said to be done, and the checkers must see it. */
async function losePrimaryUnconfirmed(trial, environment) {
  const { cluster } = environment;
  await trial.fault("cut the standby off, and let the primary do without it", async () => {
    await cluster.primary.confirmedBy("");
    cluster.link.cut();
    await trial.rest(3_000);
    return `${cluster.link.held} pieces of data were held back`;
  });
  await losePrimaryBehind(trial, environment);
}

export const CONTROLS = [{ name: "control: a primary that waits for nobody", inject: losePrimaryUnconfirmed, breaks: "D1" }];

/** The least there is, for every change. */
export const SHORT = ["replica killed", "primary lost, standby promoted", "replica cut off from the primary", "Redis flushed"];

export const SCENARIOS = [
  { name: "replica killed", inject: (trial, environment) => inTurn(trial, environment, [killReplica]) },
  { name: "primary lost, standby promoted", inject: (trial, environment) => inTurn(trial, environment, [losePrimary]) },
  ...networks,
  { name: "Redis flushed", apart: APART, inject: (trial, environment) => inTurn(trial, environment, [flushRedis]) },
  {
    name: "each part killed",
    apart: APART,
    inject: (trial, environment) =>
      inTurn(trial, environment, [killReplica, killPrimary, killGuard, killStandby, killRedis]),
  },
  { name: "primary hangs, standby promoted", inject: hangPrimary },
  { name: "primary lost while nothing was confirmed", inject: losePrimaryWithoutStandby },
  { name: "primary restarted and lost while nothing was confirmed", inject: restartThenLosePrimary },
  ...disks,
  ...clocks,
  ...cables,
  ...upgrades,
  {
    name: "keys and bans, replica killed",
    administrator: true,
    inject: (trial, environment) => inTurn(trial, environment, [killReplica]),
  },
  {
    name: "keys and bans, primary lost, standby promoted",
    administrator: true,
    inject: (trial, environment) => inTurn(trial, environment, [losePrimary]),
  },
  { name: "connections exhausted", needs: { connections: 6 }, inject: exhaust, crowd: 4 },
  {
    name: "the only replica killed, embedded store",
    needs: { store: "embedded" },
    inject: (trial, environment) => inTurn(trial, environment, [killReplica]),
  },
];
