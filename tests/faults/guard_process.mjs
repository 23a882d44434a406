// A program with a guard, as an API would have one. Its parent tells it tokens; all the time it judges them, and tells its parent
// what it has decided and when. Started by `guards.mjs`.

import { setTimeout as pause } from "node:timers/promises";
import { createGuard } from "../../packages/guard/dist/src/index.js";
import { keyOf } from "./history.mjs";

/** How many tokens are judged over and over; beyond it the oldest are forgotten. */
const MOST = 240;
/** How long one that has just ended is judged at every turn, in milliseconds. */
const WATCHED = 4_000;
const PER_TURN = 2;
const TURN = 10;

const [, , issuer, url, credential] = process.argv;
const guard = createGuard({ issuer, audience: ["web", "cli"], feed: { url, credential } });
const tokens = new Map();
const watched = new Map();
let decisions = [];

const now = () => Number(process.hrtime.bigint()) / 1e6;

process.on("message", ({ token, ended }) => {
  if (token) {
    tokens.delete(token[0]);
    tokens.set(...token);
    if (tokens.size > MOST) tokens.delete(tokens.keys().next().value);
  }
  if (ended) watched.set(ended, now() + WATCHED);
});
process.on("disconnect", () => process.exit(0));

async function judge(sid, token) {
  const begin = now();
  const code = await guard.verify(token).then(() => null, (refusal) => refusal.code ?? String(refusal));
  decisions.push([sid, keyOf(token), begin, now(), code]);
}

for (let place = 0; ; place += PER_TURN) {
  const all = [...tokens];
  for (let index = place; index < place + PER_TURN && all.length > 0; index += 1) await judge(...all[index % all.length]);
  for (const [sid, until] of watched) {
    if (tokens.has(sid)) await judge(sid, tokens.get(sid));
    if (until < now()) watched.delete(sid);
  }
  if (decisions.length > 0) process.send({ decisions });
  decisions = [];
  await pause(TURN);
}
