// S3: several tabs of one browser race for a new access token, and nobody is signed out.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  REFRESH, accessCookieGone, accountShown, answersTo, cookie, deviceIds, formReady, signedIn,
} from "./pages.mjs";
import { stage, startServer, until } from "./support.mjs";

const ROUNDS = 50;
const SHORT = { COUNTERFOIL__SESSION__ACCESS_LIFETIME: "1s" };
// A rotation that is repeated at once is followed by holding for the whole grace: two graces and more, so that three rotations come about.
const RACES = [
  // The default grace: after three rotations within it the server holds.
  { rounds: 70, grace: "30s" },
  // A short one: nearly every round rotates.
  { rounds: 20, grace: "6s" },
];

const here = stage(SHORT);

// Asks who is signed in, as the page's own script does: the session's id, or the code of what went wrong.
function ask(page) {
  return page.evaluate(async () => {
    const { src } = document.querySelector("script[type=module]");
    const { request } = await import(src.replace("account.js", "refresh.js"));
    return request("GET", "/api/auth/me").then(({ session }) => session.id, ({ code }) => code);
  });
}

/** One round: the access cookie runs out; then two tabs ask while a third loads, or one leaves in mid-question. */
async function race(context, [first, second, third], round) {
  await accessCookieGone(context);
  if (round % 2 === 0) {
    const [one, two] = await Promise.all([ask(first), ask(second), third.reload({ waitUntil: "load" })]);
    return [one, two];
  }
  // The second tab reloads at once: the answer to its refresh may never arrive, or arrive too late.
  const abandoned = ask(second).catch(() => "abandoned");
  const reloaded = second.reload({ waitUntil: "load" });
  const [one, two] = await Promise.all([ask(first), ask(third), abandoned, reloaded]);
  return [one, two];
}

async function threeTabs(context, server) {
  const { page } = await signedIn(context, server);
  const tabs = [page, await context.newPage(), await context.newPage()];
  for (const tab of tabs.slice(1)) {
    await tab.goto("/account");
    await accountShown(tab);
  }
  return tabs;
}

for (const { rounds, grace } of RACES) {
  test(`S3: tabs and a reload racing at expiry, ${rounds} rounds, grace ${grace}, sign nobody out`, async (t) => {
    const server = await startServer({ ...SHORT, COUNTERFOIL__SESSION__ROTATION_GRACE: grace });
    t.after(() => server.stop());
    const context = await here.visitor(t, { baseURL: server.url });
    await raceAll(t, { context, server, rounds });
  });
}

async function raceAll(t, { context, server, rounds }) {
  const tabs = await threeTabs(context, server);
  const refreshes = answersTo(context, "POST", "/api/auth/refresh");
  const [sid] = await deviceIds(tabs[0]);
  const tokens = new Set();
  const answers = [];

  for (let round = 0; round < rounds; round += 1) {
    answers.push(...await race(context, tabs, round));
    tokens.add((await cookie(context, REFRESH))?.value);
    assert.ok(!refreshes.includes(401), `round ${round}: a refresh was refused, after ${refreshes}`);
    for (const tab of tabs) assert.equal(new URL(tab.url()).pathname, "/account", `round ${round}`);
  }

  assert.ok(!tokens.has(undefined), "the refresh cookie was never taken away");
  // Times in a token are whole seconds, so one that lives for a second may run out at once: that is no sign-out.
  assert.deepEqual([...new Set(answers)].filter((answer) => answer !== "token_expired"), [sid]);
  const unlucky = answers.filter((answer) => answer === "token_expired").length;
  assert.ok(unlucky < rounds / 2, `${unlucky} of ${answers.length} answers came too late`);
  for (const tab of tabs) {
    await until("the account is shown", async () => {
      await tab.reload();
      return tab.locator("body:not(.loading)").waitFor({ timeout: 3_000 }).then(() => true, () => false);
    });
    assert.equal((await deviceIds(tab))[0], sid, "still the session of the beginning");
  }

  // The race really took place: more refreshes than rounds, new tokens, and not only plain rotations.
  const decisions = await server.refreshDecisions();
  const seen = { refreshes: refreshes.length, tokens: tokens.size, unlucky, decisions };
  t.diagnostic(JSON.stringify(seen));
  assert.ok(refreshes.length > rounds, `only ${refreshes.length} refreshes`);
  assert.ok(tokens.size > 1 && decisions.rotate > 2, "the token was rotated");
  assert.ok((decisions.repeat ?? 0) + (decisions.hold ?? 0) + (decisions.late ?? 0) > 0, "tabs really raced");
  assert.equal(decisions.reuse, undefined);
}

test("S3, control: without the grace the same race does sign out, so the test above can fail", async (t) => {
  const strict = await startServer({ ...SHORT, COUNTERFOIL__SESSION__ROTATION_GRACE: "0s" });
  t.after(() => strict.stop());
  const context = await here.visitor(t, { baseURL: strict.url });
  const { page } = await signedIn(context, strict);
  const refreshes = answersTo(context, "POST", "/api/auth/refresh");
  const other = await context.newPage();
  await other.goto("/account");
  await accountShown(other);
  for (let round = 0; round < ROUNDS && !refreshes.includes(401); round += 1) {
    await accessCookieGone(context);
    await Promise.allSettled([ask(page), ask(other)]);
  }
  assert.ok(refreshes.includes(401), "two tabs with one token, and strict rotation");
  const late = await context.newPage();
  await late.goto("/account");
  await formReady(late);
});

test("S3: within one tab any number of questions at expiry cost one refresh", async (t) => {
  const context = await here.visitor(t);
  const { page } = await signedIn(context, here.server);
  const refreshes = answersTo(context, "POST", "/api/auth/refresh");
  await accessCookieGone(context);
  await page.evaluate(async () => {
    const { src } = document.querySelector("script[type=module]");
    const { refresh } = await import(src.replace("account.js", "refresh.js"));
    await Promise.all(Array.from({ length: 20 }, refresh));
  });
  assert.deepEqual(refreshes, [200]);
});

test("S3: a refresh whose answer the network loses is tried again, and the session lives", async (t) => {
  const context = await here.visitor(t);
  const { page } = await signedIn(context, here.server);
  await accessCookieGone(context);
  const { value } = await cookie(context, REFRESH);
  const before = await here.server.refreshDecisions();
  let lost = 0;
  await context.route("**/api/auth/refresh", async (route) => {
    if (lost === 2) return route.continue();
    lost += 1;
    // The server answers, but not the browser: its jar keeps the spent token.
    const headers = { Origin: here.server.url, "X-Requested-With": "test", Cookie: `${REFRESH}=${value}` };
    const answer = await fetch(route.request().url(), { method: "POST", headers });
    assert.equal(answer.status, 200);
    return route.abort("connectionreset");
  });
  await page.reload();
  await accountShown(page);
  assert.equal(lost, 2);
  const after = await here.server.refreshDecisions();
  const more = (decision) => (after[decision] ?? 0) - (before[decision] ?? 0);
  assert.deepEqual([more("rotate"), more("repeat")], [1, 2], "rotated once, and repeated for the spent token");
  assert.notEqual((await cookie(context, REFRESH)).value, value);
});
