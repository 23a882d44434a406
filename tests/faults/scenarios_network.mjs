// Networks that fail: a line is cut for a while, and what was on its way arrives late; or it breaks again and again.

import { Client } from "./client.mjs";
import { RULES } from "./environment.mjs";
import { APART } from "./load.mjs";
import { now, until } from "./until.mjs";

/** Longer than a spent token may come back: a request that was stuck in the line all the time must not be taken for theft. */
const LONGER_THAN_GRACE = RULES.grace + 2_500;

/** Cuts a line for a while; it has been cut when something was held back in it. */
async function cut(trial, what, line, { during }) {
  await trial.fault(`cut the line between ${what}`, async () => {
    line.cut();
    await during();
    const { held } = line;
    line.heal();
    return held > 0 ? `${held} pieces of data were held back` : undefined;
  });
}

/** One replica does not reach the primary. It says so, and the others serve. */
async function replicaFromPrimary(trial, environment) {
  const index = trial.random.below(environment.replicas.length);
  const replica = environment.replicas[index];
  await cut(trial, `replica ${replica.name} and the primary`, environment.lineToPrimary(index), {
    during: async () => {
      const begun = now();
      await until("it is not in service", async () => await replica.answers() !== 200, { within: 8_000 });
      trial.say(`not in service after ${((now() - begun) / 1_000).toFixed(1)} s`);
      await trial.rest(LONGER_THAN_GRACE - (now() - begun));
    },
  });
}

/** No commit is confirmed: nobody may be told that something has been done. */
async function primaryFromStandby(trial, { cluster }) {
  await cut(trial, "primary and standby", cluster.link, { during: () => trial.rest(6_000) });
  await cluster.replicating();
}

async function replicaFromRedis(trial, { replicas, redisLines }) {
  const index = trial.random.below(replicas.length);
  await trial.fault(`cut the line between replica ${replicas[index].name} and Redis`, async () => {
    const line = redisLines[index];
    const before = line.accepted;
    line.cut();
    await trial.rest(6_000);
    const seen = `${line.connections} connections, ${line.held} pieces of data held back`;
    const touched = line.held + line.connections + line.accepted - before > 0;
    line.heal();
    return touched ? seen : undefined;
  });
}

/**
 * Redis is emptied while a replica is cut off from it, and what that one had sent before arrives first: it comes from a time when other
 * proofs had not been used yet.
 */
async function lateAtRedis(trial, { replicas, redis, redisLines }) {
  const index = trial.random.below(replicas.length);
  const others = redisLines.filter((_, other) => other !== index);
  await trial.fault(`flush Redis while replica ${replicas[index].name} is cut off, and let it hear from that one first`, async () => {
    redisLines[index].cut();
    await trial.rest(4_000);
    for (const line of others) line.cut();
    await redis.flushall();
    const { held } = redisLines[index];
    redisLines[index].heal();
    await until("Redis knows again since when it remembers", async () => await redis.ask("EXISTS", "counterfoil_since") === "1");
    for (const line of others) line.heal();
    return held > 0 ? `${held} pieces of data were held back` : undefined;
  });
  await trial.thief.replayAll();
}

/** A guard that hears nothing accepts nothing once its lease is over. */
async function guardFromReplica(trial) {
  await cut(trial, "guard 1 and its replica", trial.guardLine, {
    during: async () => {
      await trial.rest(RULES.maxStaleness + RULES.margin + 500);
      const since = now();
      await trial.rest(3_000);
      const judged = trial.history.events.filter((event) => event.verifier === "guard 1" && event.begin > since);
      trial.expect("a guard without a lease refuses everything", judged.length > 0 && judged.every(({ accepted }) => !accepted));
    },
  });
}

/** A split: the standby is promoted while the old primary lives on, and one replica still reaches only the old one. */
async function split(trial, environment) {
  const { cluster, storeLines } = environment;
  const [old, taking] = [cluster.primary, cluster.standby];
  const newLine = storeLines[0][cluster.servers.indexOf(taking)];
  const oldLines = storeLines.slice(1).map((lines) => lines[cluster.servers.indexOf(old)]);
  await trial.fault("cut the standby and all replicas but r0 off from the primary, and r0 off from the standby", async () => {
    cluster.link.cut();
    newLine.cut();
    for (const line of oldLines) line.cut();
    await cluster.promote();
    return `pg_is_in_recovery() is ${await taking.ask("SELECT pg_is_in_recovery()")} there and ${
      await old.ask("SELECT pg_is_in_recovery()")} here`;
  });
  const begun = now();
  const others = environment.replicas.slice(1);
  const serves = async () => (await Promise.all(others.map((one) => one.answers()))).includes(200);
  await until("a replica that reaches the new primary serves", serves, { within: 30_000 });
  trial.say(`served again ${((now() - begun) / 1_000).toFixed(1)} s after the promotion`);
  const strangers = await signOutWhereUnknown(trial, 0);
  await trial.rest(trial.seconds * 300);
  await old.kill9();
  for (const line of [newLine, ...oldLines]) {
    line.reset();
    line.heal();
  }
  cluster.link.reset();
  cluster.link.heal();
  await cluster.rejoin();
  for (const client of strangers) await client.trespass();
}

/** Sessions that began on one side of the split are signed out at a replica on the other, which may not say that it is done. */
async function signOutWhereUnknown(trial, replica) {
  const clients = trial.accounts.map((account) => new Client(trial.stage, account, "native"));
  const known = [];
  for (const client of clients) if (await client.signIn()) known.push(client);
  await Promise.all(known.map((client) => client.signOut("logout", { tries: 1, replica })));
  return known;
}

/** Every line to the store is slow, and breaks now and then: answers of the store are lost after it has done what it was asked. */
async function unreliable(trial, environment) {
  const lines = environment.storeLines.flat();
  for (const line of lines) line.delay(8);
  const over = now() + trial.seconds * 1_000;
  while (now() < over) {
    await trial.fault("break all lines of a replica to the store", async () => {
      const index = trial.random.below(environment.replicas.length);
      const broken = environment.storeLines[index];
      for (const line of broken) line.reset();
      const closed = broken.reduce((sum, line) => sum + line.closed, 0);
      // A replica that has none at the moment has nothing to lose.
      return `${closed} connections closed`;
    });
    await trial.rest(trial.random.between(300, 1_500));
  }
  for (const line of lines) line.heal();
  trial.expect("some connection was closed", trial.faults.some(({ seen }) => !seen.startsWith("0 ")));
}

export const networks = [
  { name: "replica cut off from the primary", inject: replicaFromPrimary },
  { name: "primary cut off from the standby", inject: primaryFromStandby },
  { name: "replica cut off from Redis", apart: APART, inject: replicaFromRedis },
  { name: "Redis flushed, and told late", apart: APART, inject: lateAtRedis },
  { name: "guard cut off from its replica", inject: guardFromReplica },
  { name: "lines to the store break", inject: unreliable },
  { name: "two primaries", inject: split },
];
