// From a new account to the list of devices, and what it all looks like.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import {
  accountShown, api, createAccount, deviceIds, fillLogin, formReady, register, says, signedIn, signIn,
  signInElsewhere, somebody,
} from "./pages.mjs";
import { picture } from "./pictures.mjs";
import { stage } from "./support.mjs";

const IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Version/19.0 Mobile Safari/604.1";
const FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:150.0) Gecko/20100101 Firefox/150.0";

const here = stage();

test("registering signs in, and signing in again shows both devices with this one marked", async (t) => {
  const person = somebody();
  const first = await (await here.visitor(t)).newPage();
  await register(first, person);
  assert.equal(await first.textContent("#profile-email"), person.email);
  assert.equal(await first.textContent("#profile-name"), person.name);

  const second = await (await here.visitor(t, { userAgent: FIREFOX })).newPage();
  await signIn(second, person);
  assert.equal(await second.textContent("#profile-email"), person.email);
  const devices = second.locator("#sessions > li");
  assert.equal(await devices.count(), 2);
  assert.equal(await second.locator("#sessions > li.current").count(), 1);
  assert.equal(await devices.first().locator("h3").textContent(), "Firefox on Windows");
  assert.ok(await devices.first().getByText("This device").isVisible());
  assert.ok(!await devices.nth(1).getByText("This device").isVisible());

  const { body } = await api(second, "GET", "/api/auth/me");
  const [firstId] = await deviceIds(first);
  assert.deepEqual(await deviceIds(second), [body.session.id, firstId]);
});

test("a taken address and a short password are refused at their fields, and nothing is lost", async (t) => {
  const person = await createAccount(here.server);
  const page = await (await here.visitor(t)).newPage();
  await page.goto("/register");
  await page.fill("#email", person.email);
  await page.fill("#password", "too short");
  await page.click("#submit");
  await page.getByText("Use at least 15 characters.").waitFor();
  assert.equal(await page.getAttribute("#password", "aria-invalid"), "true");

  await page.fill("#password", person.password);
  await page.click("#submit");
  await page.getByText("There is already an account with this email.").waitFor();
  assert.equal(await page.inputValue("#email"), person.email);
  assert.equal(await page.evaluate(() => document.activeElement.id), "email");
});

test("P1: an unknown address and a wrong password are told apart by nothing on the page", async (t) => {
  const person = await createAccount(here.server);
  const page = await (await here.visitor(t)).newPage();
  const words = [];
  for (const email of [person.email, "nobody@example.test"]) {
    await page.goto("/login");
    await formReady(page);
    await fillLogin(page, { email, password: "this is not the password" });
    const [answer] = await Promise.all([page.waitForResponse("**/api/auth/login"), page.click("#submit")]);
    await page.locator("#password-error:not(:empty)").waitFor();
    words.push([answer.status(), await page.locator("main").innerText()]);
  }
  assert.equal(words[0][0], 401);
  assert.deepEqual(words[0], words[1]);
});

test("the pages fit their windows, narrow and wide, with long names and many devices", async (t) => {
  const context = await here.visitor(t, { reducedMotion: "reduce" });
  const page = await context.newPage();
  const person = await createAccount(here.server, somebody("Wilhelmina Featherstonehaugh-Cholmondeley"));
  await page.goto("/register");
  await page.locator("#submit:enabled").waitFor();
  await picture(page, "register");
  await page.goto("/login");
  await formReady(page);
  await picture(page, "login");
  await fillLogin(page, { ...person, password: "not the password" });
  await page.click("#submit");
  await page.locator("#password-error:not(:empty)").waitFor();
  await picture(page, "login-refused");

  for (const userAgent of [FIREFOX, IPHONE, "curl/8.5.0", "?"]) {
    await signInElsewhere(here.server, person, userAgent);
  }
  await page.fill("#password", person.password);
  await page.click("#submit");
  await accountShown(page);
  await page.getByRole("button", { name: "End Unknown device" }).click();
  await says(page, "Ended: Unknown device.");
  await page.locator("#ended > li").waitFor();
  await picture(page, "account");
  await page.click("#sign-out-everywhere");
  await page.locator("#confirm[open]").waitFor();
  await picture(page, "confirm");
});

// ---- Names and programs that are made to look like something else ------------------------------

