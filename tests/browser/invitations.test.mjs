// Who may come, what programs administer with, and what has been going on, as those who administer see it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { accessible } from "./accessibility.mjs";
import { createAccount, fillLogin, formReady, says, signInElsewhere, somebody } from "./pages.mjs";
import { picture } from "./pictures.mjs";
import { shown, staff } from "./staff.mjs";
import { stage } from "./support.mjs";

const here = stage();
const EVIL = "<img src=x onerror=alert(1)> \u0645\u0631\u062d\u0628\u0627";

/** What is shown once, as soon as it is. */
async function onceShown(page) {
  await page.locator("#once-dialog[open]").waitFor();
  return page.locator("#once-secret").textContent();
}

async function putAway(page) {
  await page.locator("#once-done").click();
  await page.locator("#once-secret:empty").waitFor({ state: "attached" });
}

test("an invitation is made, listed, used and withdrawn", async (t) => {
  const { page } = await staff(here, t, "admin", "invitations");
  await page.getByText("No invitation is open.").waitFor();
  await page.fill("#invite-note", EVIL);
  await page.selectOption("#invite-role", "support");
  await page.getByRole("button", { name: "Make an invitation" }).click();
  const link = await onceShown(page);
  await picture(page, "invitation");
  await accessible(page);
  await putAway(page);
  await page.getByRole("cell", { name: EVIL, exact: true }).waitFor();
  assert.equal(await page.locator("img").count(), 0, "what people write is text");
  assert.ok(!(await page.content()).includes(link), "it was shown once");
  await picture(page, "invitations");
  await accessible(page);

  const guest = await (await here.visitor(t)).newPage();
  await guest.goto(link);
  const person = somebody("Guest");
  await guest.fill("#name", person.name);
  await fillLogin(guest, person);
  await guest.click("#submit");
  await guest.waitForURL((url) => url.pathname === "/account");
  await guest.getByText("support").waitFor();

  await page.reload();
  await page.getByText("No invitation is open.").waitFor();
  await page.fill("#invite-note", "Somebody else");
  await page.getByRole("button", { name: "Make an invitation" }).click();
  await putAway(page);
  await page.getByRole("button", { name: "Withdraw the invitation for Somebody else" }).click();
  await page.locator("#confirm-yes").click();
  await says(page, "The invitation is withdrawn.");
  await page.getByText("No invitation is open.").waitFor();
});

test("an API key is made, used by a program, and taken back; others only see that there is one", async (t) => {
  const { page } = await staff(here, t, "admin", "api-keys");
  await page.fill("#key-name", "no spaces");
  await page.getByRole("button", { name: "Make a key" }).click();
  await page.getByText("Use 1 to 64 letters, digits, dots, dashes and underscores.").waitFor();
  await page.fill("#key-name", "deploy");
  await page.getByRole("button", { name: "Make a key" }).click();
  const key = await onceShown(page);
  await picture(page, "api-key");
  await accessible(page);
  await putAway(page);
  assert.ok(!(await page.content()).includes(key), "it was shown once");
  const users = () => fetch(`${here.server.url}/api/admin/users`, { headers: { Authorization: `Bearer ${key}` } });
  assert.equal((await users()).status, 200);
  await page.reload();
  await shown(page);
  await page.locator("tr", { hasText: "deploy" }).getByText("auditor", { exact: true }).waitFor();
  assert.equal(await page.locator("tr", { hasText: "never" }).count(), 0, "it has been used");
  await picture(page, "api-keys");
  await accessible(page);

  const { page: auditor } = await staff(here, t, "auditor", "api-keys");
  await auditor.getByText("deploy").waitFor();
  assert.equal(await auditor.locator("#content button").count(), 0);
  await auditor.goto("/admin/invitations");
  await shown(auditor);
  assert.equal(await auditor.locator("#content button").count(), 0);

  await page.getByRole("button", { name: "Take back the key deploy" }).click();
  await page.locator("#confirm-yes").click();
  await says(page, "The key is taken back.");
  assert.equal((await users()).status, 401);
});

test("charts say what has been going on, also to those who do not see them", async (t) => {
  const person = await createAccount(here.server);
  await signInElsewhere(here.server, person, "curl/8.16.0");
  await here.server.command(["user", "revoke", person.email]);
  const page = await (await here.visitor(t)).newPage();
  await page.goto("/login");
  await formReady(page);
  await fillLogin(page, { ...person, password: "not the one that it is" });
  await page.click("#submit");
  await page.getByText("This email and password do not match.").waitFor();
  const { page: admin } = await staff(here, t, "admin", "activity");
  const chart = admin.getByRole("img", { name: /^Sign-ins\. Signed in: [1-9]\d*, Failed: [1-9]/ });
  // The log is counted within seconds.
  for (let tries = 0; await chart.count() === 0 && tries < 60; tries += 1) {
    await admin.waitForTimeout(250);
    await admin.reload();
    await shown(admin);
  }
  await chart.waitFor();
  assert.ok(await chart.locator("rect").count() >= 2);
  await picture(admin, "activity");
  await admin.getByText("The numbers").first().click();
  await admin.getByRole("columnheader", { name: "Failed" }).waitFor();
  await accessible(admin);
  await admin.getByRole("link", { name: "30 days" }).click();
  await admin.waitForURL((url) => url.search === "?period=month");
  await shown(admin);
  await chart.waitFor();
  assert.equal(await admin.getByRole("link", { name: "30 days" }).getAttribute("aria-current"), "true");
});
