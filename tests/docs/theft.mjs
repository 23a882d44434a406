// Somebody copies a refresh token. Its owner uses it first; after the grace the copy ends the session.

import { Story } from "./story.mjs";
import { REFRESH, World, inWords, read } from "./world.mjs";

export async function theft(t) {
  const story = new Story("A copied refresh token is used after its owner's, and ends the session", ["Thief", "Authority", "Ada"]);
  const world = await World.begin(t);
  const [ada, phone] = [await world.browser(), await world.browser()];
  const held = (browser) => read(browser.cookies.get(REFRESH)).generation;

  const thief = ada.copy(REFRESH);
  story.note(["Thief", "Ada"], `the thief has a copy of Ada's refresh token: generation ${held(thief)}`, { tone: "bad" });
  story.message("Ada", "Authority", `refresh, generation ${held(ada)}`);
  const [rotated, first] = await world.decided(() => ada.refresh());
  story.note("Authority", `decides: ${first}`);
  story.message("Authority", "Ada", `${inWords(rotated)}, generation ${held(ada)}`, { tone: "good" });

  world.pass(31);
  story.pass("31 s later: the grace of 30 s is over");
  story.message("Thief", "Authority", `refresh, generation ${held(thief)}`, { tone: "bad" });
  const [caught, second] = await world.decided(() => thief.refresh());
  story.note("Authority", `decides: ${second}; the session ends`);
  story.message("Authority", "Thief", inWords(caught), { tone: "bad" });
  story.message("Ada", "Authority", "her access token, minutes from its end");
  story.message("Authority", "Ada", inWords(await ada.me()), { tone: "bad" });
  story.message("Ada", "Authority", `refresh, generation ${held(ada)}`);
  story.message("Authority", "Ada", inWords(await ada.refresh()), { tone: "bad" });
  const other = (await phone.me()).status;
  story.note("Ada", `her other session, on the telephone: ${other}`, { tone: other === 200 ? "good" : "bad" });
  return story;
}
