// Ending sessions from the account page: here, there, everywhere.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import {
  ACCESS, REFRESH, accountShown, answersTo, api, cookie, createAccount, deviceIds, fillLogin, formReady, says, signedIn,
  sessionCookies, signIn, status,
} from "./pages.mjs";
import { picture } from "./pictures.mjs";
import { stage } from "./support.mjs";

const FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:150.0) Gecko/20100101 Firefox/150.0";
const NEW_PASSWORD = "a stub and its ticket";

const here = stage();

/** One person, signed in with two browsers: `mine` runs the list, `theirs` is the other device. */
async function twoDevices(t) {
  const person = await createAccount(here.server);
  const [mineContext, theirsContext] = [await here.visitor(t), await here.visitor(t, { userAgent: FIREFOX })];
  const { page: theirs } = await signedIn(theirsContext, here.server, person);
  const { page: mine } = await signedIn(mineContext, here.server, person);
  return { person, mine, mineContext, theirs, theirsContext };
}

test("S1: signing out in one tab ends the session and takes the other tab to the sign-in page", async (t) => {
  const context = await here.visitor(t);
  const { page } = await signedIn(context, here.server);
  const other = await context.newPage();
  await other.goto("/account");
  await accountShown(other);
  const spent = await context.cookies();

  await page.click("#sign-out");
  for (const tab of [page, other]) {
    await formReady(tab);
    await says(tab, "You are signed out.");
  }
  assert.deepEqual(await sessionCookies(context), [], "no cookie of a session is left");

  // Whoever kept the cookies gains nothing.
  await context.addCookies(spent);
  assert.equal((await api(page, "GET", "/api/auth/me")).body.code, "session_revoked");
  const refused = await api(page, "POST", "/api/auth/refresh");
  assert.deepEqual([refused.status, refused.body.code, refused.body.reason], [401, "refresh_invalid", "signed_out"]);
});

test("S1: signing out works when the access cookie has run out", async (t) => {
  const context = await here.visitor(t);
  const { page } = await signedIn(context, here.server);
  const kept = await cookie(context, REFRESH);
  await context.clearCookies({ name: ACCESS });
  await page.click("#sign-out");
  await formReady(page);
  await says(page, "You are signed out.");
  await context.addCookies([kept]);
  assert.equal((await api(page, "POST", "/api/auth/refresh")).body.reason, "signed_out");
});

test("S1: signing out everywhere ends the other browser, which is told why on its next step", async (t) => {
  const { mine, theirs, theirsContext } = await twoDevices(t);
  await theirs.reload();
  await accountShown(theirs);
  await mine.click("#sign-out-everywhere");
  await mine.click("#confirm-yes");
  await formReady(mine);
  await says(mine, "You are signed out.");

  await theirs.getByRole("button", { name: "End Chrome on Linux" }).click();
  await formReady(theirs);
  await says(theirs, "You ended this session from another device.");
  await picture(theirs, "ended-from-elsewhere");
  assert.equal((await api(theirs, "POST", "/api/auth/refresh")).status, 401);
  assert.ok(await cookie(theirsContext, REFRESH), "only a sign-out here or reuse takes the cookie away");
});

test("S2: signing out everywhere says how many services have confirmed it", async (t) => {
  const { mine } = await twoDevices(t);
  const guards = await Promise.all([1, 2].map((n) => follow(t, here.server, `api-${n}`)));
  const before = guards.map((guard) => guard.revoked.size);
  await mine.click("#sign-out-everywhere");
  await mine.click("#confirm-yes");
  await formReady(mine);
  await says(mine, "You are signed out everywhere. Confirmed by 3 of 3.");
  assert.deepEqual(guards.map((guard) => guard.revoked.size), before.map((size) => size + 2));
  await mine.reload();
  await formReady(mine);
  assert.doesNotMatch(await mine.textContent("#status"), /Confirmed/, "said once");
});

/** A guard as far as the feed goes; it has heard from the authority when this returns. */
async function follow(t, server, name) {
  const credential = await server.guardCredential(name);
  const instance = randomBytes(16).toString("base64url");
  const revoked = new Set();
  let [cursor, running, first] = [null, true, null];
  const heard = new Promise((resolve) => { first = resolve; });
  const following = (async () => {
    while (running) {
      const query = new URLSearchParams({ instance, nonce: "n", wait: "200", ...(cursor && { after: cursor }) });
      const headers = { Authorization: `Bearer ${credential}` };
      const answer = await (await fetch(`${server.url}/api/revocations?${query}`, { headers })).json();
      answer.sessions.filter((_, at) => at % 2 === 0).forEach((sid) => revoked.add(sid));
      cursor = answer.cursor;
      first();
    }
  })();
  t.after(async () => {
    running = false;
    await following;
  });
  await heard;
  return { revoked };
}

