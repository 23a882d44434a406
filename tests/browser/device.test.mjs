// Device bound sessions in a real Chromium: the key never leaves the browser, so a copy of everything else is worth nothing.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { REFRESH, accountShown, api, cookie, formReady, sessionCookies, signIn, somebody } from "./pages.mjs";
import { picture } from "./pictures.mjs";
import { until } from "./support.mjs";
import { audited, boundSessionEvents, profile, startTlsServer } from "./tls.mjs";

const DEVICE = "__Secure-cf_device";
/** Another origin of the same site, whose pages may refresh. */
const LISTED = "https://localhost:8443";
const REFRESH_PATH = "/api/auth/refresh";
const PROVE_PATH = "/api/auth/refresh/device";
const REGISTER_PATH = "/api/auth/refresh/device/register";

let here;
before(async () => {
  here = await startTlsServer({
    // So that a copy of all cookies can be seen to run out.
    COUNTERFOIL__SESSION__DEVICE_PROOF_LIFE: "5s",
    COUNTERFOIL__APPLICATIONS__WEB__ORIGINS: JSON.stringify([LISTED]),
  });
});
after(() => here?.stop());

/** Somebody with an account. */
async function known() {
  const person = somebody();
  await here.server.command(["user", "add", person.email, "--password-stdin"], person.password);
  return person;
}

/** Somebody whose session is bound, on the account page. */
async function bound(t) {
  const person = await known();
  const context = await profile(t, here);
  const [page] = context.pages();
  const events = await boundSessionEvents(context, page);
  await signIn(page, person);
  const { body } = await api(page, "GET", "/api/auth/me");
  const sid = body.session.id;
  await until("the key is registered", () => events.find((event) => event.succeeded && event.creationEventDetails));
  assert.equal((await api(page, "POST", REFRESH_PATH)).status, 200);
  assert.ok(await cookie(context, DEVICE), "the first refresh has waited for a proof");
  return { person, context, page, events, sid };
}

const refreshed = (events) => events.filter((event) => event.refreshEventDetails?.refreshResult === "Refreshed").length;

test("a session is bound after the sign-in, and every refresh from then on shows the key", async (t) => {
  const { context, page, events, sid } = await bound(t);
  assert.ok((await audited(here.server, "device_bound")).some((entry) => entry.session === sid));
  await page.reload();
  await accountShown(page);
  await page.locator("#sessions > li.current .bound:visible").waitFor();
  assert.equal(await page.locator("#sessions .refused:visible").count(), 0);

  for (let times = 1; times <= 3; times += 1) {
    await context.clearCookies({ name: DEVICE });
    const before = refreshed(events);
    // A request that the cookie does not belong to does not wait for it.
    assert.equal((await api(page, "GET", "/api/auth/me")).status, 200);
    assert.equal(await cookie(context, DEVICE), undefined);
    assert.equal((await api(page, "POST", REFRESH_PATH)).status, 200);
    await until("the browser has shown its key", () => refreshed(events) > before);
    assert.ok(await cookie(context, DEVICE));
  }
});

test("a copied cookie jar is refused and reported, and its owner goes on and is told", async (t) => {
  const { person, context, page, sid } = await bound(t);
  const jar = await context.cookies();
  assert.ok([REFRESH, DEVICE].every((name) => jar.some((each) => each.name === name)), "everything there is to copy");

  const stolen = await profile(t, here);
  await stolen.addCookies(jar);
  const [thief] = stolen.pages();
  await thief.goto("/register");
  // For as long as the copied proof counts the thief is believed; then for ever not.
  const refused = await until("the thief is refused", async () => {
    const answer = await api(thief, "POST", REFRESH_PATH);
    return answer.status !== 200 && answer;
  });
  assert.deepEqual([refused.status, refused.body.code], [401, "proof_required"]);
  const [entry] = (await audited(here.server, "device_proof_missing")).filter((each) => each.session === sid);
  assert.ok(entry, "the audit log names the session");
  await stolen.clearCookies({ name: "__Host-cf_access" });
  await thief.goto("/account");
  await formReady(thief);
  await thief.locator("#status", { hasText: "could not show the key" }).waitFor();
  await picture(thief, "copy-refused");

  await context.clearCookies({ name: "__Host-cf_access" });
  await page.reload();
  await accountShown(page);
  assert.equal(await page.locator("#profile-email").textContent(), person.email, "still signed in");
  await page.locator("#sessions > li.current .refused:visible", { hasText: "A copy of this session" }).waitFor();
  await picture(page, "copy-reported");
});

