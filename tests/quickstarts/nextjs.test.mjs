// The quickstart of Next.js, worked through as it is written, and then by a person in Chromium.

import assert from "node:assert/strict";
import { test } from "node:test";
import { workplace } from "./page.mjs";
import { browse, signIn } from "./browse.mjs";

test("nextjs: pages, routes and actions each refuse a revoked session, whatever the proxy does", async (t) => {
  const place = await workplace(t);
  const said = await place.walk("nextjs");
  const [signedIn, takenBack] = said.slice(-2);
  assert.match(signedIn, /^\{"user":"[\w-]{22}","session":"[\w-]{22}"\}/m);
  assert.match(takenBack, /hello-next \([\w-]+\) refuses[\s\S]*2 of 2 verifiers confirmed it/);
  assert.match(takenBack, /"code":"session_revoked"/);
  await leadsEverybodyElse(place);
  await aPersonInABrowser(t, place);
});

/** Without a cookie: what each address answers to a person and to a program. */
async function leadsEverybodyElse({ app }) {
  const ask = async (path, headers = {}) => {
    const answer = await fetch(app + path, { headers, redirect: "manual" });
    await answer.text();
    return [answer.status, answer.headers.get("location")];
  };
  assert.deepEqual(await ask("/statement"), [307, "/login?redirect=/statement"]);
  assert.deepEqual(await ask("/members?a=b"), [401, null], "a program is told");
  assert.deepEqual(await ask("/api/hello", { "x-middleware-subrequest": "proxy:proxy:proxy:proxy:proxy" }), [401, null]);
  assert.equal((await ask("/"))[0], 200);
}

async function aPersonInABrowser(t, place) {
  const { page, context } = await browse(t, place.app);
  await page.goto("/members?of=2026");
  assert.equal(new URL(page.url()).search, "?redirect=/members%3Fof%3D2026", "led by the proxy, with the query");
  await signIn(page);
  await page.getByRole("heading", { name: "Members only" }).waitFor();
  assert.equal(new URL(page.url()).search, "?of=2026");

  await page.goto("/");
  await page.getByRole("heading", { name: /Hello [\w-]{22}/ }).waitFor();
  // The access cookie is over: the sign-in page's script renews it, and nobody sees a form.
  await context.clearCookies({ name: "__Host-cf_access" });
  await page.getByRole("link", { name: "Your statement" }).click();
  await page.getByRole("heading", { name: "The statement of" }).waitFor();
  await page.getByRole("button", { name: "Confirm" }).click();
  await page.getByText(/confirmed by [\w-]{22}/).waitFor();

  await place.sh("counterfoil user revoke ada@example.com --receipt");
  await page.goto("/statement");
  await page.waitForURL(/\/login\?redirect=\/statement/);
  await page.locator("#password").waitFor();
}
