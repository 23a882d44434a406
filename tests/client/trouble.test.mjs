// What browsers, networks and proxies do to a client of a real server: a clear state with words for it, no loop, and no sign-out.

import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { createAccount } from "../browser/pages.mjs";
import { launchRefusingCookies, stage } from "../browser/support.mjs";
import { appTab, becomes, everSignedOut, servePage, session, signIn, state } from "./page.mjs";

const here = stage();

async function signedInTab(t, options) {
  const context = await here.visitor(t, options);
  await servePage(context);
  const page = await appTab(context);
  const person = await createAccount(here.server);
  assert.equal((await signIn(page, person)).status, "signed_in");
  return { context, page, person };
}

/** The requests that a page makes to the authority: a live list. */
function requests(context) {
  const list = [];
  context.on("request", (request) => {
    const { pathname } = new URL(request.url());
    if (pathname.startsWith("/api/")) list.push(`${request.method()} ${pathname}`);
  });
  return list;
}

test("offline: it says so, keeps who was there, and goes on by itself once the network is back", async (t) => {
  const { context, page } = await signedInTab(t);
  await context.setOffline(true);
  const { status, cause, message, last } = await session(page);
  assert.deepEqual([status, cause], ["unknown", "unreachable"]);
  assert.match(message, /cannot be reached/);
  assert.ok(last.user.email);
  await context.setOffline(false);
  await becomes(page, "signed_in");
  assert.ok(!(await everSignedOut(page)));
});

const PROXIES = {
  "HTML with 200": [{ status: 200, contentType: "text/html", body: "<h1>Sign in to the network</h1>" }, "not_counterfoil"],
  "HTML with 502": [{ status: 502, contentType: "text/html", body: "<h1>Bad Gateway</h1>" }, "unavailable"],
  "HTML with 401": [{ status: 401, contentType: "text/html", body: "<h1>Who are you?</h1>" }, "not_counterfoil"],
  "a redirect to another page": [{ status: 302, headers: { Location: "/app" } }, "not_counterfoil"],
  "429 without a body": [{ status: 429, headers: { "Retry-After": "60" } }, "rate_limited"],
};
for (const [what, [answer, wanted]] of Object.entries(PROXIES)) {
  test(`something in between answers: ${what}`, async (t) => {
    const { context, page } = await signedInTab(t);
    await context.route("**/api/**", (route) => route.fulfill(answer));
    const { status, cause, message } = await session(page);
    assert.deepEqual([status, cause], ["unknown", wanted]);
    assert.ok(message.length > 10);
    assert.ok(!(await everSignedOut(page)));
    await context.unroute("**/api/**");
    const fresh = await appTab(context);
    assert.equal((await session(fresh)).status, "signed_in");
  });
}

test("connections that are closed without an answer", async (t) => {
  const { context, page } = await signedInTab(t);
  const made = requests(context);
  await context.route("**/api/**", (route) => route.abort("connectionreset"));
  const refreshed = await page.evaluate(() => window.client.refresh());
  assert.deepEqual([refreshed.status, refreshed.cause], ["unknown", "unreachable"]);
  assert.ok(made.length <= 3, `${made}`);
  const error = await page.evaluate(() => window.client.signOut().catch(({ code }) => code));
  assert.equal(error, "unreachable");
  assert.ok(!(await everSignedOut(page)), "a sign-out that is not certain is none");
});

test("cookies are blocked: the sign-in says so, nothing is stored, and nothing goes in circles", async (t) => {
  const person = await createAccount(here.server);
  const { context, close } = await launchRefusingCookies(async (profile) => {
    const preferences = { profile: { default_content_setting_values: { cookies: 2 } } };
    await mkdir(join(profile, "Default"), { recursive: true });
    await writeFile(join(profile, "Default", "Preferences"), JSON.stringify(preferences));
  });
  t.after(close);
  await servePage(context);
  const page = await context.newPage();
  const made = requests(context);
  await page.goto(`${here.server.url}/app`);
  await page.waitForFunction(() => "client" in window);
  await session(page);
  const before = made.length;
  assert.ok(before <= 3, `${made}`);
  assert.equal(await signIn(page, person), "cookies_blocked");
  const { status, cause, message } = await state(page);
  assert.deepEqual([status, cause], ["unknown", "cookies_blocked"]);
  assert.match(message, /Allow them/);
  assert.deepEqual(made.slice(before), ["POST /api/auth/login", "GET /api/auth/me"]);
  assert.deepEqual(await context.cookies(), []);
});

test("no storage, no BroadcastChannel: everything but the word to other tabs works", async (t) => {
  const context = await here.visitor(t);
  await context.addInitScript(() => {
    delete window.BroadcastChannel;
    for (const name of ["localStorage", "sessionStorage", "indexedDB"]) {
      Object.defineProperty(window, name, { get() { throw new DOMException("denied", "SecurityError"); } });
    }
  });
  await servePage(context);
  const page = await appTab(context);
  assert.equal((await signIn(page, await createAccount(here.server))).status, "signed_in");
  await page.reload();
  await page.waitForFunction(() => "client" in window);
  assert.equal((await session(page)).status, "signed_in");
  await page.evaluate(() => window.client.signOut());
  assert.equal((await state(page)).status, "signed_out");
});

test("a clock that is ten minutes off, either way, matters to nothing", async (t) => {
  for (const off of [-600_000, 600_000]) {
    const context = await here.visitor(t);
    await context.addInitScript((milliseconds) => {
      const { now } = Date;
      Date.now = () => now() + milliseconds;
    }, off);
    await servePage(context);
    const page = await appTab(context);
    const made = requests(context);
    assert.equal((await signIn(page, await createAccount(here.server))).status, "signed_in");
    for (let call = 0; call < 3; call += 1) {
      assert.equal(await page.evaluate(() => window.client.fetch("/api/auth/sessions").then(({ status }) => status)), 200);
    }
    assert.ok(!made.includes("POST /api/auth/refresh"), `${off}: ${made}`);
  }
});