test("HTML, right-to-left and overlong names and programs are shown as text, and nothing scrolls sideways", async (t) => {
  const names = {
    html: "<b onmouseover=alert(1)>Ada</b><script>alert(2)</script>",
    rtl: "\u0622\u062f\u0627 \u0644\u0648\u0641\u0644\u064a\u0633 \u05e2\u05d3\u05d4",
    long: "W".repeat(200),
  };
  for (const [kind, name] of Object.entries(names)) {
    const person = await createAccount(here.server, { ...somebody(name), email: `${kind}${"x".repeat(50)}@${"y".repeat(60)}.example` });
    for (const userAgent of [`<img src=x onerror=alert(1)> Firefox/1.0 ${"<i>".repeat(100)}`, "Z".repeat(300), `curl/${"9".repeat(300)}`]) {
      await signInElsewhere(here.server, person, userAgent);
    }
    const { page } = await signedIn(await here.visitor(t), here.server, person);
    assert.equal(await page.textContent("#profile-name"), name);
    assert.equal(await page.locator("#profile b, #profile script, #sessions img, #sessions i").count(), 0, kind);
    const devices = await page.locator("#sessions h3").allTextContents();
    assert.deepEqual(devices.sort(), ["Chrome on Linux", "Firefox", "Unknown device", "curl"].sort(), "nothing of them is copied");
    await picture(page, `name-${kind}`);
  }
  const tooLong = await here.server.post("/api/auth/register", { ...somebody("W".repeat(300)) });
  assert.deepEqual([tooLong.status, (await tooLong.json()).code], [400, "malformed"]);
  const page = await (await here.visitor(t)).newPage();
  await page.goto(`/login?redirect=/${"a".repeat(300)}%3Cb%3E&ended=%3Cb%3E`);
  await formReady(page);
  assert.equal(await page.locator("#status").textContent(), "");
  await page.fill("#email", `${"\u05d0".repeat(300)}@example.test`);
  await page.fill("#password", "x".repeat(300));
  await picture(page, "login-overlong");
});

// ---- Taking one's data along, and leaving ---------------------------------------------------------

test("my data comes as a file, and holds what the page shows", async (t) => {
  const { page, person } = await signedIn(await here.visitor(t), here.server);
  const [download] = await Promise.all([page.waitForEvent("download"), page.click("#download-data")]);
  assert.equal(download.suggestedFilename(), "account.json");
  const data = JSON.parse(await readFile(await download.path(), "utf8"));
  assert.deepEqual([data.format, data.user.email, data.sessions.length], ["counterfoil-account-1", person.email, 1]);
  assert.deepEqual(data.audit.map((entry) => entry.event), ["registered", "signed_in"]);
  await says(page, "Your data is in the file");
});

test("an account goes once its address has been typed, and every device is told why", async (t) => {
  const person = await createAccount(here.server);
  const { page: phone } = await signedIn(await here.visitor(t, { userAgent: IPHONE }), here.server, person);
  const { page } = await signedIn(await here.visitor(t), here.server, person);
  await page.click("#delete-account");
  await page.locator("#delete-dialog[open]").waitFor();
  await page.fill("#delete-address", "somebody@else.example");
  await page.click("#delete-submit");
  await page.getByText("This is not the address of your account.").waitFor();
  await picture(page, "delete");
  assert.equal((await api(page, "GET", "/api/auth/me")).status, 200, "nothing has happened");
  await page.fill("#delete-address", person.email.toUpperCase());
  await page.click("#delete-submit");
  await formReady(page);
  await says(page, "This account has been deleted.");
  await picture(page, "deleted");
  await phone.reload();
  await formReady(phone);
  await says(phone, "This account has been deleted.");
  const again = await here.server.post("/api/auth/register", person);
  assert.equal(again.status, 201, "the address is free");
});

test("a load that fails says so and can be tried again without losing the session", async (t) => {
  const context = await here.visitor(t);
  const { page, person } = await signedIn(context, here.server);
  await page.route("**/api/auth/me", (route) => route.abort());
  await page.reload();
  await page.getByText("The server cannot be reached.").waitFor();
  await page.unroute("**/api/auth/me");
  await page.click("#load-again");
  await accountShown(page);
  assert.equal(await page.textContent("#profile-email"), person.email);
});
