// The cable between a replica and its store is pulled: what is sent is gone, and no connection is closed or refused.

import { RULES } from "./environment.mjs";
import { now, until } from "./until.mjs";

/** Longer than a spent token may come back. */
const LONG = RULES.grace + 2_500;

async function pull(trial, { replicas }, index, during) {
  const { network, name } = replicas[index];
  await trial.fault(`pull the cable between replica ${name} and the store`, async () => {
    const before = await network.repetitions();
    await network.store.pull();
    await during(replicas[index]).finally(() => network.store.plug());
    const sent = await network.repetitions() - before;
    return sent > 0 ? `${sent} segments were sent again, in vain` : undefined;
  });
}

/** Each for a moment, so that what was sent arrives late; then one for longer than anybody waits. */
async function pulled(trial, environment) {
  const { replicas, cluster } = environment;
  for (const index of replicas.keys()) {
    await pull(trial, environment, index, () => trial.rest(trial.random.between(1_000, 2_500)));
    await trial.rest(trial.random.between(500, 2_000));
  }
  await pull(trial, environment, trial.random.below(replicas.length), async (replica) => {
    const begun = now();
    await until("it is not in service", async () => await replica.answers() !== 200, { within: 8_000 });
    trial.say(`not in service after ${((now() - begun) / 1_000).toFixed(1)} s`);
    await trial.rest(LONG - (now() - begun));
  });
  await cluster.replicating();
}

export const cables = [{ name: "cable to the store pulled", needs: { network: "own" }, inject: pulled }];
