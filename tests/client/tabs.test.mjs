// The client in many tabs of a real browser, with a real server: nobody is signed out who did not sign out.

import assert from "node:assert/strict";
import { test } from "node:test";
import { REFRESH, answersTo, cookie, createAccount, accessCookieGone, fillLogin, formReady, accountShown } from "../browser/pages.mjs";
import { stage, startServer, until } from "../browser/support.mjs";
import { appTab, becomes, everSignedOut, refresh, servePage, session, signIn, state } from "./page.mjs";

const TABS = 20;
const ROUNDS = 6;
const SHORT = { COUNTERFOIL__SESSION__ACCESS_LIFETIME: "1s" };
const here = stage(SHORT);

/** A browser in which somebody is signed in, in the first of so many tabs. */
async function signedInTabs(t, count, { server = here.server, options = {} } = {}) {
  const context = await here.visitor(t, { baseURL: server.url });
  await servePage(context);
  const person = await createAccount(server);
  const first = await appTab(context, options);
  const { status } = await signIn(first, person);
  assert.equal(status, "signed_in");
  const tabs = [first];
  while (tabs.length < count) tabs.push(await appTab(context, options));
  for (const tab of tabs) assert.equal((await session(tab)).status, "signed_in");
  return { context, person, tabs };
}

/** An authorised call by the client: its status. */
const call = (tab) => tab.evaluate(() => window.client.fetch("/api/auth/sessions").then(({ status }) => status));

test(`${TABS} tabs refresh at once, again and again, and nobody is signed out`, async (t) => {
  const { context, tabs } = await signedInTabs(t, TABS);
  const { session: { id } } = await state(tabs[0]);
  const refreshes = answersTo(context, "POST", "/api/auth/refresh");
  for (let round = 0; round < ROUNDS; round += 1) {
    const states = await Promise.all(tabs.map(refresh));
    assert.deepEqual([...new Set(states.map(({ status }) => status))], ["signed_in"], `round ${round}`);
  }
  assert.equal(refreshes.length, TABS * ROUNDS, "every tab has asked, once each time");
  assert.deepEqual([...new Set(refreshes)], [200]);
  for (const tab of tabs) {
    assert.equal((await session(tab)).session.id, id);
    assert.ok(!(await everSignedOut(tab)));
  }
  const decisions = await here.server.refreshDecisions();
  t.diagnostic(JSON.stringify(decisions));
  assert.ok((decisions.repeat ?? 0) + (decisions.hold ?? 0) + (decisions.late ?? 0) > 0, "tabs really raced");
  assert.equal(decisions.reuse, undefined);
});

test("control: with strict rotation the same race does sign out, so the test above can fail", async (t) => {
  const strict = await startServer({ ...SHORT, COUNTERFOIL__SESSION__ROTATION_GRACE: "0s" });
  t.after(() => strict.stop());
  const { tabs } = await signedInTabs(t, 3, { server: strict });
  const seen = new Set();
  for (let round = 0; round < 50 && !seen.has("signed_out"); round += 1) {
    for (const { status } of await Promise.all(tabs.map(refresh))) seen.add(status);
  }
  assert.ok(seen.has("signed_out"), "two tabs with one token, and strict rotation");
});

test("calls of all tabs at the end of the tokens: each tab renews at most once", async (t) => {
  const { context, tabs } = await signedInTabs(t, 4);
  await accessCookieGone(context);
  const refreshes = answersTo(context, "POST", "/api/auth/refresh");
  const statuses = await Promise.all(tabs.flatMap((tab) => [call(tab), call(tab), call(tab)]));
  // A token that lives for a second may run out on the way.
  assert.ok(statuses.every((status) => status === 200 || status === 401), `${statuses}`);
  assert.ok(statuses.includes(200));
  assert.ok(refreshes.length >= 1 && refreshes.length <= 2 * tabs.length, `${refreshes.length} renewals`);
  for (const tab of tabs) assert.ok(!(await everSignedOut(tab)));
});

