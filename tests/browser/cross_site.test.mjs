// C1: pages of other origins try to act with this person's cookies.
//
// `http://localhost:OTHER` is another origin of the same site: the browser does send SameSite=Lax
// cookies along. `http://127.0.0.1:OTHER` is another site.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import {
  ACCESS, REFRESH, accountShown, api, cookie, createAccount, deviceIds, signedIn, signInElsewhere, somebody,
} from "./pages.mjs";
import { stage, startServer } from "./support.mjs";

const REFUSED = [403, 415];
const here = stage();

// ---- The other origins ------------------------------------------------------------------------

const hostile = { server: null, port: 0 };
before(async () => {
  hostile.server = createServer((request, response) => {
    response.setHeader("Content-Type", "text/html; charset=utf-8");
    response.end(pageFor(new URL(request.url, "http://hostile").searchParams));
  });
  hostile.server.listen(0, "127.0.0.1");
  await once(hostile.server, "listening");
  hostile.port = hostile.server.address().port;
});
after(() => hostile.server?.close());

const ORIGINS = {
  "another origin of the same site": () => `http://localhost:${hostile.port}`,
  "another site": () => `http://127.0.0.1:${hostile.port}`,
};

// A page that sends a form as soon as it is loaded, or frames an address, or does nothing.
function pageFor(query) {
  const attribute = (name) => (query.get(name) ?? "").replaceAll("&", "&amp;").replaceAll("\"", "&quot;");
  if (query.has("frame")) return `<!doctype html><iframe src="${attribute("frame")}"></iframe>`;
  if (!query.has("action")) return "<!doctype html><title>hostile</title>";
  const field = `<input type="hidden" name="${attribute("name")}" value="${attribute("value")}">`;
  return `<!doctype html>
    <form method="post" action="${attribute("action")}" enctype="${attribute("enctype")}">
      ${query.has("name") ? field : ""}
    </form>
    <script>document.forms[0].submit();</script>`;
}

// ---- What they try ----------------------------------------------------------------------------

/** Every request with side effects, with the body that would make it succeed. */
function targets(person, attacker, otherSid) {
  return [
    ["POST", "/api/auth/refresh"],
    ["DELETE", "/api/auth/refresh"],
    ["POST", "/api/auth/logout"],
    ["POST", "/api/auth/logout-all"],
    ["POST", "/api/auth/password/change", { current_password: person.password, new_password: "taken over by Mallory" }],
    ["DELETE", "/api/auth/sessions"],
    ["DELETE", `/api/auth/sessions/${otherSid}`],
    ["POST", "/api/auth/login", { email: attacker.email, password: attacker.password }],
    ["POST", "/api/auth/register", { email: `planted-${attacker.email}`, password: attacker.password }],
  ];
}

/** A person with two devices; `unchanged()` fails if anything happened to either. */
async function victim(t) {
  const person = await createAccount(here.server);
  const attacker = await createAccount(here.server, somebody("Mallory"));
  const other = await signInElsewhere(here.server, person, "curl/8.5.0");
  const context = await here.visitor(t);
  const { page } = await signedIn(context, here.server, person);
  const state = async () => ({
    me: (await api(page, "GET", "/api/auth/me")).body.user?.email,
    sessions: (await api(page, "GET", "/api/auth/sessions")).body.sessions?.map(({ id }) => id).sort(),
    access: (await cookie(context, ACCESS))?.value,
    refresh: (await cookie(context, REFRESH))?.value,
  });
  const before = await state();
  assert.equal(before.sessions.length, 2);
  const unchanged = async (what) => assert.deepEqual(await state(), before, what);
  return { person, attacker, context, page, otherSid: other.session.id, unchanged };
}

/** Collects what the server answered to requests for its API, and whether cookies came along. */
function answers(context) {
  const seen = [];
  context.on("response", (response) => {
    const request = response.request();
    if (response.url().startsWith(`${here.server.url}/api/`)) seen.push({ request, status: response.status() });
  });
  return seen;
}

// ---- Forms ------------------------------------------------------------------------------------

const ENCTYPES = ["application/x-www-form-urlencoded", "text/plain", "multipart/form-data"];

// JSON in a text/plain form: the name is the beginning, the value the end, with "=" in between.
function disguised(body) {
  return { name: `${JSON.stringify(body).slice(0, -1)},"x":"`, value: "\"}" };
}

for (const [where, origin] of Object.entries(ORIGINS)) {
  test(`C1: a form that ${where} sends by itself is refused and changes nothing`, async (t) => {
    const { person, attacker, context, otherSid, unchanged } = await victim(t);
    for (const [method, path, body] of targets(person, attacker, otherSid)) {
      if (method !== "POST") continue;
      for (const enctype of body ? ENCTYPES : [...ENCTYPES, ""]) {
        const fields = body ? disguised(body) : {};
        const query = new URLSearchParams({ action: here.server.url + path, enctype, ...fields });
        const page = await context.newPage();
        const [answer] = await Promise.all([
          page.waitForResponse((response) => response.url() === here.server.url + path),
          page.goto(`${origin()}/?${query}`).catch(() => undefined),
        ]);
        const what = `${path} as ${enctype || "nothing"}`;
        assert.ok(REFUSED.includes(answer.status()), `${what}: ${answer.status()}`);
        const empty = !body && enctype !== "multipart/form-data";
        if (empty) assert.equal(answer.status(), 403, what);
        const sent = (await answer.request().allHeaders()).cookie ?? "";
        const sameSite = origin().includes("localhost");
        assert.equal(sent.includes(ACCESS), sameSite, `${what}: this attack is as strong as it should be`);
        await page.close();
        await unchanged(what);
      }
    }
  });
}

