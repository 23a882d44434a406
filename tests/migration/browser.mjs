// A Chromium for the migration: it stays open while the application behind its address is exchanged.

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { launching, watchTroubles } from "../browser/support.mjs";
import { secrets } from "./application.mjs";

/** The one that the browser tests have installed. */
const { chromium } = createRequire(new URL("../browser/support.mjs", import.meta.url))("playwright-core");

/** A browser in which each `visitor()` has cookies and storage of their own. An error in a page fails the test. */
export async function launch(workspace) {
  const browser = await chromium.launch(launching);
  const visitors = [];
  workspace.atEnd(async () => {
    for (const { context } of visitors) secrets.headers((await context.cookies()).map(({ name, value }) => ["cookie", `${name}=${value}`]));
    await browser.close();
    for (const { troubles } of visitors) assert.deepEqual(troubles, [], "errors in the pages");
  });
  return async () => {
    const context = await browser.newContext({ baseURL: workspace.url });
    visitors.push({ context, troubles: await watchTroubles(context) });
    context.on("request", (request) => secrets.body(request.postData() ?? ""));
    context.on("response", (answer) => {
      // One that has gone with its page says nothing any more; its cookie is in the jar, if anywhere.
      answer.headersArray().then((headers) => secrets.headers(headers.map(({ name, value }) => [name, value])), () => undefined);
    });
    return context;
  };
}

export async function signInByForm(page, { email, password }) {
  await page.getByLabel("Email").fill(email);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await signedIn(page);
}

export async function register(page, { email, name, password }) {
  await page.getByRole("button", { name: "I am new here" }).click();
  await page.getByLabel("Name").fill(name);
  await page.getByLabel("Email").fill(email);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Make an account" }).click();
  await signedIn(page);
}

export async function signedIn(page) {
  await page.getByRole("button", { name: "Sign out", exact: true }).waitFor();
}
