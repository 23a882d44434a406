// The administration as those who use it see it: find, look, end, ban; and what each role may.

import assert from "node:assert/strict";
import { test } from "node:test";
import { accessible } from "./accessibility.mjs";
import { createAccount, says, signedIn, signInElsewhere, somebody } from "./pages.mjs";
import { picture } from "./pictures.mjs";
import { shown, staff } from "./staff.mjs";
import { stage } from "./support.mjs";

const here = stage({ COUNTERFOIL__SSF__ENABLED: "true", COUNTERFOIL__CLIENTS__HUB__RESOURCES__SSF: '["ssf.manage"]' });
const FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:150.0) Gecko/20100101 Firefox/150.0";
const EVIL = "<img src=x onerror=alert(1)> \u0645\u0631\u062d\u0628\u0627 ".repeat(6).slice(0, 150);

test("an administrator finds an account, ends its sessions with a receipt, and bans it", async (t) => {
  const victim = await createAccount(here.server, somebody("Grace Hopper"));
  const { page: theirs } = await signedIn(await here.visitor(t), here.server, victim);
  await signInElsewhere(here.server, victim, EVIL.replaceAll(/[^\x20-\x7e]/g, "x"));
  const { page } = await staff(here, t, "admin");
  await picture(page, "users");
  await accessible(page);

  await page.fill("#search", victim.email.toUpperCase().slice(0, 12));
  await page.getByRole("link", { name: victim.email, exact: true }).click();
  await page.getByRole("heading", { level: 1, name: victim.email }).waitFor();
  assert.equal(await page.locator("tbody tr").count(), 2);
  await picture(page, "user");
  await accessible(page);

  await page.getByRole("button", { name: "End all sessions" }).click();
  await page.locator("#confirm-yes").click();
  await says(page, "All sessions are ended. In force after");
  await page.getByText("Ended by an administrator").first().waitFor();
  await theirs.reload();
  await theirs.getByText("An administrator ended this session.").waitFor();

  await page.getByRole("button", { name: "Ban…" }).click();
  await page.fill("#ban-reason", EVIL);
  await page.fill("#ban-until", "2020-01-01");
  await page.locator("#ban-submit").click();
  await page.getByText("Choose a day to come.").waitFor();
  await page.fill("#ban-until", "2199-01-31");
  await picture(page, "ban");
  await page.locator("#ban-submit").click();
  await says(page, "Banned. In force after");
  await page.getByText("Banned until").waitFor();
  assert.equal(await page.locator("img").count(), 0, "what people write is text");
  await page.getByRole("button", { name: "Lift the ban" }).click();
  await says(page, "The ban is lifted.");
  await signInElsewhere(here.server, victim, FIREFOX);
});

test("keys, services and the audit log are there to be looked at, and a key can be revoked", async (t) => {
  await here.server.guardCredential("a-guard");
  const { page } = await staff(here, t, "admin", "keys");
  await picture(page, "keys");
  await accessible(page);
  const active = page.locator("tr", { hasText: "every token that is made" });
  const kid = await active.locator("code").textContent();
  await active.getByRole("button").click();
  await page.locator("#confirm-yes").click();
  await says(page, "The key is revoked.");
  await page.locator("tr", { hasText: kid }).getByText("revoked", { exact: true }).waitFor();

  await page.getByRole("link", { name: "Services" }).click();
  await shown(page);
  await page.getByText("a-guard").waitFor();
  await page.getByText("accepts nothing").waitFor();
  assert.equal(await page.getByRole("heading", { name: "Event streams" }).count(), 0, "nobody has one");
  await stream(EVIL.trim());
  await page.reload();
  await shown(page);
  const row = page.locator("tr", { has: page.getByText("fetched", { exact: true }) });
  assert.equal(await row.locator("td").nth(0).or(row.locator("th").first()).first().textContent(), "hub");
  assert.equal(await page.locator("img").count(), 0, "what receivers write is text");
  await picture(page, "services");
  await accessible(page);

  await page.getByRole("link", { name: "Audit" }).click();
  await shown(page);
  await page.fill("#audit-event", "key_revoked");
  await page.getByRole("button", { name: "Show", exact: true }).click();
  await page.waitForURL((url) => url.search === "?event=key_revoked");
  await shown(page);
  assert.deepEqual(await page.locator("tbody td:nth-child(2)").allTextContents(), ["key revoked"]);
  await picture(page, "audit");
  await accessible(page);
  const [file] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Export as JSON lines" }).click()]);
  assert.equal(file.suggestedFilename(), "audit.jsonl");
});

/** An event stream of the service `hub`, called this. */
async function stream(description) {
  const secret = await here.server.command(["client", "add", "hub"]);
  const form = new URLSearchParams({ grant_type: "client_credentials", client_id: "hub", client_secret: secret });
  const { access_token: token } = await (await fetch(`${here.server.url}/oauth/token`, { method: "POST", body: form })).json();
  const made = await here.server.post("/ssf/streams", { description }, { Authorization: `Bearer ${token}` });
  assert.equal(made.status, 201);
}

test("support ends sessions and revokes no key; an auditor only looks; nobody else sees anything", async (t) => {
  const person = await createAccount(here.server);
  await signInElsewhere(here.server, person, FIREFOX);
  const { page: support } = await staff(here, t, "support");
  await support.fill("#search", person.email);
  await support.getByRole("link", { name: person.email, exact: true }).click();
  await support.getByRole("button", { name: "End Firefox on Windows" }).click();
  await says(support, "Ended. In force after");
  await support.goto("/admin/keys");
  await shown(support);
  assert.equal(await support.getByRole("button", { name: /Revoke/ }).count(), 0);

  const { page: auditor } = await staff(here, t, "auditor");
  await auditor.fill("#search", person.email);
  await auditor.getByRole("link", { name: person.email, exact: true }).click();
  await auditor.getByRole("heading", { level: 1, name: person.email }).waitFor();
  assert.equal(await auditor.locator("#content button").count(), 0);

  const { page: nobody } = await signedIn(await here.visitor(t), here.server, await createAccount(here.server));
  assert.ok(await nobody.locator("#to-admin").isHidden());
  await nobody.goto("/admin/users");
  await nobody.getByText("Your account has no role that may see this.").waitFor();
});