// ---- Scripts ----------------------------------------------------------------------------------

const JSON_TYPE = { "Content-Type": "application/json" };
const CUSTOM = { "X-Requested-With": "counterfoil" };
const WAYS = {
  "no-cors, text": { mode: "no-cors", headers: { "Content-Type": "text/plain" } },
  "no-cors, custom header": { mode: "no-cors", headers: { ...JSON_TYPE, ...CUSTOM } },
  "no-cors, keepalive": { mode: "no-cors", keepalive: true },
  "cors, simple": { mode: "cors", headers: { "Content-Type": "text/plain" } },
  "cors, as our own script": { mode: "cors", headers: { ...JSON_TYPE, ...CUSTOM } },
  "cors, no content type": { mode: "cors", headers: CUSTOM },
};

// Runs in the hostile page: "answered" if the script may read the answer.
function attempt([url, method, body, options]) {
  const content = body === undefined || method === "DELETE" ? undefined : JSON.stringify(body);
  return fetch(url, { method, body: content, credentials: "include", ...options })
    .then((answer) => (answer.type === "opaque" ? "opaque" : `answered ${answer.status}`), () => "blocked");
}

for (const [where, origin] of Object.entries(ORIGINS)) {
  test(`C1: a script of ${where} can neither act with the cookies nor read an answer`, async (t) => {
    const { person, attacker, context, page: own, otherSid, unchanged } = await victim(t);
    const seen = answers(context);
    const page = await context.newPage();
    await page.goto(`${origin()}/`);
    for (const [method, path, body] of targets(person, attacker, otherSid)) {
      for (const [way, options] of Object.entries(WAYS)) {
        seen.length = 0;
        const outcome = await page.evaluate(attempt, [here.server.url + path, method, body, options]);
        const what = `${method} ${path}, ${way}`;
        assert.ok(["opaque", "blocked"].includes(outcome), `${what}: ${outcome}`);
        // What did reach the server was refused; a preflight's answer may show here too.
        for (const { request, status } of seen) {
          assert.ok(REFUSED.includes(status), `${what}: ${request.method()} ${status}`);
        }
        if (outcome === "opaque") assert.equal(seen.length, 1, `${what}: it was sent and answered`);
        await unchanged(what);
      }
    }

    await page.evaluate(([url]) => {
      navigator.sendBeacon(`${url}/api/auth/logout`);
      navigator.sendBeacon(`${url}/api/auth/logout-all`, new Blob(["{}"], { type: "text/plain" }));
      new Image().src = `${url}/api/auth/logout`;
    }, [here.server.url]);
    const reading = ["/api/auth/me", "/api/auth/sessions"];
    for (const path of reading) {
      const outcome = await page.evaluate(attempt, [here.server.url + path, "GET", undefined, { mode: "cors" }]);
      assert.equal(outcome, "blocked", `GET ${path}`);
    }
    await unchanged("beacons and images");
    const planted = await here.server.post("/api/auth/register", { ...attacker, email: `planted-${attacker.email}` });
    assert.equal(planted.status, 201, "the account was not made");

    // Control: from our own page the same requests do succeed.
    await accountShown(own);
    const ended = await own.evaluate(attempt, [`${here.server.url}/api/auth/sessions/${otherSid}`, "DELETE", undefined,
      WAYS["cors, as our own script"]]);
    assert.equal(ended, "answered 204");
    await own.reload();
    await accountShown(own);
    assert.equal((await deviceIds(own)).length, 1);
    const logout = `${here.server.url}/api/auth/logout`;
    const out = await own.evaluate(attempt, [logout, "POST", undefined, { headers: CUSTOM }]);
    assert.equal(out, "answered 204");
  });
}

test("C1, control: a listed origin's script does succeed, so the attacks above could", async (t) => {
  const origin = ORIGINS["another origin of the same site"]();
  const server = await startServer({ COUNTERFOIL__APPLICATIONS__WEB__ORIGINS: JSON.stringify([origin]) });
  t.after(() => server.stop());
  const context = await here.visitor(t, { baseURL: server.url });
  const { page: own } = await signedIn(context, server);
  const page = await context.newPage();
  await page.goto(`${origin}/`);
  const asOurs = WAYS["cors, as our own script"];
  const me = await page.evaluate(attempt, [`${server.url}/api/auth/me`, "GET", undefined, asOurs]);
  assert.equal(me, "answered 200");
  const simple = await page.evaluate(attempt, [`${server.url}/api/auth/logout`, "POST", undefined, { mode: "cors" }]);
  assert.equal(simple, "answered 403", "a listed origin needs the custom header too");
  const out = await page.evaluate(attempt, [`${server.url}/api/auth/logout`, "POST", undefined, asOurs]);
  assert.equal(out, "answered 204");
  assert.equal((await api(own, "GET", "/api/auth/me")).status, 401);
});

test("C1: no page of ours can be put into a frame elsewhere", async (t) => {
  const { context } = await victim(t);
  for (const origin of Object.values(ORIGINS)) {
    for (const path of ["/account", "/login", "/register"]) {
      const page = await context.newPage();
      await page.goto(`${origin()}/?${new URLSearchParams({ frame: here.server.url + path })}`);
      const [, frame] = page.frames();
      assert.ok(!frame.url().startsWith(here.server.url), `${path} is framed: ${frame.url()}`);
      await page.close();
    }
  }
});
