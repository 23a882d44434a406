// What is unusual, as people meet it: a proof that is asked for in place of a sign-out, where devices are, and what was decided and why.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { accessible } from "./accessibility.mjs";
import { PASSWORD, REFRESH, accountShown, answersTo, cookie, createAccount, fillLogin, formReady, signedIn, somebody } from "./pages.mjs";
import { picture } from "./pictures.mjs";
import { places } from "./places.mjs";
import { stage } from "./support.mjs";

const folder = mkdtempSync(join(tmpdir(), "counterfoil-places-"));
writeFileSync(join(folder, "places.mmdb"), places([
  ["203.0.113.0/24", "Berlin", "Germany", "DE", 52.52, 13.4],
  ["198.51.100.0/24", "Sydney", "Australia", "AU", -33.87, 151.21],
]));
after(() => rmSync(folder, { recursive: true, force: true }));
const here = stage({
  COUNTERFOIL__RISK__GEOIP: join(folder, "places.mmdb"),
  COUNTERFOIL__TRUSTED_PROXIES: '["127.0.0.1/32"]',
  COUNTERFOIL__RISK__RULES: "{ strict = { action = \"deny\", when = { all = [\"new_country\"] }, dry_run = true } }",
});
const FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:150.0) Gecko/20100101 Firefox/150.0";
const BERLIN = "203.0.113.7";
const SYDNEY = "198.51.100.7";

/** A context whose requests come from this address, as the proxy in front of the server says. */
const from = (t, address, options = {}) => here.visitor(t, { extraHTTPHeaders: { "X-Forwarded-For": address }, ...options });

/** Another browser with the refresh cookie of this one, and with nothing else. */
async function carried(t, context) {
  const other = await from(t, BERLIN, { userAgent: FIREFOX });
  await other.addCookies([await cookie(context, REFRESH)]);
  return other;
}

test("a session in another browser is asked for a proof on the account page, and goes on", async (t) => {
  const mine = await from(t, BERLIN);
  const { page: first, person } = await signedIn(mine, here.server);
  await first.getByText("Berlin, Germany (203.0.113.0/24)").waitFor();
  await picture(first, "place");
  const other = await carried(t, mine);
  const refused = answersTo(other, "POST", "/api/auth/refresh");
  const page = await other.newPage();
  await page.goto("/account");
  await page.getByRole("heading", { name: "Confirm that it is you" }).waitFor();
  assert.deepEqual(refused, [401]);
  await page.locator("#prove-dialog").getByText("This session is used from where it has not been before.").waitFor();
  await picture(page, "asked");
  await accessible(page);
  await page.keyboard.press("Escape");
  await page.getByText("Confirm that it is you to see this.").waitFor();
  await first.reload();
  await accountShown(first);

  await page.getByRole("button", { name: "Try again" }).click();
  await page.fill("#prove-password", "not the password");
  await page.keyboard.press("Enter");
  await page.getByText("This is not your password.").waitFor();
  await page.fill("#prove-password", person.password);
  await page.keyboard.press("Enter");
  await accountShown(page);
  await page.locator("#sessions > li.current", { hasText: "Firefox on Windows" }).waitFor();
  assert.equal(await page.locator("#sessions > li").count(), 1, "the same session");
});

test("the sign-in page asks for the proof too, and leads back", async (t) => {
  const mine = await from(t, BERLIN);
  const { person } = await signedIn(mine, here.server);
  const page = await (await carried(t, mine)).newPage();
  await page.goto("/login?redirect=/account");
  await page.getByRole("heading", { level: 1, name: "Confirm that it is you" }).waitFor();
  await picture(page, "sign-in");
  await accessible(page);
  await page.fill("#prove-password", person.password);
  await page.keyboard.press("Enter");
  await accountShown(page);
});

test("what was decided is explained to whoever administers", async (t) => {
  const victim = await createAccount(here.server, somebody("Grace Hopper"));
  const mine = await from(t, BERLIN);
  await signedIn(mine, here.server, victim);
  const answer = await here.server.post("/api/auth/login", { email: victim.email, password: victim.password },
    { "User-Agent": FIREFOX, "X-Forwarded-For": SYDNEY });
  assert.equal(answer.status, 200);
  const other = await (await carried(t, mine)).newPage();
  await other.goto("/login");
  await other.getByRole("heading", { level: 1, name: "Confirm that it is you" }).waitFor();

  const auditor = somebody("auditor");
  await here.server.command(["user", "add", "--password-stdin", "--role", "auditor", auditor.email], PASSWORD);
  const page = await (await from(t, BERLIN)).newPage();
  await page.goto("/admin/risk");
  await formReady(page);
  await fillLogin(page, auditor);
  await page.click("#submit");
  await page.locator("body:not(.loading) #content > *").first().waitFor();
  await page.getByRole("heading", { level: 1, name: "Risk decisions" }).waitFor();
  await page.getByText("a country that it has not been used from (25)").first().waitFor();
  await page.getByText(/nobody travels that fast: [\d,]+ km\/h \(50\)/).first().waitFor();
  await page.getByText("Sydney, Australia").first().waitFor();
  await page.getByText("strict is only tried, and would have meant a refusal").first().waitFor();
  await page.getByText("Asked for a proof").first().waitFor();
  await page.getByText("another browser or system than the session was in (40)").first().waitFor();
  await picture(page, "decisions");
  await accessible(page);
  await page.getByRole("link", { name: "Users" }).click();
  await page.fill("#search", victim.email);
  await page.getByRole("link", { name: victim.email, exact: true }).click();
  await page.getByText("Berlin, Germany (203.0.113.0/24)").first().waitFor();
  await page.getByRole("link", { name: "What was out of the ordinary" }).click();
  await page.locator("body:not(.loading) #content > *").first().waitFor();
  assert.equal(await page.locator("table").first().locator("tbody tr").count(), 2);
});
