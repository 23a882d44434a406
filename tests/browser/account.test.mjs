// From a new account to the list of devices, and what it all looks like.

import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import {
  accountShown, api, createAccount, deviceIds, fillLogin, formReady, register, says, signedIn, signIn,
  signInElsewhere, somebody,
} from "./pages.mjs";
import { stage } from "./support.mjs";

const SCREENSHOTS = fileURLToPath(new URL("screenshots/", import.meta.url));
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

// ---- Screenshots, for people to look at -------------------------------------------------------

for (const colorScheme of ["light", "dark"]) {
  for (const width of [390, 1280]) {
    test(`the pages fit a ${colorScheme} window ${width} pixels wide`, async (t) => {
      await mkdir(SCREENSHOTS, { recursive: true });
      const look = { colorScheme, viewport: { width, height: 844 }, reducedMotion: "reduce" };
      const context = await here.visitor(t, look);
      const page = await context.newPage();
      const shoot = async (name) => {
        const [wanted, has] = await page.evaluate(() => [innerWidth, document.documentElement.scrollWidth]);
        await page.screenshot({ path: `${SCREENSHOTS}${name}-${colorScheme}-${width}.png`, fullPage: true });
        assert.ok(has <= wanted, `${name} scrolls sideways: ${has} > ${wanted}`);
      };

      const person = await createAccount(here.server, somebody("Wilhelmina Featherstonehaugh-Cholmondeley"));
      await page.goto("/register");
      await page.locator("#submit:enabled").waitFor();
      await shoot("register");
      await page.goto("/login");
      await formReady(page);
      await shoot("login");
      await fillLogin(page, { ...person, password: "not the password" });
      await page.click("#submit");
      await page.locator("#password-error:not(:empty)").waitFor();
      await shoot("login-refused");

      for (const userAgent of [FIREFOX, IPHONE, "curl/8.5.0", "?"]) {
        await signInElsewhere(here.server, person, userAgent);
      }
      await page.fill("#password", person.password);
      await page.click("#submit");
      await accountShown(page);
      await page.getByRole("button", { name: "End Unknown device" }).click();
      await says(page, "Ended: Unknown device.");
      await page.locator("#ended > li").waitFor();
      await shoot("account");
      await page.click("#sign-out-everywhere");
      await page.locator("#confirm[open]").waitFor();
      await page.screenshot({ path: `${SCREENSHOTS}confirm-${colorScheme}-${width}.png` });
    });
  }
}

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
