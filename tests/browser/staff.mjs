// Those who administer.

import { PASSWORD, fillLogin, formReady, somebody } from "./pages.mjs";

/** A page on which somebody with this role has come to a section through the sign-in page. */
export async function staff(here, t, role, section = "users") {
  const person = somebody(role);
  await here.server.command(["user", "add", "--password-stdin", "--role", role, person.email], PASSWORD);
  const page = await (await here.visitor(t)).newPage();
  await page.goto(`/admin/${section}`);
  await formReady(page);
  await fillLogin(page, person);
  await page.click("#submit");
  await page.waitForURL((url) => url.pathname === `/admin/${section}`);
  await shown(page);
  return { page, person };
}

/** Waits until a section is there. */
export const shown = (page) => page.locator("body:not(.loading) #content > *").first().waitFor();
