// What stands beside the client, with a real server: passkeys, further steps and fresh proofs, React.

import assert from "node:assert/strict";
import { test } from "node:test";
import { authenticator } from "../browser/authenticator.mjs";
import { createAccount } from "../browser/pages.mjs";
import { stage, until } from "../browser/support.mjs";
import { appTab, becomes, servePage, session, signIn, state } from "./page.mjs";

// A proof is old as soon as the configuration allows.
const here = stage({ COUNTERFOIL__SESSION__FRESH: "10s" });

async function signedInTab(t) {
  const context = await here.visitor(t);
  await servePage(context);
  const page = await appTab(context);
  const person = await createAccount(here.server);
  assert.equal((await signIn(page, person)).status, "signed_in");
  return { context, page, person };
}

/** Waits until the proof given at the sign-in is too old, as the server says. */
function proofIsOld(page) {
  return until("the proof is old", () => page.evaluate(() => window.stepUp.factors(window.client).then(({ fresh }) => !fresh)), { every: 500 });
}

test("a fresh proof is asked for, given by the password, and the call is sent once more", async (t) => {
  const { page, person } = await signedInTab(t);
  await proofIsOld(page);
  const refused = await page.evaluate(async () => {
    const answer = await window.client.fetch("/api/auth/passkeys/register/start", { method: "POST", body: "{}", headers: { "Content-Type": "application/json" } });
    return { status: answer.status, challenge: await window.stepUp.challengeOf(answer) };
  });
  assert.equal(refused.status, 401);
  assert.ok(refused.challenge.maxAge > 0, JSON.stringify(refused));
  const outcome = await page.evaluate(async (password) => {
    const asked = [];
    const fetch = window.stepUp.fetchWithProof(window.client, async (challenge) => {
      asked.push(challenge);
      await window.stepUp.prove(window.client, "password", password);
      return true;
    });
    const answer = await fetch("/api/auth/passkeys/register/start", { method: "POST", body: "{}", headers: { "Content-Type": "application/json" } });
    return { status: answer.status, asked: asked.length };
  }, person.password);
  assert.deepEqual(outcome, { status: 200, asked: 1 });
  assert.equal((await state(page)).status, "signed_in");
});

test("the hosted page proves it, and leads back", async (t) => {
  const { page, person } = await signedInTab(t);
  await proofIsOld(page);
  await page.evaluate(() => { location.href = window.stepUp.proofPage(window.client, { acrValues: [], options: [] }); });
  await page.locator("#prove-password").fill(person.password);
  await page.locator("#prove-password-form button[type=submit]").click();
  await page.waitForURL((url) => url.pathname === "/app");
  await page.waitForFunction(() => "client" in window);
  assert.equal((await session(page)).status, "signed_in");
});

test("a passkey is added, signs in, also from the autofill, and proves; a question can be ended", async (t) => {
  const { page, person } = await signedInTab(t);
  const keys = await authenticator(page);
  assert.ok(await page.evaluate(() => window.passkeys.passkeysSupported()));
  await proofIsOld(page);
  await page.evaluate((password) => window.stepUp.withProof(() => window.passkeys.registerPasskey(window.client), async () => {
    await window.stepUp.prove(window.client, "password", password);
    return true;
  }), person.password);
  assert.equal((await keys.credentials()).length, 1);
  await page.evaluate(() => window.client.signOut());
  const { status, user } = await page.evaluate(() => window.passkeys.signInWithPasskey(window.client));
  assert.deepEqual([status, user.email], ["signed_in", person.email]);
  assert.equal((await signIn(page, person)).session.acr, "aal1");
  await page.evaluate(() => window.passkeys.proveWithPasskey(window.client));
  assert.equal((await state(page)).session.acr, "aal2");

  // Chromium's authenticator answers the offer in the autofill at once, as somebody who picks it does.
  await page.evaluate(() => window.client.signOut());
  const offered = await page.evaluate(async () => [await window.passkeys.autofillSupported(), await window.passkeys.signInWithPasskey(window.client, { autofill: true })]);
  assert.deepEqual([offered[0], offered[1].status, offered[1].user.email], [true, "signed_in", person.email]);

  // The person turns back, or the page does.
  await keys.verify(false);
  const turned = await page.evaluate(() => window.passkeys.proveWithPasskey(window.client).catch(({ code }) => code));
  assert.equal(turned, "passkey_cancelled");
  const ended = await page.evaluate(() => window.passkeys.signInWithPasskey(window.client, { autofill: true, signal: AbortSignal.abort() })
    .catch(({ code }) => code));
  assert.equal(ended, "aborted");
  assert.equal((await state(page)).status, "signed_in");
});

