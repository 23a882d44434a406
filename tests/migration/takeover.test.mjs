// The move as people see it: their browser stays where it is, the application behind the address is another one, and nobody is signed out.

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { cp, readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { Workspace, secrets } from "./application.mjs";
import { launch, register, signInByForm, signedIn } from "./browser.mjs";
import { sections } from "./guide.mjs";

// As short as the old application allows; nobody chooses a new one.
const ADA = { email: "ada@example.com", name: "Ada", password: "lovelace" };
const BOB = { email: "bob@example.com", name: "Bob", password: "bob's own" };
for (const { password } of [ADA, BOB]) secrets.add("password", password);

const stored = (page) => page.evaluate(() => ({ ...localStorage }));

/** A token of the old system as it was a week and a second ago. */
async function expiredToken(folder, user) {
  const secret = /^JWT_SECRET=(.*)$/m.exec(await readFile(join(folder, ".env"), "utf8"))[1];
  const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const exp = Math.floor(Date.now() / 1000) - 1;
  const claims = { userId: user.id, email: user.email, role: user.role, iat: exp - 7 * 24 * 3600, exp };
  const input = `${part({ alg: "HS256", typ: "JWT" })}.${part(claims)}`;
  return `${input}.${createHmac("sha256", secret).update(input).digest("base64url")}`;
}

/** The data of `before` goes over to `after`, by the guide's own commands. */
async function move(workspace, before) {
  const after = await workspace.copy("after");
  for (const name of ["data", ".env"]) await cp(join(before, name), join(after, name), { recursive: true });
  // The guide's first step has started it before.
  await workspace.run("counterfoil init --data data/counterfoil", after);
  const { actions } = (await sections()).find(({ title }) => title.startsWith("3."));
  const { commands } = actions.find((action) => action.commands);
  const said = await workspace.run(commands.replace(/^npm install\n/, ""), after);
  assert.match(said, /2 imported \(0 without a password\), 0 already there, 0 refused/);
  assert.match(said, /2 of 2 accounts are linked/);
  return after;
}

test("whoever was signed in stays signed in, in every tab; whoever was not signs in with the password they have", async (t) => {
  const workspace = await Workspace.make(t);
  const before = await workspace.copy("before");
  let application = await workspace.start(before);
  const visitor = await launch(workspace);
  const ada = await visitor();
  const [first, second] = [await ada.newPage(), await ada.newPage()];
  await first.goto("/");
  await register(first, ADA);
  await first.getByLabel("Note").fill("an **old** note");
  await first.getByRole("button", { name: "Add" }).click();
  await first.getByText("an old note").waitFor();
  await second.goto("/");
  await signedIn(second);
  assert.deepEqual(Object.keys(await stored(second)), ["token"]);
  const token = (await stored(second)).token;
  const { body: { user } } = await application.ask("POST", "/api/register", { body: BOB });
  const bob = await (await visitor()).newPage();
  await bob.goto("/");
  const expired = await expiredToken(before, user);
  await bob.evaluate((value) => localStorage.setItem("token", value), expired);
  await application.stop();

  application = await workspace.start(await move(workspace, before));

  await t.test("two tabs reload at once, and both stay signed in", async () => {
    await Promise.all([first.reload(), second.reload()]);
    for (const page of [first, second]) {
      await signedIn(page);
      await page.getByText("an old note").waitFor();
      assert.deepEqual(await stored(page), {});
    }
    // She moderates as before, and what she changes is taken.
    await first.getByRole("button", { name: "Everybody's notes" }).waitFor();
    await second.getByLabel("Note").fill("a new one");
    await second.getByRole("button", { name: "Add" }).click();
    await second.getByText("a new one").waitFor();
    await first.reload();
    await first.getByText("a new one").waitFor();
    assert.ok((await ada.cookies()).filter(({ name }) => name.includes("cf_")).every(({ httpOnly }) => httpOnly));
  });

  await t.test("Counterfoil's own pages are there, on the same host", async () => {
    await second.getByRole("link", { name: "Devices and password" }).click();
    await second.getByText(ADA.email).first().waitFor();
    assert.equal(new URL(second.url()).pathname, "/account");
    // Its script has run, and has asked for the devices.
    await second.getByText("This device").first().waitFor();
  });

  await t.test("the old token itself opens nothing at the API", async () => {
    assert.equal((await application.ask("GET", "/api/notes", { token })).status, 401);
  });

  await t.test("with an expired token there is the form, and the old password", async () => {
    await bob.reload();
    await signInByForm(bob, BOB);
    assert.deepEqual(await stored(bob), {});
    await bob.reload();
    await signedIn(bob);
    assert.equal(await bob.getByRole("button", { name: "Everybody's notes" }).count(), 0);
  });
});
