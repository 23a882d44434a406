// The quickstart of a page with React, worked through as it is written, with a person in Chromium before what it shows last.

import assert from "node:assert/strict";
import { test } from "node:test";
import { browse } from "./browse.mjs";
import { workplace } from "./page.mjs";

test("react-spa: somebody signs in, asks the API, and is told when the session has been ended", async (t) => {
  const place = await workplace(t);
  let page;
  const said = await place.walk("react-spa", { beforeLast: async () => { page = await signedIn(t, place); } });
  assert.match(said.at(-1), /hello-api \([\w-]+\) refuses[\s\S]*2 of 2 verifiers confirmed it/);
  await page.getByRole("button", { name: "Ask the API" }).click();
  await page.getByText("Your session is over: ended_by_admin").waitFor();

  await signIn(page);
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByRole("button", { name: "Sign in" }).waitFor();
});

async function signedIn(t, { app }) {
  const { page, context } = await browse(t, app);
  await page.goto("/");
  await signIn(page);
  await asksTheApi(page);
  assert.deepEqual(await page.evaluate(() => [document.cookie, { ...localStorage }, { ...sessionStorage }]), ["", {}, {}]);
  // The access cookie is over: the client renews it, and nobody notices.
  await context.clearCookies({ name: "__Host-cf_access" });
  await page.reload();
  await page.getByRole("heading", { name: "Hello ada@example.com" }).waitFor();
  await asksTheApi(page);
  return page;
}

async function signIn(page) {
  await page.getByLabel("Email").fill("ada@example.com");
  await page.getByLabel("Password").fill("correct horse battery staple");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("heading", { name: "Hello ada@example.com" }).waitFor();
}

async function asksTheApi(page) {
  await page.getByRole("button", { name: "Ask the API" }).click();
  await page.getByText(/\{"user":"[\w-]{22}"\}/).waitFor();
}
