// A page of an application's own on the authority's host, with the client as a bundler would ship it.

import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const CLIENT = new URL("../../packages/client/", import.meta.url);
const { build } = createRequire(new URL("package.json", CLIENT))("esbuild");

/** The script of `source`, which may import the client's modules as its users do. */
export async function bundled(source) {
  const { outputFiles: [file] } = await build({
    stdin: { contents: source, resolveDir: fileURLToPath(CLIENT) },
    bundle: true, write: false, format: "esm", target: "es2022", logLevel: "error", define: { "process.env.NODE_ENV": '"production"' },
  });
  return file.text;
}

// What tests need of the client stands in `window`, as it would in the page of somebody careless: the token must not be found even so.
const PAGE = `
  import { createClient } from "@counterfoil/client";
  import * as migrate from "@counterfoil/client/migrate";
  import * as passkeys from "@counterfoil/client/passkeys";
  import * as stepUp from "@counterfoil/client/step-up";
  const options = JSON.parse(new URLSearchParams(location.search).get("options") ?? "{}");
  const client = createClient(options);
  const states = [client.state.status];
  client.subscribe((state) => states.push(state.status));
  Object.assign(window, { client, createClient, states, migrate, passkeys, stepUp });
`;

let script;

/** Puts the page at /app of every host of the context. */
export async function servePage(context, source = PAGE) {
  const text = source === PAGE ? (script ??= await bundled(PAGE)) : await bundled(source);
  await context.route(/\/app(\?|$)/, (route) => route.fulfill({
    contentType: "text/html", body: '<!doctype html><title>app</title><link rel="icon" href="data:,"><main></main><script type="module" src="/app.js"></script>',
  }));
  await context.route("**/app.js", (route) => route.fulfill({ contentType: "text/javascript", body: text }));
}

/** A tab with the page in it. */
export async function appTab(context, options = {}) {
  const page = await context.newPage();
  await page.goto(`/app?${new URLSearchParams({ options: JSON.stringify(options) })}`);
  await page.waitForFunction(() => "client" in window);
  return page;
}

/** Signs in by the client: what it gives, or the code of what it rejects with. */
export function signIn(page, { email, password }) {
  return page.evaluate((credentials) => window.client.signIn(credentials).catch(({ code }) => code), { email, password });
}

export const state = (page) => page.evaluate(() => window.client.state);
export const session = (page) => page.evaluate(() => window.client.session());
export const refresh = (page) => page.evaluate(() => window.client.refresh());

/** Waits until the client's state has this status. */
export function becomes(page, status) {
  return page.waitForFunction((wanted) => window.client.state.status === wanted, status);
}

/** Whether the client has ever said that nobody is signed in. */
export async function everSignedOut(page) {
  return (await page.evaluate(() => window.states)).includes("signed_out");
}
