// What scripts can see of a session (nothing), and what a page does with hostile text (shows it).

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  ACCESS, REFRESH, accountShown, api, cookie, createAccount, fillLogin, formReady, signedIn, signIn, somebody,
} from "./pages.mjs";
import { stage, until, watchTroubles } from "./support.mjs";

const WEEK_S = 7 * 24 * 3600;
const TOKEN = /cf[rs]_|eyJ|v4\.public|[\w-]{40}/;

const here = stage();

/** Everything a script on the page can read that lasts. */
function readable(page) {
  return page.evaluate(async () => ({
    cookie: document.cookie,
    local: { ...localStorage },
    session: { ...sessionStorage },
    databases: (await indexedDB.databases()).map(({ name }) => name),
    caches: await caches.keys(),
    workers: (await navigator.serviceWorker.getRegistrations()).length,
    name: window.name,
  }));
}

function assertNothingSecret(seen, where) {
  assert.equal(seen.cookie, "", where);
  assert.deepEqual(seen.local, {}, where);
  for (const [key, value] of Object.entries(seen.session)) {
    assert.match(key, /^counterfoil:\//, where);
    assert.match(value, /^\d+$/, `${where}: sessionStorage holds more than a time`);
  }
  assert.deepEqual([seen.databases, seen.caches, seen.workers, seen.name], [[], [], 0, ""], where);
}

test("S6: no script on any page can read a token, from cookies or from storage", async (t) => {
  const context = await here.visitor(t);
  const { page } = await signedIn(context, here.server);
  for (const name of [ACCESS, REFRESH]) {
    const { httpOnly, secure, sameSite, domain } = await cookie(context, name);
    assert.deepEqual({ httpOnly, secure, sameSite, domain }, {
      httpOnly: true, secure: true, sameSite: "Lax", domain: "localhost",
    }, name);
  }
  assert.equal((await cookie(context, REFRESH)).path, "/api/auth/refresh");

  for (const path of ["/account", "/register", "/openapi.json", "/no-such-page"]) {
    await page.goto(path);
    assertNothingSecret(await readable(page), path);
  }
  // The sign-in page would go straight back; held up, it can be looked at.
  await page.route("**/api/auth/refresh", () => undefined);
  await page.goto("/login");
  await page.locator("body.checking").waitFor();
  assertNothingSecret(await readable(page), "/login");
});

test("S6: no answer that a page's script receives holds a token (profile cookie)", async (t) => {
  const context = await here.visitor(t);
  const { page, person } = await signedIn(context, here.server);
  const changed = { current_password: person.password, new_password: `${person.password}!` };
  const asked = [
    ["POST", "/api/auth/refresh"],
    ["GET", "/api/auth/me"],
    ["GET", "/api/auth/sessions"],
    ["POST", "/api/auth/password/change", changed],
    ["POST", "/api/auth/login", { email: person.email, password: changed.new_password }],
  ];
  for (const [method, path, body] of asked) {
    const answer = await api(page, method, path, body);
    assert.equal(answer.status, 200, path);
    assert.doesNotMatch(JSON.stringify(answer.body), TOKEN, path);
  }
  for (const name of [ACCESS, REFRESH]) {
    assert.match((await cookie(context, name)).value, TOKEN, "the pattern knows a token when it sees one");
  }
});

test("the password field forgets what was typed once the account exists", async (t) => {
  const context = await here.visitor(t);
  const page = await context.newPage();
  await context.route("**/api/auth/login", (route) => route.abort());
  await page.goto("/register");
  const { email, password } = somebody();
  await fillLogin(page, { email, password });
  await page.click("#submit");
  await page.locator("#finished:visible").waitFor();
  assert.equal(await page.inputValue("#password"), "");
  assert.equal(await page.evaluate(() => document.activeElement.id), "finished-link");
});

// ---- "Keep me signed in" ----------------------------------------------------------------------

for (const remember of [true, false]) {
  const kind = remember ? "a persistent cookie" : "a cookie that ends with the browser";
  test(`"Keep me signed in" ${remember ? "on" : "off"} gives ${kind}, also after a refresh`, async (t) => {
    const person = await createAccount(here.server);
    const context = await here.visitor(t);
    const page = await context.newPage();
    await page.goto("/login");
    await formReady(page);
    assert.ok(await page.isChecked("#remember"), "on unless switched off");
    await page.setChecked("#remember", remember);
    await fillLogin(page, person);
    await page.click("#submit");
    await accountShown(page);

    const check = async () => {
      const { expires, value } = await cookie(context, REFRESH);
      if (!remember) assert.equal(expires, -1);
      else assert.ok(Math.abs(expires - Date.now() / 1000 - WEEK_S) < 120, `expires ${expires}`);
      return value;
    };
    const first = await check();
    assert.equal((await api(page, "POST", "/api/auth/refresh")).status, 200);
    assert.notEqual(await check(), first, "it was rotated");
  });
}

// ---- Hostile text -----------------------------------------------------------------------------

const HOSTILE = `<script>window.pwned=1</script><img src=x onerror="window.pwned=1">`;

test("markup in a name and in a User-Agent is shown as text, and the policy has nothing to stop", async (t) => {
  const person = await createAccount(here.server, somebody(HOSTILE));
  const context = await here.visitor(t, { userAgent: HOSTILE });
  const page = await context.newPage();
  await signIn(page, person);
  assert.equal(await page.textContent("#profile-name"), HOSTILE);
  assert.equal(await page.locator("#sessions h3").textContent(), "Unknown device", "nothing of the header is kept");
  assert.equal(await page.locator("main img, main script").count(), 0);
  assert.equal(await page.evaluate(() => window.pwned), undefined);
});

test("what the server says of a device is shown as text, whatever it says", async (t) => {
  const context = await here.visitor(t);
  const { page } = await signedIn(context, here.server);
  await page.route("**/api/auth/sessions", async (route) => {
    const answer = await route.fetch();
    const { sessions } = await answer.json();
    const hostile = { ...sessions[0], device: HOSTILE, network: HOSTILE };
    const ended = [{ ...hostile, id: HOSTILE, reason: HOSTILE, ended_at: HOSTILE }];
    await route.fulfill({ response: answer, json: { sessions: [hostile], ended } });
  });
  await page.reload();
  await accountShown(page);
  assert.equal(await page.locator("#sessions h3").textContent(), HOSTILE);
  await page.getByRole("button", { name: `End ${HOSTILE}` }).waitFor();
  assert.match(await page.locator("#ended > li .what").textContent(), /<script>/);
  assert.equal(await page.locator("main img, main script").count(), 0);
  assert.equal(await page.evaluate(() => window.pwned), undefined);
});

test("control: the policy does stop an inline script and an inline style, and these tests would see it", async (t) => {
  const context = await here.browser.newContext({ baseURL: here.server.url });
  t.after(() => context.close());
  const troubles = await watchTroubles(context);
  const page = await context.newPage();
  // Without an answer the pages stay where they are.
  await page.route("**/api/auth/refresh", () => undefined);
  for (const path of ["/login", "/register", "/account"]) {
    await page.goto(path);
    troubles.length = 0;
    await page.evaluate((markup) => {
      const script = document.createElement("script");
      script.textContent = "window.pwned = 1";
      document.body.append(script);
      document.body.insertAdjacentHTML("beforeend", `${markup}<b style="color:red">`);
    }, HOSTILE);
    await until("three violations are seen", () => troubles.length >= 3);
    assert.ok(troubles.every((trouble) => /^policy: (script|style)-src/.test(trouble)), String(troubles));
    assert.equal(await page.evaluate(() => window.pwned), undefined);
  }
});
