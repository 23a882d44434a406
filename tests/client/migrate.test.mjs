// The move from another system, with a real server that takes its tokens: nobody is signed out by it.

import assert from "node:assert/strict";
import { createHmac, randomBytes } from "node:crypto";
import { rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { answersTo } from "../browser/pages.mjs";
import { stage } from "../browser/support.mjs";
import { appTab, becomes, servePage, session, state } from "./page.mjs";

const SECRET = randomBytes(32).toString("hex");
const DAY_MS = 86_400_000;
const OLD = "COUNTERFOIL__LEGACY__OLD__";
const here = stage({
  [`${OLD}UNTIL`]: new Date(Date.now() + 30 * DAY_MS).toISOString().replace(/\.\d+/, ""), [`${OLD}SECRET_ENV`]: "OLD_JWT_SECRET",
  [`${OLD}ALGORITHM`]: "HS256", [`${OLD}SUBJECT`]: "userId", OLD_JWT_SECRET: SECRET,
});

/** A token as the old system made it. */
function oldToken(claims, secret = SECRET) {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const now = Math.floor(Date.now() / 1000);
  const signed = `${part({ alg: "HS256", typ: "JWT" })}.${part({ iat: now, exp: now + 86_400, ...claims })}`;
  return `${signed}.${createHmac("sha256", secret).update(signed).digest("base64url")}`;
}

let people = 0;

/** Somebody whom the old system calls `userId`, brought from there. */
async function imported() {
  people += 1;
  const person = { email: `moved-${people}-${process.pid}@example.test`, userId: `user-${people}` };
  const file = join(tmpdir(), `counterfoil-moved-${people}-${process.pid}.jsonl`);
  await writeFile(file, JSON.stringify({ email: person.email, external_id: person.userId }));
  await here.server.command(["import", file]);
  await rm(file);
  return person;
}

async function tabWithToken(t, token) {
  const context = await here.visitor(t);
  await servePage(context);
  const page = await appTab(context);
  await page.evaluate((value) => localStorage.setItem("token", value), token);
  return { context, page };
}

const takeOver = (page) => page.evaluate(() => window.migrate.takeOver(window.client, { storage: localStorage, key: "token" }));
const kept = (page) => page.evaluate(() => localStorage.getItem("token"));

test("whoever comes with an old token stays signed in, and the token is gone", async (t) => {
  const { email, userId } = await imported();
  const { page } = await tabWithToken(t, oldToken({ userId }));
  const { status, user } = await takeOver(page);
  assert.deepEqual([status, user?.email, await kept(page)], ["signed_in", email, null]);
  await page.reload();
  await page.waitForFunction(() => "client" in window);
  assert.equal((await session(page)).status, "signed_in");
});

test("tabs that do it at the same time are all signed in", async (t) => {
  const { userId } = await imported();
  const { context, page } = await tabWithToken(t, oldToken({ userId }));
  const tabs = [page, await appTab(context), await appTab(context)];
  const exchanges = answersTo(context, "POST", "/api/auth/legacy");
  await Promise.all(tabs.map(takeOver));
  for (const tab of tabs) await becomes(tab, "signed_in");
  assert.ok(exchanges.includes(200) && exchanges.every((status) => status === 200 || status === 409), `${exchanges}`);
  assert.equal(await kept(page), null);
});

test("a token that nobody believes is gone, and nobody is signed in", async (t) => {
  const { userId } = await imported();
  const { page } = await tabWithToken(t, oldToken({ userId }, "another secret of thirty-two bytes"));
  assert.deepEqual(await takeOver(page), { status: "refused", code: "legacy_token_invalid" });
  assert.deepEqual([await kept(page), (await state(page)).status], [null, "signed_out"]);
});

test("the exchange fails on the way: the token stays, and does it the next time", async (t) => {
  const { userId } = await imported();
  const { context, page } = await tabWithToken(t, oldToken({ userId }));
  await context.route("**/api/auth/legacy", (route) => route.fulfill({ status: 502, contentType: "text/html", body: "<h1>Bad Gateway</h1>" }));
  assert.equal((await takeOver(page)).status, "later");
  assert.ok(await kept(page));
  await context.unroute("**/api/auth/legacy");
  assert.equal((await takeOver(page)).status, "signed_in");
  assert.equal(await kept(page), null);
});
