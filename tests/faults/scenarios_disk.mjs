// Disks that fail under the primary: full, and slow.

import { now, until } from "./until.mjs";

/** Fills the disk until PostgreSQL has felt it, keeps it full for a while, and makes room again. */
async function full(trial, { cluster, smallDisk }) {
  const { primary } = cluster;
  await trial.fault("fill the disk of the primary", async () => {
    const left = await smallDisk.fill();
    // A new segment of its log has to be made, and there is no room for one.
    await until("PostgreSQL has felt it", async () => {
      if (/No space left on device/.test(primary.said)) return true;
      await primary.ask("SELECT pg_switch_wal()").catch(() => {});
      return false;
    }, { within: 20_000 });
    return `${left} bytes left; PostgreSQL says "No space left on device"`;
  });
  await trial.rest(trial.seconds * 400);
  trial.say(primary.running ? "PostgreSQL has stayed" : "PostgreSQL has ended itself");
  smallDisk.free();
  if (!primary.running) await primary.start();
  await until("the primary answers", async () => await primary.ask("SELECT 1") === "1");
  await cluster.replicating();
}

/** Every wait for the disk takes longer, then much longer than anybody waits for an answer. */
async function slow(trial, { slowDisk }) {
  for (const milliseconds of [60, 400, 2_500]) {
    await trial.fault(`every fsync takes ${milliseconds} ms longer`, async () => {
      const before = slowDisk.waits;
      slowDisk.slow(milliseconds);
      const over = now() + trial.seconds * 300;
      while (now() < over) await trial.rest(100);
      slowDisk.slow(0);
      const waits = slowDisk.waits - before;
      return waits > 0 ? `${waits} times` : undefined;
    });
    await trial.rest(1_500);
  }
}

export const disks = [
  { name: "disk full", needs: { disk: "small" }, inject: full },
  { name: "disk slow", needs: { disk: "slow" }, inject: slow },
];
