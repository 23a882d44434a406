// A person with a browser, in the quickstarts that have pages. The browser is that of tests/browser, whose `npm ci` brings what drives it.

import assert from "node:assert/strict";
import { createRequire } from "node:module";

const { chromium } = createRequire(new URL("../browser/package.json", import.meta.url))("playwright-core");
const PATIENCE_MS = 30_000;

/** A page of a new browser, closed with the test `t`. An error in a page's script fails the test. */
export async function browse(t, baseURL) {
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM_BIN ?? "/usr/bin/chromium",
    args: ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--no-first-run"],
  });
  const context = await browser.newContext({ baseURL });
  context.setDefaultTimeout(PATIENCE_MS);
  const errors = [];
  context.on("weberror", (error) => errors.push(error.error().stack));
  t.after(async () => {
    await browser.close();
    assert.deepEqual(errors, [], "errors in the pages");
  });
  return { page: await context.newPage(), context };
}

/** Fills in the authority's sign-in page. */
export async function signIn(page) {
  await page.locator("#email").fill("ada@example.com");
  await page.locator("#password").fill("correct horse battery staple");
  await page.locator("#submit").click();
}
