// What goes on in a mail, as people meet it: a first account, a forgotten password, a link that signs in, another address. The mail is read
// in the outbox of development.

import assert from "node:assert/strict";
import { test } from "node:test";
import { accessible } from "./accessibility.mjs";
import { authenticator } from "./authenticator.mjs";
import { PASSWORD, accountShown, fillLogin, formReady, says, somebody } from "./pages.mjs";
import { picture } from "./pictures.mjs";
import { stage, until } from "./support.mjs";

const here = stage({ COUNTERFOIL__MAIL__OUTBOX: "true", COUNTERFOIL__MAIL__SIGN_IN: "true" });

/** The newest mail to this address with these words in its subject. */
async function mailTo(email, words) {
  return until(`a mail "${words}" to ${email}`, async () => {
    const text = await (await fetch(`${here.server.url}/outbox`)).text();
    return text.split("<article>").slice(1).find((mail) => mail.includes(`>${email}<`) && mail.includes(words));
  });
}

/** The link in it. */
async function linkTo(email, words) {
  const mail = await mailTo(email, words);
  const [, link] = /href="(http[^"]*\/mail\/[^"]*)"/.exec(mail) ?? [];
  assert.ok(link, mail);
  return link;
}

/** Somebody whose address is confirmed, on the sign-in page of a browser. */
async function member(t, person = somebody()) {
  const context = await here.visitor(t);
  const page = await context.newPage();
  await page.goto("/register");
  await page.fill("#name", person.name);
  await page.fill("#email", person.email);
  await page.fill("#password", person.password);
  await page.click("#submit");
  await says(page, "Check your mail");
  await page.goto(await linkTo(person.email, "Confirm your address"));
  await page.click("#submit:enabled");
  await says(page, "Your account is ready.");
  await page.click("#finished-link");
  await formReady(page);
  return { context, page, person };
}

async function signedIn(t) {
  const { context, page, person } = await member(t);
  await fillLogin(page, person);
  await page.click("#submit");
  await accountShown(page);
  return { context, page, person };
}

test("an account is confirmed by its mail, on a telephone only with its password", async (t) => {
  const person = somebody();
  const page = await (await here.visitor(t)).newPage();
  await page.goto("/register");
  await page.fill("#email", person.email);
  await page.fill("#password", PASSWORD);
  await page.click("#submit");
  await says(page, "Check your mail");
  await accessible(page);
  await picture(page, "check");
  const link = await linkTo(person.email, "Confirm your address");

  const phone = await (await here.visitor(t)).newPage();
  await phone.goto(link);
  await phone.locator("#password").waitFor();
  assert.equal(await phone.locator("#address").textContent(), person.email);
  await accessible(phone);
  await picture(phone, "confirm");
  await phone.fill("#password", "not the one that was chosen");
  await phone.keyboard.press("Enter");
  await phone.locator("#password-error", { hasText: "not the password that you chose" }).waitFor();
  await phone.fill("#password", PASSWORD);
  await phone.keyboard.press("Enter");
  await says(phone, "Your account is ready.");
  await phone.goto("/login");
  await phone.goto(link);
  await says(phone, "This link has been used, or is over.");
  await picture(phone, "over");
});

test("a forgotten password is replaced, and every device is signed out", async (t) => {
  const { page: theirs, person } = await signedIn(t);
  const page = await (await here.visitor(t)).newPage();
  await page.goto("/login");
  await formReady(page);
  await page.click("#forgot-link");
  await page.fill("#email", "nowhere");
  await page.keyboard.press("Enter");
  await page.locator("#email-error", { hasText: "Enter your email address." }).waitFor();
  await page.fill("#email", person.email);
  await accessible(page);
  await picture(page, "forgot");
  await page.keyboard.press("Enter");
  await says(page, "Look into your mail.");
  await picture(page, "asked");
  await page.goto(await linkTo(person.email, "Choose another password"));
  await page.fill("#password", "short");
  await accessible(page);
  await picture(page, "reset");
  await page.click("#submit:enabled");
  await page.locator("#password-error", { hasText: "Use at least 15 characters." }).waitFor();
  await page.fill("#password", "abcdefghijklmnopqrst");
  await page.click("#submit");
  await page.locator("#password-error", { hasText: "repeats or counts up" }).waitFor();
  await page.fill("#password", "one long passphrase, and another");
  await page.click("#submit");
  await says(page, "That is your password now.");
  await theirs.reload();
  await formReady(theirs);
  await page.click("#finished-link");
  await formReady(page);
  await fillLogin(page, { ...person, password: "one long passphrase, and another" });
  await page.click("#submit");
  await accountShown(page);
  await mailTo(person.email, "was replaced");
});

