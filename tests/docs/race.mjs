// Two tabs share one browser's cookies and ask for a new access token at the same moment.

import assert from "node:assert/strict";
import { Story } from "./story.mjs";
import { REFRESH, World, inWords, read } from "./world.mjs";

export async function race(t) {
  const story = new Story("Two tabs refresh at the same moment, and nobody is signed out", ["Tab A", "Authority", "Tab B"]);
  const world = await World.begin(t);
  const browser = await world.browser();
  const held = () => read(browser.cookies.get(REFRESH)).generation;

  story.note(["Tab A", "Tab B"], `one cookie for both: generation ${held()}`);
  for (const tab of ["Tab A", "Tab B"]) story.message(tab, "Authority", `refresh, generation ${held()}`);
  const [answers, first] = await world.decided(() => Promise.all([browser.refresh(), browser.refresh()]));
  const brought = answers.map((answer) => read(answer.cookies.get(REFRESH)));
  story.note("Authority", `decides: ${first}`);
  story.message("Authority", "Tab A", `${inWords(answers[0])}, generation ${brought[0].generation}`, { tone: "good" });
  const other = brought[0].nonce === brought[1].nonce ? "the same token" : "a sibling";
  story.message("Authority", "Tab B", `${inWords(answers[1])}, generation ${brought[1].generation}: ${other}`, { tone: "good" });
  story.note(["Tab A", "Tab B"], "the answer that came last is the browser's cookie");

  const at = held();
  const [soon, second] = await world.decided(() => browser.refresh());
  story.message("Tab A", "Authority", `again at once, generation ${at}`);
  story.note("Authority", `decides: ${second}`);
  const kept = soon.cookies.has(REFRESH) ? "a new refresh token" : "an access token only";
  story.message("Authority", "Tab A", `${inWords(soon)}, ${kept}`, { tone: "good" });

  world.pass(31);
  story.pass("31 s later: the grace of 30 s is over");
  const [late, third] = await world.decided(() => browser.refresh());
  story.message("Tab B", "Authority", `refresh, generation ${at}`);
  story.note("Authority", `decides: ${third}`);
  story.message("Authority", "Tab B", `${inWords(late)}, generation ${held()}`, { tone: "good" });
  const { status } = await browser.me();
  assert.equal(status, 200, "whoever raced is signed in still");
  story.note(["Tab A", "Tab B"], "still the same session, still signed in", { tone: "good" });
  return story;
}
