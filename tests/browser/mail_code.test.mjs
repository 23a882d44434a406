// A code by mail as the second step, for whoever has set up nothing better.

import { test } from "node:test";
import { accessible } from "./accessibility.mjs";
import { PASSWORD, accountShown, fillLogin, formReady, says, somebody } from "./pages.mjs";
import { picture } from "./pictures.mjs";
import { stage, until } from "./support.mjs";

const here = stage({
  COUNTERFOIL__MAIL__OUTBOX: "true",
  COUNTERFOIL__APPLICATIONS__WEB__REQUIRE: "two-factor",
  COUNTERFOIL__APPLICATIONS__WEB__MAIL_CODE: "true",
});

/** The codes that have been sent, the newest first, once there are so many. */
function codes(count) {
  return until(`${count} codes`, async () => {
    const text = await (await fetch(`${here.server.url}/outbox`)).text();
    const found = [...text.matchAll(/<p>(\d{8})\s*<\/p>/g)].map(([, code]) => code);
    return found.length >= count && found;
  });
}

test("a code comes by mail, and another one when it is asked for", async (t) => {
  const person = somebody();
  await here.server.command(["user", "add", "--password-stdin", person.email], PASSWORD);
  const page = await (await here.visitor(t)).newPage();
  await page.goto("/login");
  await formReady(page);
  await fillLogin(page, person);
  await page.click("#submit");
  await page.getByText("We have sent a code to your mail address.").waitFor();
  await codes(1);
  await accessible(page);
  await picture(page, "step");
  await page.fill("#prove-code", "00000000");
  await page.keyboard.press("Enter");
  await page.locator("#prove-code-error", { hasText: "This code is wrong" }).waitFor();
  await page.click("#prove-again");
  await says(page, "We have sent another one.");
  const [newest] = await codes(2);
  await page.fill("#prove-code", `${newest.slice(0, 4)} ${newest.slice(4)}`);
  await page.keyboard.press("Enter");
  await accountShown(page);
});