test("an application asks for a second factor: an authenticator app is set up on the way, and asked for the next time", async (t) => {
  const { context, page, person } = await signedInTab(t);
  await page.evaluate((password) => window.stepUp.prove(window.client, "password", password), person.password);
  const codes = await page.evaluate(async () => {
    const offer = await window.client.fetch("/api/auth/totp/enrol/start", { method: "POST", body: "{}", headers: { "Content-Type": "application/json" } });
    const { secret } = await offer.json();
    const bits = [...secret.replace(/[\s=]/g, "")].map((letter) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(letter).toString(2).padStart(5, "0")).join("");
    const key = Uint8Array.from(bits.match(/.{8}/g), (byte) => parseInt(byte, 2));
    const counter = new DataView(new ArrayBuffer(8));
    counter.setBigUint64(0, BigInt(Math.floor(Date.now() / 30_000)));
    const hmac = await crypto.subtle.importKey("raw", key, { name: "HMAC", hash: "SHA-1" }, false, ["sign"]);
    const mac = new DataView(await crypto.subtle.sign("HMAC", hmac, counter.buffer));
    const code = String((mac.getUint32(mac.getUint8(19) & 15) & 0x7fffffff) % 1_000_000).padStart(6, "0");
    const done = await window.client.fetch("/api/auth/totp/enrol/finish", { method: "POST", body: JSON.stringify({ code }), headers: { "Content-Type": "application/json" } });
    return (await done.json()).recovery_codes;
  });
  assert.ok(codes.length > 0);
  const other = await appTab(context);
  await page.evaluate(() => window.client.signOut());
  const next = await signIn(other, person);
  assert.deepEqual([next.status, next.next, next.options.includes("recovery_code")], ["next", "totp", true]);
  assert.equal((await state(other)).status, "signed_out");
  const wrong = await other.evaluate(() => window.stepUp.verify(window.client, "totp", "000000").catch(({ code }) => code));
  assert.equal(wrong, "invalid_code");
  const { status } = await other.evaluate((code) => window.stepUp.verify(window.client, "recovery_code", code), codes[0]);
  assert.equal(status, "signed_in");
  await becomes(page, "signed_in");
});

const REACT = `
  import { createElement, StrictMode, useState } from "react";
  import { createRoot } from "react-dom/client";
  import { createClient } from "@counterfoil/client";
  import { AuthProvider, useAuth, useSession } from "@counterfoil/client/react";
  const client = createClient();
  let renderings = 0;
  function Page() {
    const state = useSession();
    const { user, signIn, signOut } = useAuth();
    renderings += 1;
    Object.assign(window, { client, signInHere: signIn, renderings });
    return createElement("p", { id: "who", onClick: () => signOut() }, state.status + " " + (user?.email ?? "nobody"));
  }
  createRoot(document.querySelector("main")).render(createElement(StrictMode, null, createElement(AuthProvider, { client }, createElement(Page))));
`;

test("React: the hooks ask once, and follow what happens here and in other tabs", async (t) => {
  const context = await here.visitor(t);
  await servePage(context, REACT);
  const asked = [];
  context.on("request", (request) => asked.push(new URL(request.url()).pathname));
  const page = await context.newPage();
  await page.goto("/app");
  const says = (tab, text) => tab.locator("#who", { hasText: text }).waitFor();
  await says(page, "signed_out nobody");
  assert.equal(asked.filter((path) => path === "/api/auth/me").length, 1);
  const person = await createAccount(here.server);
  await page.evaluate(({ email, password }) => window.signInHere({ email, password }), person);
  await says(page, `signed_in ${person.email}`);
  const other = await context.newPage();
  await other.goto("/app");
  await says(other, `signed_in ${person.email}`);
  await other.click("#who");
  await says(page, "signed_out nobody");
  assert.ok(await page.evaluate(() => window.renderings < 20), "it does not render in circles");
});