test("S3: lost answers to proofs and refreshes sign nobody out", async (t) => {
  const { context, page, events } = await bound(t);
  for (let times = 0; times < 2; times += 1) {
    await context.clearCookies({ name: DEVICE });
    const before = await here.answered(PROVE_PATH, 200);
    here.line.loseAnswers();
    const answer = api(page, "POST", REFRESH_PATH).catch((error) => error);
    await until("a proof has arrived", async () => (await here.answered(PROVE_PATH, 200)) > before);
    here.line.mend();
    await answer;
    assert.equal((await api(page, "POST", REFRESH_PATH)).status, 200);
  }
  assert.equal(events.some((event) => event.terminationEventDetails), false, "Chromium has kept its session");
});

test("S3: a registration whose answers are all lost binds nothing, and signs nobody out", async (t) => {
  const person = await known();
  const context = await profile(t, here);
  const [page] = context.pages();
  const events = await boundSessionEvents(context, page);
  await page.goto("/register");
  // Everything that the page loads has come: the next long answer is the sign-in's.
  await page.locator("#submit:enabled").waitFor();
  const before = await here.answered(REGISTER_PATH, 200);
  t.after(() => here.line.mend());
  here.line.loseAnswersAfterASignIn();
  const status = await page.evaluate(async ({ email, password }) => {
    const headers = { "Content-Type": "application/json" };
    return (await fetch("/api/auth/login", { method: "POST", headers, body: JSON.stringify({ email, password }) })).status;
  }, person);
  assert.equal(status, 200);
  let taken = before;
  // Chromium sends the same registration two or three times.
  const gaveUp = await until("the browser gives up", async () => {
    const now = await here.answered(REGISTER_PATH, 200);
    if (now > taken) here.line.cut();
    taken = now;
    return events.find((event) => event.creationEventDetails);
  }, { every: 50 });
  assert.ok(taken > before, "the server has taken the key");
  assert.equal(gaveUp.creationEventDetails.fetchResult, "NetError");
  here.line.mend();
  assert.equal((await api(page, "POST", REFRESH_PATH)).status, 200);
  assert.equal((await api(page, "GET", "/api/auth/me")).body.session.bound, undefined);
});

test("signing out ends it, and the browser forgets its key", async (t) => {
  const { context, page, events } = await bound(t);
  const kept = (await context.cookies()).filter((each) => each.name === REFRESH);
  await page.click("#sign-out");
  await formReady(page);
  assert.deepEqual(await sessionCookies(context), [], "no cookie of a session is left");
  await context.addCookies(kept);
  const refused = await api(page, "POST", REFRESH_PATH);
  assert.deepEqual([refused.status, refused.body.reason], [401, "signed_out"]);
  const ended = await until("the browser has been told", () => events.find((event) => event.terminationEventDetails));
  assert.equal(ended.terminationEventDetails.deletionReason, "ServerRequested");
});

test("pages of a listed origin of the same site make the browser show its key too", async (t) => {
  const person = await known();
  const context = await profile(t, here);
  const [page] = context.pages();
  const events = await boundSessionEvents(context, page);
  await context.route(`${LISTED}/`, (route) => route.fulfill({ contentType: "text/html", body: "<title>app</title>" }));
  await page.goto(`${LISTED}/`);
  const post = (path, body) => page.evaluate(async ([url, text]) => {
    const headers = { "Content-Type": "application/json", "X-Requested-With": "test" };
    return (await fetch(url, { method: "POST", credentials: "include", headers, body: text })).status;
  }, [here.server.url + path, body && JSON.stringify(body)]);
  assert.equal(await post("/api/auth/login", { email: person.email, password: person.password }), 200);
  await until("the key is registered", () => events.find((event) => event.succeeded && event.creationEventDetails));
  for (let times = 1; times <= 2; times += 1) {
    await context.clearCookies({ name: DEVICE });
    assert.equal(await post(REFRESH_PATH), 200);
    assert.ok(await cookie(context, DEVICE));
  }
});

test("a browser without it is signed in and refreshed as ever", async (t) => {
  const person = await known();
  const context = await profile(t, here, { keys: false });
  const [page] = context.pages();
  await signIn(page, person);
  assert.equal((await api(page, "POST", REFRESH_PATH)).status, 200);
  assert.equal(await cookie(context, DEVICE), undefined);
  await page.reload();
  await accountShown(page);
  assert.equal(await page.locator("#sessions > li.current .bound:visible").count(), 0);
});