test("a link signs in where it was asked for, and says so elsewhere", async (t) => {
  const { person } = await member(t);
  const context = await here.visitor(t);
  const page = await context.newPage();
  await page.goto("/login");
  await formReady(page);
  await page.click("#by-mail");
  await page.locator("#email-error", { hasText: "Enter your email address." }).waitFor();
  await page.fill("#email", person.email);
  await page.click("#by-mail");
  await says(page, "a link is in its mail");
  await accessible(page);
  await picture(page, "login");
  const link = await linkTo(person.email, "Sign in to");

  const other = await (await here.visitor(t)).newPage();
  await other.goto(link);
  await says(other, "works only in the browser in which you asked for it");
  await picture(other, "elsewhere");

  const tab = await context.newPage();
  await tab.goto(link);
  await tab.click("#submit:enabled");
  await accountShown(tab);
  // The tab that has asked goes on too.
  await accountShown(page);
});

test("a link does not come past a passkey: it is one step, and the passkey the next", async (t) => {
  const { page, person } = await signedIn(t);
  const keys = await authenticator(page);
  await page.click("#add-passkey");
  await says(page, "Your passkey is ready.");
  const context = await here.visitor(t);
  const asking = await context.newPage();
  await asking.goto("/login");
  await formReady(asking);
  await asking.fill("#email", person.email);
  await asking.click("#by-mail");
  await says(asking, "a link is in its mail");
  const tab = await context.newPage();
  await tab.goto(await linkTo(person.email, "Sign in to"));
  await tab.click("#submit:enabled");
  await tab.locator("#prove-passkey:visible").waitFor();
  await accessible(tab);
  await picture(tab, "passkey-next");
  const [passkey] = await keys.credentials();
  await (await authenticator(tab)).take(passkey);
  await tab.click("#prove-passkey");
  await accountShown(tab);
});

test("an address is changed by a link to the new one, and the old one is told", async (t) => {
  const { page, person } = await signedIn(t);
  const moved = `moved-${person.email}`;
  await page.fill("#new-address", person.email.toUpperCase());
  await page.click("#change-address");
  await page.locator("#new-address-error", { hasText: "This is your address already." }).waitFor();
  await page.fill("#new-address", moved);
  await accessible(page);
  await picture(page, "account");
  await page.click("#change-address");
  await says(page, "We have sent a link to");
  await page.goto(await linkTo(moved, "Confirm your new address"));
  await page.click("#submit:enabled");
  await says(page, `Your account has the address ${moved} now.`);
  await picture(page, "changed");
  await page.click("#finished-link");
  await accountShown(page);
  assert.equal(await page.locator("#profile-email").textContent(), moved);
  await mailTo(person.email, "has another address");
});

test("an account without a password begins on the device that opens the mail", async (t) => {
  const person = somebody();
  const context = await here.visitor(t);
  const page = await context.newPage();
  await page.goto("/register");
  await page.fill("#email", person.email);
  await page.click("#passkey");
  await says(page, "Check your mail");
  const phone = await (await here.visitor(t)).newPage();
  await authenticator(phone);
  await phone.goto(await linkTo(person.email, "Confirm your address"));
  await picture(phone, "passkey");
  await phone.click("#submit:enabled");
  await accountShown(phone);
});

test("the outbox shows mail, as text and as people see it", async (t) => {
  const { page, person } = await member(t);
  await page.goto("/outbox");
  await page.getByText(person.email).first().waitFor();
  await accessible(page);
  await picture(page, "outbox");
  await page.goto("/outbox?html=0");
  await picture(page, "letter");
});
