// Breaks the parts of a service one after another while honest clients use it, and checks what they saw: node run.mjs --help

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Environment } from "./environment.mjs";
import { details, failed, nothing, table } from "./report.mjs";
import { CONTROLS, SCENARIOS, SHORT } from "./scenarios.mjs";
import { Trial } from "./trial.mjs";
import { now } from "./until.mjs";

const HELP = `node run.mjs [--short] [--control] [--only NAME] [--seconds N] [--replicas N] [--clients N] [--seed N] [--histories FOLDER]

  --short            the four most important scenarios, briefly
  --control          instead of all that: a store that forgets, which must be seen
  --only NAME        scenarios whose name contains NAME
  --seconds N        how long faults are made in each, about (20; short: 4)
  --replicas N       how many servers (3; short: 2)
  --clients N        how many clients (36; short: 24)
  --seed N           the same chances as a run before
  --histories FOLDER where to write histories, as lines of JSON, and logs

  COUNTERFOIL_BINARY   the server to test, instead of the one below target
  COUNTERFOIL_PREVIOUS the one that the rolling upgrade starts from, instead of one built from what the file previous names
`;

const { values } = parseArgs({
  options: {
    short: { type: "boolean", default: false },
    control: { type: "boolean", default: false },
    only: { type: "string", default: "" },
    help: { type: "boolean", default: false },
    histories: { type: "string" },
    ...Object.fromEntries(["seconds", "replicas", "clients", "seed"].map((name) => [name, { type: "string" }])),
  },
});
if (values.help) {
  process.stdout.write(HELP);
  process.exit(0);
}
const number = (name, otherwise) => {
  const given = values[name] === undefined ? otherwise : Number(values[name]);
  if (!Number.isInteger(given) || given < 1) throw new Error(`--${name} takes a whole number from 1`);
  return given;
};
const settings = {
  seconds: number("seconds", values.short ? 4 : 20),
  replicas: number("replicas", values.short ? 2 : 3),
  clients: number("clients", values.short ? 24 : 36),
  seed: number("seed", Date.now() % 1_000_000),
};
const chosen = (values.control ? CONTROLS : SCENARIOS)
  .filter(({ name }) => (!values.short || SHORT.includes(name)) && name.includes(values.only));
if (chosen.length === 0) throw new Error(`there is no such scenario: ${SCENARIOS.map(({ name }) => name).join("; ")}`);

const started = now();
const say = (text) => process.stderr.write(`${((now() - started) / 1_000).toFixed(1).padStart(7)} s  ${text}\n`);

let environment;

/** Runs a scenario in the environment that is there if it will do, or in a new one. */
async function run(scenario, seed) {
  say(`— ${scenario.name}`);
  if (environment && JSON.stringify(environment.needs) !== JSON.stringify(scenario.needs ?? {})) await discard();
  environment ??= await Environment.start(scenario.needs ?? {}, settings.replicas, say);
  const clients = settings.clients * (scenario.crowd ?? 1);
  const trial = new Trial(scenario, environment, { ...settings, clients, seed, say: (text) => say(`  ${text}`) });
  const result = await trial.run();
  if (values.histories) mkdirSync(values.histories, { recursive: true });
  if (values.histories) keep(result, join(values.histories, scenario.name.replaceAll(/\W+/g, "-")));
  // What has gone wrong once must not be the next scenario's fault.
  if (failed(result) || result.breaks) await discard();
  return result;
}

/** Writes down what was seen, and what the replicas say of it. */
function keep({ history }, name) {
  writeFileSync(`${name}.jsonl`, history.events.map((event) => `${JSON.stringify(event)}\n`).join(""));
  for (const replica of environment.replicas) writeFileSync(`${name}-${replica.name}.log`, replica.log);
}

async function discard() {
  const ending = environment;
  environment = undefined;
  await ending?.stop();
}

const results = [];
say(`seed ${settings.seed}`);
for (const [index, scenario] of chosen.entries()) {
  const result = await run(scenario, settings.seed + index).catch(async (error) => {
    await discard();
    return nothing(scenario, error);
  });
  results.push(result);
  say(`  ${failed(result) ? "FAILED" : result.breaks ? "seen" : "held"}: ${result.served} requests served, ${result.failed} answers 5xx`);
}
await discard();
process.stdout.write(`${table(results)}\n`);
for (const text of results.map(details).filter(Boolean)) process.stdout.write(`\n${text}\n`);
process.exit(results.some(failed) ? 1 : 0);
