// "Sign out everywhere", with a receipt: two APIs with a guard each, and when either of them refuses.

import assert from "node:assert/strict";
import { Story } from "./story.mjs";
import { World, inWords } from "./world.mjs";

const NAMES = ["orders API", "mail API"];

export async function signOut(t) {
  const story = new Story("Sign out everywhere: both APIs refuse before the receipt is given", ["Ada", "Authority", ...NAMES]);
  const world = await World.begin(t);
  const guards = await Promise.all(NAMES.map((name) => world.guard(name.replace(" ", "-"))));
  await acknowledgementsCount(world);

  const [laptop, phone] = [await world.browser(), await world.browser()];
  const tokens = [laptop.access, phone.access];
  for (const guard of guards) for (const token of tokens) await guard.verify(token);
  story.note(NAMES, "accept her laptop's token and her telephone's, asking nobody", { tone: "good" });

  const began = performance.now();
  const refused = guards.map((guard) => {
    const ends = [];
    for (const token of tokens) guard.watch(token, (why) => ends.push({ code: why.code, ms: performance.now() - began }));
    return ends;
  });
  const answer = await laptop.send("POST", "/api/auth/logout-all?receipt=effective");
  const answered = performance.now() - began;
  assert.equal(answer.status, 200, answer.text);

  story.message("Ada", "Authority", "sign out everywhere, on her laptop", { ms: 0 });
  for (const [place, name] of NAMES.entries()) {
    const ends = refused[place];
    assert.equal(ends.length, tokens.length, `the receipt was there, and the ${name} had not refused both tokens`);
    const ms = Math.max(...ends.map((end) => end.ms));
    story.message("Authority", name, `the feed: ${ends.length} sessions have ended`);
    story.note(name, `refuses both: ${[...new Set(ends.map((end) => end.code))].join(", ")}`, { tone: "bad", ms });
    story.message(name, "Authority", "asks for more: that is in force here");
  }
  const { confirmed, of, effective } = answer.json;
  const receipt = `receipt: ${effective ? "in force" : "not in force"}, ${confirmed} of ${of} verifiers confirmed`;
  story.message("Authority", "Ada", `${inWords(answer)}, ${receipt}`, { tone: "good", ms: answered });
  for (const [place, guard] of guards.entries()) {
    for (const token of tokens) await assert.rejects(guard.verify(token), { code: "session_revoked" }, NAMES[place]);
  }
  return story;
}

/** Right after its start a server gives receipts by time alone, since guards of the one before it may still accept. One is waited for. */
async function acknowledgementsCount(world) {
  const another = await world.browser();
  const { status } = await another.send("POST", "/api/auth/logout?receipt=effective", { within: 15_000 });
  assert.equal(status, 200);
}
