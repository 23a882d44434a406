// The sign-in page's silent attempt, and where it leads.

import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import {
  ACCESS, REFRESH, accountShown, answersTo, cookie, createAccount, fillLogin, formReady, says, signedIn,
} from "./pages.mjs";
import { picture } from "./pictures.mjs";
import { launchRefusingCookies, stage } from "./support.mjs";

const ELSEWHERE = [
  "//evil.example", "///evil.example", "/\\evil.example", "\\\\evil.example", "https://evil.example",
  "https:evil.example", "http://localhost:9/", "//localhost:9/", "javascript:alert(1)", "data:text/html,x",
  "@evil.example", "/\t/evil.example", "/\n/evil.example", " //evil.example", "evil.example",
  "%2F%2Fevil.example", "\u2215/evil.example",
];
const MINUTE_MS = 60_000;

const here = stage();
const loginFor = (redirect) => `/login?redirect=${encodeURIComponent(redirect)}`;

/** The hosts that the context's pages ask for anything. */
function hostsAsked(context) {
  const hosts = new Set();
  context.on("request", (request) => hosts.add(new URL(request.url()).host));
  return hosts;
}

test("without an access cookie the sign-in page refreshes silently and goes straight back", async (t) => {
  const context = await here.visitor(t);
  const { page } = await signedIn(context, here.server);
  const before = await cookie(context, REFRESH);
  await context.clearCookies({ name: ACCESS });
  const refreshes = answersTo(context, "POST", "/api/auth/refresh");
  await page.goto(loginFor("/account?from=mail#x"));
  await page.waitForURL(`${here.server.url}/account?from=mail#x`);
  await accountShown(page);
  assert.deepEqual(refreshes, [200], "one refresh");
  assert.notEqual((await cookie(context, REFRESH)).value, before.value, "the token was rotated");
  assert.ok(await cookie(context, ACCESS));
});

test("where the gate asks for a fresh proof, the session at hand is not enough and goes on once it is given", async (t) => {
  const context = await here.visitor(t);
  const { page } = await signedIn(context, here.server);
  await page.goto(`${loginFor("/account?pay")}&ended=reauthenticate`);
  await page.locator("#prove-password").waitFor();
  assert.equal(await page.locator("#heading").textContent(), "Confirm that it is you");
  assert.equal(new URL(page.url()).pathname, "/login", "not led back before");
  await picture(page, "confirm-that-it-is-you");
});

test("without any cookie the sign-in page asks once, shows the form and says nothing", async (t) => {
  const context = await here.visitor(t);
  const refreshes = answersTo(context, "POST", "/api/auth/refresh");
  const page = await context.newPage();
  await page.goto("/account");
  await formReady(page);
  assert.equal(new URL(page.url()).searchParams.get("redirect"), "/account");
  assert.equal(await page.locator("#status").textContent(), "");
  assert.deepEqual(refreshes, [401, 401], "the account page's and the sign-in page's");
});

test("ATK-40: a silent refresh never leads to another host", async (t) => {
  const context = await here.visitor(t);
  await signedIn(context, here.server);
  const hosts = hostsAsked(context);
  for (const redirect of ELSEWHERE) {
    const page = await context.newPage();
    await page.goto(loginFor(redirect));
    await accountShown(page);
    assert.equal(page.url(), `${here.server.url}/account`, JSON.stringify(redirect));
    await page.close();
  }
  assert.deepEqual([...hosts], [new URL(here.server.url).host]);
});

test("ATK-40: a sign-in never leads to another host", async (t) => {
  const person = await createAccount(here.server);
  for (const redirect of ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)"]) {
    const context = await here.visitor(t);
    const hosts = hostsAsked(context);
    const page = await context.newPage();
    await page.goto(loginFor(redirect));
    await formReady(page);
    await fillLogin(page, person);
    await page.click("#submit");
    await accountShown(page);
    assert.equal(page.url(), `${here.server.url}/account`, redirect);
    assert.deepEqual([...hosts], [new URL(here.server.url).host]);
  }
});

test("ATK-40: a path that looks like markup stays a path", async (t) => {
  const context = await here.visitor(t);
  const path = `/account?"><script>alert(1)</script><b/x='&amp;`;
  const page = await context.newPage();
  await page.goto(loginFor(path));
  await formReady(page);
  assert.equal(await page.getAttribute("#login-form", "data-redirect"), path);
  assert.equal(await page.locator("#login-form b, script:not([src])").count(), 0);
});

test("a page that sends people straight back is noticed: no loop, and the reason is said", async (t) => {
  const context = await here.visitor(t);
  const { page } = await signedIn(context, here.server);
  // An application that never sees a cookie.
  let visits = 0;
  await context.route(/\/app(\?|$)/, (route) => {
    visits += 1;
    return route.fulfill({ status: 302, headers: { Location: loginFor(`/app?visit=${visits}`) } });
  });
  const refreshes = answersTo(context, "POST", "/api/auth/refresh");
  await page.goto(loginFor("/app"));
  await says(page, "Cookies are blocked");
  await formReady(page);
  assert.deepEqual([visits, refreshes], [1, [200]]);
  await picture(page, "cookies-blocked");

  // A while later it is worth another try.
  await page.evaluate((age) => {
    for (const key of Object.keys(sessionStorage)) sessionStorage.setItem(key, String(Date.now() - age));
  }, MINUTE_MS);
  await page.goto(loginFor("/app"));
  await says(page, "Cookies are blocked");
  assert.deepEqual([visits, refreshes], [2, [200, 200]]);
});

test("going to the account by the sign-in page twice in a row is no loop", async (t) => {
  const context = await here.visitor(t);
  const { page } = await signedIn(context, here.server);
  for (const redirect of ["/account", "/account", "/account#devices-heading", "/account#devices-heading"]) {
    await page.goto(loginFor(redirect));
    await page.waitForURL(here.server.url + redirect);
    await accountShown(page);
  }
});

test("a browser that refuses cookies is told so, and sign-in ends there instead of going in circles", async (t) => {
  const person = await createAccount(here.server);
  const { context, close } = await launchRefusingCookies(async (profile) => {
    const preferences = { profile: { default_content_setting_values: { cookies: 2 } } };
    await mkdir(join(profile, "Default"), { recursive: true });
    await writeFile(join(profile, "Default", "Preferences"), JSON.stringify(preferences));
  });
  t.after(close);
  const visited = [];
  const page = await context.newPage();
  page.on("framenavigated", (frame) => visited.push(new URL(frame.url()).pathname));
  await page.goto(`${here.server.url}/login`);
  await formReady(page);
  await fillLogin(page, person);
  await page.click("#submit");
  await says(page, "Cookies are blocked");
  assert.deepEqual(await context.cookies(), []);
  assert.ok(visited.length <= 4, `went in circles: ${visited}`);
});
