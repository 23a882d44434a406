// The client in each profile with a real server: what is where, and what is not.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { ACCESS, REFRESH, createAccount, cookie } from "../browser/pages.mjs";
import { stage, until } from "../browser/support.mjs";
import { appTab, becomes, refresh, servePage, session, signIn, state } from "./page.mjs";

// Two origins of the same site: an API that is listed, and a stranger. They note what they are sent.
const hosts = { api: null, stranger: null };
before(async () => {
  for (const name of Object.keys(hosts)) {
    const seen = [];
    const server = createServer((request, response) => {
      response.setHeader("Access-Control-Allow-Origin", request.headers.origin ?? "*");
      response.setHeader("Access-Control-Allow-Headers", "authorization, x-requested-with");
      response.setHeader("Access-Control-Allow-Credentials", "true");
      if (request.method !== "OPTIONS") seen.push(request.headers);
      response.end("{}");
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    hosts[name] = { server, seen, origin: `http://localhost:${server.address().port}` };
  }
});
after(() => Object.values(hosts).forEach((host) => host?.server.close()));

const here = stage({
  COUNTERFOIL__APPLICATIONS__SPA__PROFILE: "hybrid", COUNTERFOIL__APPLICATIONS__PORTAL__PROFILE: "opaque",
});

async function signedInTab(t, options = {}) {
  // The APIs of this test listen on this machine.
  const context = await here.visitor(t, { permissions: ["local-network-access"] });
  await servePage(context);
  const page = await appTab(context, options);
  const person = await createAccount(here.server);
  const [answer] = await Promise.all([
    page.waitForResponse((response) => response.url().endsWith("/api/auth/login")),
    signIn(page, person).then(({ status }) => assert.equal(status, "signed_in")),
  ]);
  return { context, page, person, body: await answer.json() };
}

/** Where a text can be found from a page's script. */
function reachable(needle) {
  const found = [];
  const seen = new Set();
  const look = (value, path, depth) => {
    if (typeof value === "string" && value.includes(needle)) found.push(path);
    if (value === null || !["object", "function"].includes(typeof value) || seen.has(value) || depth > 6) return;
    seen.add(value);
    // Browsers give promises that fail where a property is read of a prototype.
    if (value instanceof Promise) value.catch(() => undefined);
    for (const name of Reflect.ownKeys(value)) {
      try {
        look(value[name], `${path}.${String(name)}`, depth + 1);
      } catch {
        // a getter of the browser's that is not for this object
      }
    }
  };
  look(window, "window", 0);
  look(document.cookie, "document.cookie", 0);
  look({ ...localStorage }, "localStorage", 0);
  look({ ...sessionStorage }, "sessionStorage", 0);
  look(JSON.stringify(performance.getEntries()), "performance", 0);
  return found;
}

test("hybrid: the token is nowhere that a script can look, and goes to the listed API only", async (t) => {
  const options = { clientId: "spa", profile: "hybrid", apis: [hosts.api.origin] };
  const { context, page, body } = await signedInTab(t, options);
  const token = body.access_token;
  assert.match(token, /^eyJ/);
  const told = await context.newPage();
  await told.goto("/app");
  await told.evaluate(() => {
    window.heard = [];
    new BroadcastChannel("counterfoil").onmessage = ({ data }) => window.heard.push(JSON.stringify(data));
  });
  await page.evaluate(async ([api, stranger]) => {
    await window.client.fetch(`${api}/orders`);
    await window.client.fetch(`${stranger}/orders`);
  }, [hosts.api.origin, hosts.stranger.origin]);
  assert.equal(hosts.api.seen.at(-1).authorization, `Bearer ${token}`);
  assert.equal(hosts.api.seen.at(-1)["x-requested-with"], "counterfoil");
  assert.deepEqual([hosts.stranger.seen.length, hosts.stranger.seen[0].authorization, hosts.stranger.seen[0]["x-requested-with"]], [1, undefined, undefined]);

  assert.deepEqual(await page.evaluate(reachable, token.slice(-40)), []);
  const jar = Object.fromEntries((await context.cookies()).map((each) => [each.name, each.httpOnly]));
  assert.deepEqual([jar[ACCESS], jar[REFRESH]], [undefined, true]);

  // A new one, in memory too; after a reload it comes by a refresh.
  assert.equal((await refresh(page)).status, "signed_in");
  await until("the other tabs hear of it", () => told.evaluate(() => window.heard.length > 0));
  assert.ok(!(await told.evaluate(() => window.heard.join())).includes("eyJ"), "no token over the channel");
  await page.reload();
  await page.waitForFunction(() => "client" in window);
  assert.equal((await session(page)).status, "signed_in");
  await page.evaluate((api) => window.client.fetch(`${api}/orders`), hosts.api.origin);
  assert.match(hosts.api.seen.at(-1).authorization, /^Bearer eyJ/);
  assert.notEqual(hosts.api.seen.at(-1).authorization, `Bearer ${token}`);

  // Signed out: it is not sent any more.
  await page.evaluate(() => window.client.signOut());
  await page.evaluate((api) => window.client.fetch(`${api}/orders`), hosts.api.origin);
  assert.equal(hosts.api.seen.at(-1).authorization, undefined);
});

test("hybrid, control: a token that a page leaves lying about is found", async (t) => {
  const context = await here.visitor(t);
  await servePage(context);
  const page = await appTab(context);
  await page.evaluate(() => {
    window.careless = { deep: { token: "eyJ-a-token-for-everybody" } };
    localStorage.setItem("token", "eyJ-a-token-for-everybody");
  });
  const found = await page.evaluate(reachable, "token-for-everybody");
  assert.deepEqual(found.sort(), ["localStorage.token", "window.careless.deep.token", "window.localStorage.token"]);
});

test("cookie: no token in a body, and a session that survives a reload", async (t) => {
  const { page, body } = await signedInTab(t);
  assert.deepEqual(Object.keys(body).sort(), ["expires_in", "session", "user"]);
  await page.reload();
  await page.waitForFunction(() => "client" in window);
  assert.equal((await state(page)).cause, "not_asked");
  const { status, user } = await session(page);
  assert.deepEqual([status, user.id], ["signed_in", body.user.id]);
});

test("opaque: nothing to renew; a 401 is the end", async (t) => {
  const { context, page } = await signedInTab(t, { clientId: "portal", profile: "opaque" });
  assert.equal((await refresh(page)).status, "signed_in");
  assert.equal(await cookie(context, REFRESH), undefined);
  const other = await appTab(context, { clientId: "portal", profile: "opaque" });
  assert.equal((await session(other)).status, "signed_in");
  await page.evaluate(() => window.client.signOut());
  await becomes(other, "signed_out");
  await other.reload();
  await other.waitForFunction(() => "client" in window);
  assert.deepEqual(await session(other), { status: "signed_out", reason: undefined });
});
