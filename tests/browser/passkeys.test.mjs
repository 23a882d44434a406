// Passkeys and second factors as people meet them, with the authenticator of Chromium's own developer tools (WA-*).

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";
import { authenticator } from "./authenticator.mjs";
import { PASSWORD, accountShown, createAccount, fillLogin, formReady, says, signedIn, somebody } from "./pages.mjs";
import { picture } from "./pictures.mjs";
import { stage } from "./support.mjs";

const here = stage();

/** The code of an authenticator app (RFC 6238), `ahead` steps from now. */
function codeOf(secret, ahead = 0) {
  const bits = [...secret.replaceAll(" ", "")].map((letter) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(letter).toString(2).padStart(5, "0"));
  const key = Buffer.from(bits.join("").match(/.{8}/g).map((byte) => parseInt(byte, 2)));
  const step = Buffer.alloc(8);
  step.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) + ahead));
  const mac = createHmac("sha1", key).update(step).digest();
  return String((mac.readUInt32BE(mac[19] & 15) & 0x7fffffff) % 1_000_000).padStart(6, "0");
}

test("an account begins with a passkey, which signs in again by itself in the autofill", async (t) => {
  const context = await here.visitor(t);
  const page = await context.newPage();
  const key = await authenticator(page);
  const person = somebody();
  await page.goto("/register");
  await page.fill("#name", person.name);
  await page.fill("#email", person.email);
  await picture(page, "register");
  await page.click("#passkey");
  await accountShown(page);
  assert.equal((await key.credentials()).length, 1);
  await page.locator("#passkeys > li").waitFor();
  assert.equal(await page.locator("#change-password").textContent(), "Set a password");
  await picture(page, "account-with-a-passkey");
  await page.click("#sign-out");
  // Chromium's authenticator answers the offer in the autofill at once, as somebody who picks it does.
  await accountShown(page);
  assert.match(await page.locator("#passkeys > li").textContent(), /Last used/);
});

test("a passkey is added, named, used at the button and removed, and nothing signs in by it after that", async (t) => {
  const context = await here.visitor(t);
  const { page } = await signedIn(context, here.server);
  await authenticator(page);
  await page.click("#add-passkey");
  await says(page, "Your passkey is ready");
  await page.click("#passkeys button:has-text('Rename')");
  await page.fill("#passkey-name", "<b>مفتاح</b>");
  await picture(page, "naming-a-passkey");
  await page.click("#name-submit");
  await page.locator("#passkeys h3", { hasText: "<b>مفتاح</b>" }).waitFor();
  await page.click("#passkeys button:has-text('Remove')");
  await page.click("#confirm-yes");
  await says(page, "The passkey is removed");
  await page.locator("#passkeys > li").waitFor({ state: "detached" });
});

test("wa-uv: without a finger nothing is signed, and the page says what to do", async (t) => {
  const context = await here.visitor(t);
  const { page } = await signedIn(context, here.server);
  const key = await authenticator(page, false);
  await page.click("#add-passkey");
  await says(page, "No passkey was used");
  await key.verify(true);
  await page.click("#add-passkey");
  await says(page, "Your passkey is ready");
});

test("an authenticator app is set up by its picture, asked for at the next sign-in, and recovery codes stand in for it", async (t) => {
  const context = await here.visitor(t);
  const { page, person } = await signedIn(context, here.server);
  await page.click("#totp-add");
  await page.locator("#app-picture[src^='data:image/svg+xml']").waitFor();
  const secret = await page.locator("#app-secret").textContent();
  await page.fill("#app-code", "000000");
  await page.click("#app-submit");
  await page.locator("#app-code-error", { hasText: "wrong" }).waitFor();
  await picture(page, "authenticator-app");
  await page.fill("#app-code", codeOf(secret));
  await page.click("#app-submit");
  await page.locator("#codes > li").first().waitFor();
  const codes = await page.locator("#codes > li").allTextContents();
  assert.equal(codes.length, 10);
  await page.keyboard.press("Escape");
  assert.ok(await page.locator("#codes-dialog").isVisible(), "the only time they are shown");
  await picture(page, "recovery-codes");
  await page.click("#codes-done");
  await page.locator("#totp-remove").waitFor();
  await page.click("#sign-out");
  await formReady(page);
  await fillLogin(page, person);
  await page.click("#submit");
  await page.locator("#prove-code").waitFor();
  assert.equal(await page.locator("#heading").textContent(), "One more step");
  await picture(page, "one-more-step");
  await page.fill("#prove-code", codeOf(secret, 1));
  await page.click("#prove-code-submit");
  await accountShown(page);
  await page.click("#sign-out");
  await formReady(page);
  await fillLogin(page, person);
  await page.click("#submit");
  await page.click("#prove-others button:has-text('recovery code')");
  await page.fill("#prove-code", codes[3]);
  await page.click("#prove-code-submit");
  await accountShown(page);
  assert.match(await page.locator("#codes-state").textContent(), /9 left/);
});

test("rfc 9470: a page that asks for a fresh proof leads to the prompt, and back", async (t) => {
  const context = await here.visitor(t);
  const { page } = await signedIn(context, here.server);
  await page.goto("/login?redirect=/account%3Fback&ended=reauthenticate");
  await page.locator("#prove-password").waitFor();
  assert.equal(await page.locator("#heading").textContent(), "Confirm that it is you");
  await picture(page, "confirm-that-it-is-you");
  await page.fill("#prove-password", "not this one");
  await page.click("#prove-password-submit");
  await page.locator("#prove-password-error", { hasText: "not your password" }).waitFor();
  await page.fill("#prove-password", PASSWORD);
  await page.click("#prove-password-submit");
  await page.waitForURL((url) => url.pathname === "/account" && url.search === "?back");
  await accountShown(page);
  // What an account does not have cannot be asked for in a circle.
  await page.goto("/login?redirect=/account&ended=reauthenticate&acr_values=aal2");
  await says(page, "your account has none");
});

test("a strange name stays text", async (t) => {
  const context = await here.visitor(t);
  const person = await createAccount(here.server, { ...somebody(), name: "<img src=x onerror=alert(1)>" });
  const { page } = await signedIn(context, here.server, person);
  assert.equal(await page.locator("#profile-name").textContent(), person.name);
  assert.equal(await page.locator("#profile-name img").count(), 0);
});

test("an administrator resets the ways to sign in of somebody who has lost them", async (t) => {
  const { page: theirs, person } = await signedIn(await here.visitor(t), here.server);
  await authenticator(theirs);
  await theirs.click("#add-passkey");
  await says(theirs, "Your passkey is ready");
  const boss = somebody("root");
  await here.server.command(["user", "add", "--password-stdin", "--role", "admin", boss.email], PASSWORD);
  const page = await (await here.visitor(t)).newPage();
  await page.goto("/admin/users");
  await formReady(page);
  await fillLogin(page, boss);
  await page.click("#submit");
  await page.getByRole("link", { name: person.email, exact: true }).click();
  await page.getByText("password, 1 passkey").waitFor();
  await page.getByRole("button", { name: "Reset factors" }).click();
  await picture(page, "reset-factors");
  await page.locator("#confirm-yes").click();
  await says(page, "The factors are removed.");
  await page.getByText("Signs in by").waitFor();
  assert.equal(await page.getByRole("button", { name: "Reset factors" }).count(), 0);
  await theirs.reload();
  await formReady(theirs);
});
