// All words of the pages are in the message file: a language that says each of them in brackets leaves nothing without. And what a language
// decides: where the sentences begin, how numbers and dates are said.

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { accessible } from "./accessibility.mjs";
import { authenticator } from "./authenticator.mjs";
import { PASSWORD, accountShown, fillLogin, formReady, somebody } from "./pages.mjs";
import { picture } from "./pictures.mjs";
import { stage, until } from "./support.mjs";

const ENGLISH = readFileSync(new URL("../../crates/counterfoil/messages/en.toml", import.meta.url), "utf8");
// One message a line: what is in quotes is said.
const BRACKETED = ENGLISH.replaceAll(/^[^#\n].*$/gm, (line) => line.replaceAll(/"((?:[^"\\]|\\.)*)"/g, '"[$1]"'));
const POLISH = '[form]\ntoo_short = { one = "{count} znak", few = "{count} znaki", many = "{count} znaków", other = "{count} znaku" }\n';

const folder = mkdtempSync(join(tmpdir(), "counterfoil-messages-"));
for (const [name, text] of [["de", BRACKETED], ["ar", BRACKETED], ["pl", POLISH]]) writeFileSync(join(folder, `${name}.toml`), text);
after(() => rmSync(folder, { recursive: true, force: true }));
const here = stage({
  COUNTERFOIL__PAGES__MESSAGES: folder,
  COUNTERFOIL__MAIL__OUTBOX: "true",
  COUNTERFOIL__MAIL__SIGN_IN: "true",
  COUNTERFOIL__RISK__RULES: "{ strict = { action = \"deny\", when = { all = [\"new_device\"] }, dry_run = true } }",
});
const FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:150.0) Gecko/20100101 Firefox/150.0";

/** What is no word: the service's name, addresses, kinds and states that have one spelling in every language, beginnings of ids. */
const DATA = /Counterfoil|[\w.+-]+@[\w.-]+|\b(?:admin|web|cookie|one-factor|aal[12]|EdDSA|a-guard|a-client|client_secret\w*)\b/g;

/** Everything on the page that is said, and that no message says; hidden parts and those of templates too. `not` are further parts with data. */
async function loose(page, not) {
  const found = await page.evaluate((others) => {
    const data = ["time", "code", "bdi", "script", "style", "noscript", "[dir=auto]", "[data-part=serial]", "#app-secret", "#codes",
      "a[href^='/admin/users/']", "a[href^='/admin/audit?sid=']:not(.hint)", ...others].join(", ");
    const chunks = [];
    let depth = 0;
    let chunk = "";
    const end = () => {
      if (chunk.trim()) chunks.push(chunk.trim());
      chunk = "";
    };
    const read = (text) => {
      for (const character of text) {
        if (character === "[") depth += 1;
        if (depth === 0) chunk += character;
        if (character === "]") depth -= 1;
      }
      if (depth === 0) end();
    };
    const walk = (node) => {
      if (node.nodeType === Node.TEXT_NODE) read(node.data);
      if (node.nodeType === Node.ELEMENT_NODE) {
        if (node.matches(data)) return;
        const before = depth;
        depth = 0;
        for (const name of ["aria-label", "alt", "title", "placeholder", "data-busy", "data-head"]) read(node.getAttribute(name) ?? "");
        depth = before;
      }
      for (const child of (node instanceof HTMLTemplateElement ? node.content : node).childNodes) walk(child);
    };
    walk(document.body);
    read(document.title);
    if (depth !== 0) chunks.push(`brackets: ${depth}`);
    return chunks;
  }, not);
  return found.map((text) => text.replaceAll(DATA, "")).filter((text) => /\p{L}/u.test(text));
}

async function allInWords(page, what, not = []) {
  assert.deepEqual(await loose(page, not), [], `${what}: these words are not in the message file`);
}

/** Waits until the page says something in this message. */
const says = (page, text) => page.locator("#status, dialog[open] .status").filter({ hasText: `[${text}` }).first().waitFor();

async function account(role) {
  const person = somebody("Ada");
  await here.server.command(["user", "add", "--password-stdin", ...(role ? ["--role", role] : []), person.email], PASSWORD);
  return person;
}

async function speaking(t, locale, options = {}) {
  return (await here.visitor(t, { locale, ...options })).newPage();
}

async function linkTo(email, path) {
  return until(`a link ${path}`, async () => {
    const mails = (await (await fetch(`${here.server.url}/outbox`)).text()).split("<article>");
    const mail = mails.find((each) => each.includes(`>${email}<`) && each.includes(`/mail/${path}#`));
    return mail && new RegExp(`href="(http[^"]*/mail/${path}#[^"]*)"`).exec(mail)[1];
  });
}

test("sign-in, registration and everything by mail say nothing that is not in the message file", async (t) => {
  const person = await account();
  const page = await speaking(t, "de-CH");
  await page.goto("/login");
  await formReady(page);
  assert.deepEqual(await page.evaluate(() => [document.documentElement.lang, document.documentElement.dir]), ["de", "ltr"]);
  assert.match(await (await fetch(`${here.server.url}/login`, { headers: { "Accept-Language": "de" } })).text(), /<p class="notice">\[This page needs/);
  await allInWords(page, "sign-in");
  await page.click("#submit");
  await page.locator("#password-error:not(:empty)").waitFor();
  await allInWords(page, "nothing given");
  await page.click("#password-toggle");
  await fillLogin(page, { ...person, password: "not the password" });
  await page.click("#submit");
  await page.locator("#password-error", { hasText: "[This email and" }).waitFor();
  await allInWords(page, "refused");
  await picture(page, "login");
  await page.click("#by-mail");
  await says(page, "If there is an account");
  await allInWords(page, "a link by mail");
  for (const reason of ["expired", "suspected_theft", "unproven"]) {
    await page.goto(`/login?ended=${reason}`);
    await formReady(page);
    assert.match(await page.textContent("#status"), /^\[.*\]$/);
  }

  await page.goto("/register");
  await page.fill("#password", "short");
  await page.click("#submit:enabled");
  await page.locator("#password-error", { hasText: "[Use at least 15" }).waitFor();
  await allInWords(page, "registration");
  const newcomer = somebody("Grace");
  await page.fill("#email", newcomer.email);
  await page.fill("#password", "abcdefghijklmnopqrst");
  await page.click("#submit");
  await page.locator("#password-error", { hasText: "[it repeats or counts up" }).waitFor();
  await page.fill("#password", newcomer.password);
  await page.click("#submit");
  await says(page, "Check your mail");
  await allInWords(page, "check your mail");
  for (const invited of ["invite=x", "invite=x&role=admin"]) {
    await page.goto(`/register?${invited}`);
    await allInWords(page, invited);
  }

  await page.goto("/forgot");
  await page.click("#submit:enabled");
  await page.locator("#email-error:not(:empty)").waitFor();
  await allInWords(page, "forgotten");
  await page.fill("#email", person.email);
  await page.click("#submit");
  await says(page, "Look into your mail");
  await allInWords(page, "asked");
  const phone = await speaking(t, "de");
  await phone.goto(await linkTo(newcomer.email, "confirm"));
  await phone.locator("#with-password:not([hidden])").waitFor();
  await allInWords(phone, "a link in another browser");
  await page.goto(await linkTo(person.email, "reset"));
  await page.locator("#opening:not([hidden])").waitFor();
  await allInWords(page, "another password");
  await page.fill("#password", `${PASSWORD}, another`);
  await page.click("#submit:enabled");
  await says(page, "That is your password now");
  await allInWords(page, "replaced");
  for (const purpose of ["confirm", "sign-up", "sign-in", "change"]) {
    await page.goto(`/mail/${purpose}#cfm_nothing`);
    await says(page, "This link has been used");
    await allInWords(page, purpose);
  }
  await page.goto("/outbox");
  await allInWords(page, "outbox", ["article > h2", "article > p:not(.hint)"]);
});

test("the account page says nothing that is not in the message file", async (t) => {
  const person = await account();
  await here.server.post("/api/auth/login", person, { "User-Agent": "?" });
  await here.server.post("/api/auth/login", person, { "User-Agent": FIREFOX });
  const page = await speaking(t, "de");
  const device = await authenticator(page);
  await page.goto("/login");
  await formReady(page);
  await fillLogin(page, person);
  await page.click("#submit");
  await accountShown(page);
  await allInWords(page, "account");
  const since = await page.locator("#session-since").evaluate((time) => [time.textContent, time.dateTime]);
  assert.equal(since[0], new Intl.DateTimeFormat("de", { dateStyle: "medium", timeZone: await page.evaluate(() => Intl.DateTimeFormat().resolvedOptions().timeZone) }).format(new Date(since[1])));

  await page.getByRole("button", { name: "[End [Unknown device]]" }).click();
  await says(page, "Ended: [Unknown device");
  await page.locator("#ended > li").first().waitFor();
  await allInWords(page, "one ended");
  await page.click("#add-passkey");
  await says(page, "Your passkey is ready");
  assert.equal((await device.credentials()).length, 1);
  await page.locator('#passkeys [data-part="rename"]').click();
  await page.fill("#passkey-name", " ");
  await page.click("#name-submit");
  await page.locator("#passkey-name-error:not(:empty)").waitFor();
  await allInWords(page, "a passkey, and its name");
  await page.click("#name-cancel");
  await page.click("#totp-add");
  await page.locator("#app-dialog[open]").waitFor();
  await page.click("#app-submit");
  await page.locator("#app-code-error:not(:empty)").waitFor();
  await allInWords(page, "an authenticator app");
  await page.click("#app-cancel");
  await page.click("#codes-make");
  await page.locator("#codes-dialog[open]").waitFor();
  await page.click("#codes-copy");
  await page.locator("#codes-copied:not(:empty)").waitFor();
  await allInWords(page, "recovery codes");
  await page.click("#codes-done");
  await page.locator("#codes-state", { hasText: "[10 left]" }).waitFor();
  await page.locator('#passkeys [data-part="remove"]').click();
  await page.locator("#confirm[open]").waitFor();
  await allInWords(page, "remove it?");
  await page.click("#confirm-yes");
  await says(page, "The passkey is removed");

  await page.click("#change-password");
  await page.locator("#new-password-error:not(:empty)").waitFor();
  await page.fill("#new-address", person.email);
  await page.click("#change-address");
  await page.locator("#new-address-error:not(:empty)").waitFor();
  await picture(page, "account");
  await page.click("#delete-account");
  await page.fill("#delete-address", "somebody@else.example");
  await page.click("#delete-submit");
  await page.locator("#delete-address-error:not(:empty)").waitFor();
  await allInWords(page, "what is wrong, at its field");
  await page.click("#delete-cancel");
  await page.click("#end-others");
  await page.locator("#confirm[open]").waitFor();
  await allInWords(page, "end all others?");
  await page.click("#confirm-yes");
  await says(page, "All other devices are signed out");
  await allInWords(page, "others ended");
  await page.route("**/api/auth/me", (route) => route.abort());
  await page.reload();
  await page.locator("#load-problem:not([hidden])").waitFor();
  await allInWords(page, "no connection");
  await page.unroute("**/api/auth/me");
  await page.click("#load-again");
  await accountShown(page);

  // In a browser without that authenticator, which would sign in again by itself.
  const other = await speaking(t, "de");
  await other.goto("/login");
  await formReady(other);
  await fillLogin(other, person);
  await other.click("#submit");
  await accountShown(other);
  await other.click("#sign-out-everywhere");
  await other.click("#confirm-yes");
  await formReady(other);
  assert.match(await other.textContent("#status"), /^\[You are signed out.*\]$/);
});

test("the administration says nothing that is not in the message file", async (t) => {
  await here.server.guardCredential("a-guard");
  const person = await account();
  for (const password of [PASSWORD, "not the password", PASSWORD]) {
    await here.server.post("/api/auth/login", { ...person, password }, { "User-Agent": password === PASSWORD ? FIREFOX : "curl/8" });
  }
  await here.server.post("/api/auth/login", person, { "User-Agent": "Mozilla/5.0 (iPhone) Version/19.0 Safari/604.1" });
  const admin = await account("admin");
  const page = await speaking(t, "de");
  const open = async (section) => {
    await page.goto(`/admin/${section}`);
    await page.locator("body:not(.loading) #content > *").first().waitFor();
  };
  await page.goto("/admin/users");
  await formReady(page);
  await fillLogin(page, admin);
  await page.click("#submit");
  await page.locator("body:not(.loading) #content > *").first().waitFor();
  await allInWords(page, "users");
  await picture(page, "users");
  await page.fill("#search", "nobody at all");
  await page.getByText("[No account begins with this.]").waitFor();
  await allInWords(page, "nobody found");
  await page.fill("#search", person.email);
  await page.getByRole("link", { name: person.email, exact: true }).click();
  await page.getByRole("heading", { level: 1, name: person.email }).waitFor();
  await allInWords(page, "one account");
  await page.getByRole("button", { name: "[Ban…]" }).click();
  await page.fill("#ban-until", "2020-01-01");
  await page.click("#ban-submit");
  await page.locator("#ban-until-error:not(:empty)").waitFor();
  await allInWords(page, "ban");
  await page.fill("#ban-until", "2199-01-31");
  await page.click("#ban-submit");
  await says(page, "Banned.");
  await allInWords(page, "banned");
  await picture(page, "user");
  await page.getByRole("button", { name: "[Lift the ban]" }).click();
  await says(page, "The ban is lifted");

  for (const section of ["services", "keys", "risk", "activity", "invitations", "api-keys"]) {
    await open(section);
    // Roles have one name in every language.
    await allInWords(page, section, ["#invite-role"]);
  }
  await open("audit");
  await page.locator("tbody tr").first().waitFor();
  await allInWords(page, "audit");
  await open("keys");
  await page.getByRole("button", { name: /^\[Revoke the key/ }).first().click();
  await page.locator("#confirm[open]").waitFor();
  await allInWords(page, "revoke?", ["#confirm-title"]);

  const outsider = await account();
  const other = await speaking(t, "de");
  await other.goto("/login?redirect=/admin/users");
  await formReady(other);
  await fillLogin(other, outsider);
  await other.click("#submit");
  await other.getByText("[Your account has no role that may see this.]").waitFor();
  await allInWords(other, "no role");
});

test("a language from the right turns the pages round, and they fit and stay accessible", async (t) => {
  const admin = await account("admin");
  const page = await speaking(t, "ar-EG");
  await page.goto("/login");
  await formReady(page);
  assert.deepEqual(await page.evaluate(() => [document.documentElement.lang, document.documentElement.dir]), ["ar", "rtl"]);
  await picture(page, "rtl-login");
  await accessible(page);
  await fillLogin(page, admin);
  await page.click("#submit");
  await accountShown(page);
  await picture(page, "rtl-account");
  await accessible(page);
  await page.goto("/admin/users");
  await page.locator("body:not(.loading) #content > *").first().waitFor();
  await picture(page, "rtl-users");
  await accessible(page);
  const sentence = await page.evaluate(async () => {
    const { inWords } = await import(document.querySelector('link[href*="/words.js"]').href);
    return inWords("account.address.sent", { address: "ada@example.test" });
  });
  assert.match(sentence, /\u2068ada@example\.test\u2069/, "an address is written from the left, in one piece");
});

test("a number is said in the plural of the language, and what it does not say, in English", async (t) => {
  const page = await speaking(t, "pl");
  await page.goto("/register");
  const sentences = await page.evaluate(async () => {
    const { inWords } = await import(document.querySelector('link[href*="/words.js"]').href);
    return [1, 2, 5, 22, 1.5].map((count) => inWords("form.too_short", { count }));
  });
  assert.deepEqual(sentences, ["1 znak", "2 znaki", "5 znaków", "22 znaki", "1.5 znaku"]);
  assert.equal(await page.textContent("h1"), "Create an account");
  assert.equal(await page.getAttribute("html", "lang"), "pl");
});
