// One hole, one script, two applications: what it carries off from before/ is good for a week; from after/ there is nothing to carry off.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Workspace, secrets, until } from "./application.mjs";
import { launch, register, signInByForm } from "./browser.mjs";
import { Thief } from "./thief.mjs";

const ADA = { email: "ada@example.com", name: "Ada", password: "correct horse battery staple" };
const MALLORY = { email: "mallory@example.com", name: "Mallory", password: "nothing up my sleeve" };
const HEADERS = { "X-Requested-With": "test" };
for (const { password } of [ADA, MALLORY]) secrets.add("password", password);

/** Ada looks at everybody's notes, Mallory's among them, and then at her own. */
async function moderate(page, thief) {
  await page.getByRole("button", { name: "Everybody's notes" }).click();
  await page.getByText("Nice place!").waitFor();
  await until("the script has sent what it found", () => thief.loot.some((text) => text.includes('"texts"')));
  await page.getByRole("button", { name: "My notes" }).click();
  await until("the script has overheard a request", () => thief.loot.some((text) => text.includes('"overheard"')));
}

test("before: the script steals the token, which is good elsewhere, also after the sign-out", async (t) => {
  const workspace = await Workspace.make(t);
  const application = await workspace.start(await workspace.copy("before"));
  const visitor = await launch(workspace);
  const page = await (await visitor()).newPage();
  await page.goto("/");
  await register(page, ADA);
  const thief = await Thief.settle(t);
  const mallory = await application.ask("POST", "/api/register", { body: MALLORY });
  await application.ask("POST", "/api/notes", { token: mallory.body.token, body: { text: thief.note } });

  await moderate(page, thief);

  const [token, ...others] = thief.stolen;
  assert.deepEqual(others, []);
  assert.equal((await application.ask("GET", "/api/moderation", { token })).status, 200);
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  assert.equal((await application.ask("GET", "/api/moderation", { token })).status, 200);
});

/** `after`, with Ada who moderates and Mallory who has left a note. */
async function afterWithBoth(workspace, thief) {
  const folder = await workspace.copy("after");
  const application = await workspace.start(folder);
  for (const { email, name, password } of [ADA, MALLORY]) {
    const { status, body } = await application.ask("POST", "/api/auth/register", { body: { email, name, password } });
    assert.equal(status, 201, JSON.stringify(body));
  }
  await workspace.run(`counterfoil user role add ${ADA.email} notes-admin --data data/counterfoil`, folder);
  const { email, password } = MALLORY;
  const mallory = await application.ask("POST", "/api/auth/login", { body: { email, password } });
  const Cookie = mallory.headers.getSetCookie().map((set) => set.split(";")[0]).join("; ");
  const headers = { ...HEADERS, Cookie, Origin: application.url };
  const written = await application.ask("POST", "/api/notes", { headers, body: { text: thief.note } });
  assert.equal(written.status, 201, JSON.stringify(written.body));
  return application;
}

test("after: the very same script finds nothing, and a sign-out everywhere is refused by the API", async (t) => {
  const thief = await Thief.settle(t);
  const workspace = await Workspace.make(t);
  const application = await afterWithBoth(workspace, thief);
  const visitor = await launch(workspace);
  const context = await visitor();
  const page = await context.newPage();
  await page.goto("/");
  await signInByForm(page, ADA);
  const elsewhere = await (await visitor()).newPage();
  await elsewhere.goto("/");
  await signInByForm(elsewhere, ADA);

  await moderate(page, thief);

  assert.deepEqual(thief.stolen, []);
  const found = JSON.parse(thief.loot.find((text) => text.includes('"texts"')));
  assert.deepEqual([found.storage, found.cookie, found.databases], [{}, "", []]);
  // It has run in her name (this is what is left of it), and it has looked: her address is there, and no credential is.
  assert.ok(found.answers.some((text) => text.includes(ADA.email)));
  assert.equal((await application.ask("GET", "/api/moderation")).status, 401);

  // The browser's own cookie, which no script can have: it counts until the sign-out, and not one moment longer.
  const cookie = (await context.cookies()).filter(({ name }) => name === "__Host-cf_access").map(({ name, value }) => `${name}=${value}`).join();
  assert.equal((await application.ask("GET", "/api/moderation", { headers: { Cookie: cookie } })).status, 200);
  await elsewhere.getByRole("button", { name: "Sign out everywhere" }).click();
  await elsewhere.getByRole("heading", { name: "Sign in" }).waitFor();
  const refused = await until("the API refuses", async () => {
    const answer = await application.ask("GET", "/api/moderation", { headers: { Cookie: cookie } });
    return answer.status === 401 && answer;
  });
  assert.equal(refused.body.code, "session_revoked");
  await page.reload();
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
});
