// The hosted pages as a person uses them.

import assert from "node:assert/strict";
import { until } from "./support.mjs";

export const ACCESS = "__Host-cf_access";
export const REFRESH = "__Secure-cf_refresh";
export const PASSWORD = "a ticket and its stub";

let people = 0;

/** Somebody who does not exist yet. */
export function somebody(name = "Ada Lovelace") {
  people += 1;
  return { name, email: `person-${people}-${process.pid}@example.test`, password: PASSWORD };
}

/** Makes the account without a browser. */
export async function createAccount(server, person = somebody()) {
  const answer = await server.post("/api/auth/register", person);
  assert.equal(answer.status, 201, await answer.text());
  return person;
}

/** Signs in without a browser, as the program that `userAgent` names. */
export async function signInElsewhere(server, { email, password }, userAgent) {
  const answer = await server.post("/api/auth/login", { email, password }, { "User-Agent": userAgent });
  assert.equal(answer.status, 200, await answer.clone().text());
  return answer.json();
}

export async function register(page, { name, email, password }) {
  await page.goto("/register");
  await page.fill("#name", name);
  await page.fill("#email", email);
  await page.fill("#password", password);
  await page.click("#submit");
  await accountShown(page);
}

export async function fillLogin(page, { email, password }) {
  await page.fill("#email", email);
  await page.fill("#password", password);
}

/** Signs in on the sign-in page. */
export async function signIn(page, person) {
  await page.goto("/login");
  await formReady(page);
  await fillLogin(page, person);
  await page.click("#submit");
  await accountShown(page);
}

/** A page on which a new person is signed in. */
export async function signedIn(context, server, person) {
  const known = person ?? await createAccount(server);
  const page = await context.newPage();
  await signIn(page, known);
  return { page, person: known };
}

/** The sign-in form, once the silent attempt is over. */
export async function formReady(page) {
  await page.waitForURL((url) => url.pathname === "/login");
  await page.locator("body:not(.checking) #submit:enabled").waitFor();
}

/** The account page, filled in. */
export async function accountShown(page) {
  await page.waitForURL((url) => url.pathname === "/account");
  await page.locator("body:not(.loading) #sessions > li.current").waitFor();
}

export const status = (page) => page.locator("#status").textContent();

/** Waits for what the live region says. */
export function says(page, text) {
  return page.locator("#status", { hasText: text }).waitFor();
}

/** The session ids of the devices on the page, the present one first. */
export function deviceIds(page) {
  return page.locator("#sessions > li").evaluateAll((items) => items.map((item) => item.dataset.sessionId));
}

/** A cookie of the context by its name, or undefined. */
export async function cookie(context, name) {
  return (await context.cookies()).find((each) => each.name === name);
}

/** The cookies of a session. What the sign-in page keeps of an unfinished ceremony is none of it. */
export async function sessionCookies(context) {
  return (await context.cookies()).filter((each) => each.name !== "__Host-cf_login");
}

/** Waits until the access cookie has run out and is gone. */
export function accessCookieGone(context) {
  return until("the access cookie is gone", async () => !(await cookie(context, ACCESS)));
}

/** `fetch` from within the page: `{ status, body }`. */
export function api(page, method, path, body) {
  return page.evaluate(async ([verb, address, content]) => {
    const headers = verb === "GET" ? {} : { "X-Requested-With": "test" };
    if (content !== undefined) headers["Content-Type"] = "application/json";
    const answer = await fetch(address, { method: verb, headers, body: content });
    const text = await answer.text();
    return { status: answer.status, body: text ? JSON.parse(text) : null };
  }, [method, path, body === undefined ? undefined : JSON.stringify(body)]);
}

/** Notes every answer to `METHOD path`: a live list of statuses. */
export function answersTo(context, method, path) {
  const statuses = [];
  context.on("response", (response) => {
    if (response.request().method() === method && new URL(response.url()).pathname === path) {
      statuses.push(response.status());
    }
  });
  return statuses;
}