test("S1: ending one other device ends that one alone, and it is told why", async (t) => {
  const { person, mine, theirs } = await twoDevices(t);
  const third = (await signedIn(await here.visitor(t), here.server, person)).page;
  await mine.reload();
  await accountShown(mine);
  const [, , firefox] = await deviceIds(mine);

  await mine.getByRole("button", { name: "End Firefox on Windows" }).click();
  await says(mine, "Ended: Firefox on Windows.");
  await mine.locator(`#sessions > li[data-session-id="${firefox}"]`).waitFor({ state: "detached" });
  await mine.locator("#ended > li", { hasText: "Firefox on Windows" }).getByText("Ended by you").waitFor();
  assert.equal(await mine.locator("#sessions > li").count(), 2);

  await theirs.reload();
  await formReady(theirs);
  await says(theirs, "You ended this session from another device.");
  await third.reload();
  await accountShown(third);
});

test("S1: ending all others asks first, and keeps this device", async (t) => {
  const { mine, theirs } = await twoDevices(t);
  await mine.click("#end-others");
  await mine.click("#confirm-no");
  await theirs.reload();
  await accountShown(theirs);

  await mine.click("#end-others");
  await mine.keyboard.press("Escape");
  await mine.locator("#confirm[open]").waitFor({ state: "detached" });
  await theirs.reload();
  await accountShown(theirs);

  await mine.click("#end-others");
  await mine.click("#confirm-yes");
  await says(mine, "All other devices are signed out.");
  await mine.locator("#end-others").waitFor({ state: "hidden" });
  assert.equal(await mine.locator("#sessions > li").count(), 1);
  await theirs.reload();
  await formReady(theirs);
  await says(theirs, "You ended this session from another device.");
});

test("S1: changing the password ends the other browser and keeps this one", async (t) => {
  const { person, mine, mineContext, theirs } = await twoDevices(t);
  const before = await cookie(mineContext, REFRESH);

  await mine.fill("#current-password", "this is not my password");
  await mine.fill("#new-password", NEW_PASSWORD);
  await mine.click("#change-password");
  await mine.getByText("This is not your current password.").waitFor();

  await mine.fill("#current-password", person.password);
  await mine.fill("#new-password", "too short");
  await mine.click("#change-password");
  await mine.locator("#new-password-error:not(:empty)").waitFor();

  await mine.fill("#new-password", NEW_PASSWORD);
  await mine.click("#change-password");
  await says(mine, "Your password is changed.");
  await mine.locator("#end-others").waitFor({ state: "hidden" });
  assert.equal((await api(mine, "GET", "/api/auth/me")).status, 200);
  assert.notEqual((await cookie(mineContext, REFRESH)).value, before.value, "re-authentication gives a new handle");
  assert.equal((await api(mine, "POST", "/api/auth/refresh")).status, 200);

  await theirs.reload();
  await formReady(theirs);
  await says(theirs, "Your password was changed");
  await fillLogin(theirs, person);
  await theirs.click("#submit");
  await theirs.locator("#password-error:not(:empty)").waitFor();
  await signIn(theirs, { ...person, password: NEW_PASSWORD });
});

test("signing in again in one tab brings a waiting sign-in page in another tab back", async (t) => {
  const context = await here.visitor(t);
  const person = await createAccount(here.server);
  const waiting = await context.newPage();
  await waiting.goto("/login");
  await formReady(waiting);
  await signedIn(context, here.server, person);
  await accountShown(waiting);
});

test("a failing server signs nobody out: 503, 429 and no answer at all leave the session alone", async (t) => {
  const context = await here.visitor(t);
  const { page } = await signedIn(context, here.server);
  const problem = (code) => ({ contentType: "application/problem+json", body: JSON.stringify({ code }) });
  const failures = [
    (route) => route.fulfill({ status: 503, headers: { "Retry-After": "60" }, ...problem("overloaded") }),
    (route) => route.fulfill({ status: 429, headers: { "Retry-After": "60" }, ...problem("rate_limited") }),
    (route) => route.abort("connectionrefused"),
  ];
  for (const fail of failures) {
    await context.clearCookies({ name: ACCESS });
    await page.route("**/api/auth/refresh", fail);
    await page.reload();
    await page.locator("#load-problem:visible").waitFor();
    assert.equal(new URL(page.url()).pathname, "/account");
    await page.unroute("**/api/auth/refresh");
    const refreshes = answersTo(context, "POST", "/api/auth/refresh");
    await page.click("#load-again");
    await accountShown(page);
    assert.deepEqual(refreshes, [200]);
  }
  assert.equal(await status(page), "");
});