test("a tab that was frozen through several rotations goes on, also one that was frozen in the middle of a refresh", async (t) => {
  const { context, tabs: [first, sleeper] } = await signedInTabs(t, 2);
  const devtools = await context.newCDPSession(sleeper);
  const freeze = (how) => devtools.send("Page.setWebLifecycleState", { state: how });
  await freeze("frozen");
  for (let round = 0; round < 3; round += 1) assert.equal((await refresh(first)).status, "signed_in");
  await freeze("active");
  assert.equal((await refresh(sleeper)).status, "signed_in");

  // The server has decided, and the tab sleeps when the answer comes.
  let release;
  const held = new Promise((resolve) => { release = resolve; });
  let asked = false;
  await sleeper.route("**/api/auth/refresh", async (route) => {
    asked = true;
    const answer = await route.fetch();
    await held;
    await route.fulfill({ response: answer });
  });
  const refreshed = refresh(sleeper);
  await until("the refresh is under way", () => asked);
  await freeze("frozen");
  assert.equal((await refresh(first)).status, "signed_in");
  release();
  await freeze("active");
  assert.equal((await refreshed).status, "signed_in");
  await sleeper.unroute("**/api/auth/refresh");
  for (const tab of [sleeper, first]) {
    assert.equal((await refresh(tab)).status, "signed_in");
    assert.ok(!(await everSignedOut(tab)));
  }
});

test("slow processors and a slow network sign nobody out", async (t) => {
  const { context, tabs } = await signedInTabs(t, 2);
  for (const tab of tabs) {
    const devtools = await context.newCDPSession(tab);
    await devtools.send("Emulation.setCPUThrottlingRate", { rate: 6 });
    await devtools.send("Network.enable");
    await devtools.send("Network.emulateNetworkConditions", { offline: false, latency: 400, downloadThroughput: 6_000, uploadThroughput: 6_000 });
  }
  for (let round = 0; round < 2; round += 1) {
    const states = await Promise.all(tabs.map(refresh));
    assert.deepEqual(states.map(({ status }) => status), ["signed_in", "signed_in"]);
  }
  for (const tab of tabs) assert.ok(!(await everSignedOut(tab)));
});

test("a refresh whose answer the network loses is asked for again, and the session lives", async (t) => {
  const { context, tabs: [page] } = await signedInTabs(t, 1);
  const { value } = await cookie(context, REFRESH);
  let lost = 0;
  await context.route("**/api/auth/refresh", async (route) => {
    if (lost > 0) return route.fallback();
    lost += 1;
    // The server answers, but not the browser: its jar keeps the spent token.
    const headers = { Origin: here.server.url, "X-Requested-With": "test", Cookie: `${REFRESH}=${value}` };
    assert.equal((await fetch(route.request().url(), { method: "POST", headers })).status, 200);
    return route.abort("connectionreset");
  });
  const before = await here.server.refreshDecisions();
  assert.equal((await refresh(page)).status, "signed_in");
  const after = await here.server.refreshDecisions();
  const more = (decision) => (after[decision] ?? 0) - (before[decision] ?? 0);
  assert.deepEqual([lost, more("rotate"), more("repeat"), more("reuse")], [1, 1, 1, 0]);
  assert.notEqual((await cookie(context, REFRESH)).value, value);
});

test("signing out in one tab signs the others out at once, and the hosted pages speak the same language", async (t) => {
  const { context, person, tabs } = await signedInTabs(t, 3);
  await tabs[0].evaluate(() => window.client.signOut());
  for (const tab of tabs) {
    await becomes(tab, "signed_out");
    assert.equal((await state(tab)).reason, "signed_out");
  }
  assert.deepEqual((await context.cookies()).filter(({ name }) => name === REFRESH), []);

  // Signed in on the authority's own page, and out on it.
  const hosted = await context.newPage();
  await hosted.goto("/login");
  await formReady(hosted);
  await fillLogin(hosted, person);
  await hosted.click("#submit");
  await accountShown(hosted);
  for (const tab of tabs) await becomes(tab, "signed_in");
  await hosted.click("#sign-out");
  for (const tab of tabs) await becomes(tab, "signed_out");
});

test("signing out everywhere on another device: the next call here says so, and the state says why", async (t) => {
  const { person, tabs: [page] } = await signedInTabs(t, 1);
  const elsewhere = await here.visitor(t);
  await servePage(elsewhere);
  const other = await appTab(elsewhere);
  assert.equal((await signIn(other, person)).status, "signed_in");
  await other.evaluate(() => window.client.signOut({ everywhere: true }));
  assert.equal(await call(page), 401);
  assert.deepEqual(await state(page), { status: "signed_out", reason: "ended_by_you" });
});
