// Without a mouse, and for a screen reader.

import assert from "node:assert/strict";
import { test } from "node:test";
import { accessible } from "./accessibility.mjs";
import {
  REFRESH, accountShown, cookie, createAccount, formReady, says, signedIn, signInElsewhere,
} from "./pages.mjs";
import { stage } from "./support.mjs";

const WIDTHS = [390, 1280];
const MOST_TABS = 40;

const here = stage();

/** What has the focus, and whether one can see that it has. */
function focused(page) {
  return page.evaluate(() => {
    const element = document.activeElement;
    const { outlineStyle, outlineWidth } = getComputedStyle(element);
    const { width, height, top, bottom } = element.getBoundingClientRect();
    return {
      id: element.id || element.getAttribute("aria-label") || element.tagName,
      outlined: element.matches(":focus-visible") && outlineStyle === "solid" && parseFloat(outlineWidth) >= 2,
      onScreen: width > 0 && height > 0 && bottom > 0 && top < innerHeight,
    };
  });
}

async function press(page, key, expected) {
  await page.keyboard.press(key);
  const { id, outlined, onScreen } = await focused(page);
  assert.equal(id, expected);
  assert.ok(outlined && onScreen, `the focus on ${id} can be seen`);
}

test("signing in takes the keyboard alone, and the focus is always visible", async (t) => {
  const person = await createAccount(here.server);
  const context = await here.visitor(t);
  const page = await context.newPage();
  await page.goto("/login");
  await formReady(page);
  await press(page, "Tab", "passkey");
  await press(page, "Tab", "email");
  await page.keyboard.type(person.email);
  await press(page, "Tab", "password");
  await page.keyboard.type("this is not my password");
  await press(page, "Tab", "password-toggle");
  await page.keyboard.press("Enter");
  assert.equal(await page.getAttribute("#password", "type"), "text");
  await page.keyboard.press("Space");
  assert.equal(await page.getAttribute("#password", "type"), "password");
  await press(page, "Tab", "remember");
  await page.keyboard.press("Space");
  await press(page, "Tab", "submit");
  await page.keyboard.press("Enter");

  // Refused: the focus is back where the mistake is, and it is announced with the field.
  await page.locator("#password-error:not(:empty)").waitFor();
  assert.equal((await focused(page)).id, "password");
  assert.match(await page.getAttribute("#password", "aria-describedby"), /password-error/);
  await page.keyboard.type(person.password);
  await page.keyboard.press("Enter");
  await accountShown(page);
  assert.equal((await cookie(context, REFRESH)).expires, -1, "the key press switched \"keep me signed in\" off");
});

test("every control of the account page is reached by Tab, in reading order, and the focus is visible", async (t) => {
  const person = await createAccount(here.server);
  await signInElsewhere(here.server, person, "curl/8.5.0");
  const { page } = await signedIn(await here.visitor(t), here.server, person);
  await page.reload();
  await accountShown(page);
  const order = [];
  for (let step = 0; step < MOST_TABS; step += 1) {
    await page.keyboard.press("Tab");
    const { id, outlined, onScreen } = await focused(page);
    if (id === "BODY") break;
    assert.ok(outlined && onScreen, `the focus on ${id} can be seen`);
    order.push(id);
  }
  assert.deepEqual(order.map((id) => id || "skip"), [
    "A", "sign-out", "add-passkey", "totp-add", "End Chrome on Linux, this device", "End curl", "end-others", "sign-out-everywhere",
    "current-password", "current-password-toggle", "new-password", "new-password-toggle", "change-password",
    "download-data", "delete-account",
  ]);
});

test("a device is ended and the dialog is answered by keyboard; the focus stays somewhere sensible", async (t) => {
  const person = await createAccount(here.server);
  for (const program of ["curl/8.5.0", "curl/8.5.0 Windows"]) await signInElsewhere(here.server, person, program);
  const { page } = await signedIn(await here.visitor(t), here.server, person);
  await page.getByRole("button", { name: "End curl on Windows" }).focus();
  await page.keyboard.press("Enter");
  await says(page, "Ended: curl on Windows.");
  assert.equal((await focused(page)).id, "devices-heading");

  await page.locator("#end-others").focus();
  await page.keyboard.press("Enter");
  await page.locator("#confirm[open]").waitFor();
  assert.equal((await focused(page)).id, "confirm-no", "the harmless answer is the near one");
  await press(page, "Tab", "confirm-yes");
  await page.keyboard.press("Escape");
  await page.locator("#confirm[open]").waitFor({ state: "detached" });
  assert.equal((await focused(page)).id, "end-others");
});

// ---- Screen readers ---------------------------------------------------------------------------

for (const colorScheme of ["light", "dark"]) {
  for (const width of WIDTHS) {
    test(`axe finds nothing on the three pages, ${colorScheme}, ${width} pixels wide`, async (t) => {
      const look = { colorScheme, viewport: { width, height: 844 }, reducedMotion: "reduce" };
      const person = await createAccount(here.server);
      const page = await (await here.visitor(t, look)).newPage();
      await page.goto("/register");
      await page.locator("#submit:enabled").waitFor();
      await accessible(page, "register");
      await page.click("#submit");
      await page.locator("#email-error:not(:empty)").waitFor();
      await accessible(page, "register with errors");

      await page.goto("/login?ended=suspected_theft");
      await formReady(page);
      await accessible(page, "login with a reason");

      await signInElsewhere(here.server, person, "curl/8.5.0");
      const ended = await signInElsewhere(here.server, person, "?");
      await page.fill("#email", person.email);
      await page.fill("#password", person.password);
      await page.click("#submit");
      await accountShown(page);
      await page.getByRole("button", { name: "End Unknown device" }).click();
      await page.locator(`li[data-session-id="${ended.session.id}"]`).waitFor({ state: "detached" });
      await page.locator("#ended > li").waitFor();
      await accessible(page, "account");
      await page.click("#delete-account");
      await page.locator("#delete-dialog[open]").waitFor();
      await accessible(page, "account with the dialog that asks for the address");
      await page.click("#delete-cancel");
      await page.click("#sign-out-everywhere");
      await page.locator("#confirm[open]").waitFor();
      await accessible(page, "account with the dialog");
    });
  }
}

test("control: axe does find a missing label and a weak contrast", async (t) => {
  const page = await (await here.visitor(t)).newPage();
  await page.goto("/login");
  await formReady(page);
  await page.evaluate(() => {
    document.querySelector("label[for=email]").remove();
    document.querySelector("h1").style.setProperty("color", "#eee");
  });
  await assert.rejects(accessible(page, "login"), (error) =>
    /label/.test(error.message) && /color-contrast/.test(error.message));
});
