// One replica's wall clock goes wrong by an hour while it runs, and right again.

import { now, until } from "./until.mjs";

const HOUR = 3_600;

async function step(trial, { replicas }, seconds) {
  const replica = replicas[trial.random.below(replicas.length)];
  await trial.fault(`the clock of replica ${replica.name} steps by ${seconds} s`, async () => {
    replica.step(seconds);
    let difference;
    await until("its answers are dated otherwise", async () => {
      difference = await replica.difference();
      // Dates are in whole seconds.
      return Math.abs(difference) > 2;
    });
    return `its answers are dated ${difference.toFixed(1)} s from here`;
  });
  const begun = now();
  await until("it is not in service", async () => await replica.answers() === 503, { within: 10_000 })
    .then(() => trial.say(`not in service after ${((now() - begun) / 1_000).toFixed(1)} s`))
    .catch(() => trial.expect("a replica whose clock is wrong by an hour takes itself out of service within 10 s", false));
  await trial.rest(trial.seconds * 300);
  replica.step(0);
  const healed = now();
  await replica.ready({ within: 20_000 });
  trial.say(`in service again ${((now() - healed) / 1_000).toFixed(1)} s after its clock is right`);
}

export const clocks = [
  { name: "clock an hour ahead", needs: { clock: "settable" }, inject: (trial, environment) => step(trial, environment, HOUR) },
  { name: "clock an hour behind", needs: { clock: "settable" }, inject: (trial, environment) => step(trial, environment, -HOUR) },
];
