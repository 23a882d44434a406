// The quickstart of Next.js, worked through as it is written, and then by a person in Chromium.

import assert from "node:assert/strict";
import { once } from "node:events";
import { request } from "node:http";
import { test } from "node:test";
import { listedBlock, workplace } from "./page.mjs";
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
  await theEdgeRuntime(place);
});

/** With `middleware.ts`, as the page's last block has it, in the place of `proxy.ts`. */
async function theEdgeRuntime(place) {
  await place.running.at(-1)();
  await place.write("proxy.ts");
  const middleware = await listedBlock("nextjs", "import { createGuard } from '@counterfoil/guard/edge'");
  await place.write("middleware.ts", middleware.replace("https://app.example.com", place.app).replace("8080", String(place.ports.authority)));
  await place.sh("npx next build > build.log");
  await place.keepRunning("GUARD_CREDENTIAL=$(counterfoil guard add edge-next) npx next start");
  assert.deepEqual(await asked(place, "/members?a=b"), [401, null], "a program is told");
  assert.deepEqual(await asked(place, "/members?a=b", { accept: "text/html", "sec-fetch-mode": "navigate" }), [303, "/login?redirect=/members%3Fa%3Db"]);
  const login = await fetch(`${place.app}/api/auth/login`, {
    method: "POST", headers: { "Content-Type": "application/json", Origin: place.app },
    body: JSON.stringify({ email: "ada@example.com", password: "correct horse battery staple" }),
  });
  const cookie = login.headers.getSetCookie().map((text) => text.split(";")[0]).find((pair) => pair.startsWith("__Host-cf_access="));
  assert.deepEqual(await asked(place, "/members", { cookie }), [200, null]);
  await place.sh("counterfoil user revoke ada@example.com");
  // The page behind it would lead to the sign-in page.
  assert.deepEqual(await asked(place, "/members", { cookie }), [401, null]);
}

/** By hand: `fetch` says of itself that it is no navigation. */
async function asked({ app }, path, headers = {}) {
  const question = request(app + path, { headers }).end();
  const [answer] = await once(question, "response");
  answer.resume();
  await once(answer, "end");
  return [answer.statusCode, answer.headers.location ?? null];
}

/** Without a cookie: what each address answers to a person and to a program. */
async function leadsEverybodyElse(place) {
  const ask = (path, headers) => asked(place, path, headers);
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
