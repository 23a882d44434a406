// A new version takes the place of the one before it, replica after replica, with the load going on; and the way back.

import { binary } from "./authority.mjs";

/** For how much of the trial it stays as it is after each step: both versions serve side by side, on one store. */
const SIDE_BY_SIDE = 0.25;
/** What docs/guides/three-nodes.md promises of an older version: that it refuses to start on a newer schema, and says why. */
const TOO_NEW = /the database has schema version \d+, this program knows up to \d+/;

/** Each replica is ended in order and started with the new program, until there is no other. */
async function upgrade(trial, environment) {
  const { replicas, cluster } = environment;
  const before = await cluster.schema();
  const goOn = () => trial.rest(trial.seconds * 1_000 * SIDE_BY_SIDE);
  await goOn();
  for (const replica of replicas) {
    await trial.fault(`replica ${replica.name} is replaced by the new version`, () => replace(trial, replica, binary()));
    await goOn();
  }
  const after = await cluster.schema();
  trial.say(`the schema was version ${before}, and is ${after}`);
  const replica = replicas[trial.random.below(replicas.length)];
  await trial.fault(`replica ${replica.name} goes back to the version before`, () => after === before
    ? replace(trial, replica, environment.program)
    : refuse(trial, replica, environment.program));
  await goOn();
  await replace(trial, replica, binary());
}

/** Another program in its place. Returns how that went. */
async function replace(trial, replica, program) {
  if (!replica.over) await endInOrder(trial, replica);
  replica.program = program;
  await replica.start();
  return `process ${replica.pid} serves, of ${program}`;
}

/** The same with a program for which the schema is too new: it must not serve. */
async function refuse(trial, replica, program) {
  await endInOrder(trial, replica);
  replica.program = program;
  replica.launch();
  const { code } = await replica.ends();
  trial.expect(`a program for which the schema is too new ends by itself, and not well: ${code}`, code > 0);
  trial.expect(`it says why: ${replica.said.slice(-300)}`, TOO_NEW.test(replica.said));
  return replica.over ? `process ${replica.pid} has ended, of ${program}` : undefined;
}

async function endInOrder(trial, replica) {
  const { code, signal } = await replica.stop();
  trial.expect(`replica ${replica.name} ends in order: ${signal ?? code}`, code === 0);
}

export const upgrades = [{ name: "rolling upgrade", needs: { version: "previous" }, inject: upgrade }];
