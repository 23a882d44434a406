// The guide, followed to the letter: in a copy of before/, each diff is applied and each command run, in its order. What comes out is after/,
// file by file, and at each step the application does what the guide says there. From each step the way back is tried too, with the data that
// there are by then.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { cp, readFile, readdir } from "node:fs/promises";
import { join, relative } from "node:path";
import { test } from "node:test";
import { EXAMPLES, ROOT, Workspace, isSource, secrets, until } from "./application.mjs";
import { run } from "../support/processes.mjs";
import { sections } from "./guide.mjs";

const ADA = { email: "ada@example.com", name: "Ada", password: "lovelace1815" };
// As the guide shows it.
const IMPORTED = /^1 imported \(0 without a password\), 0 already there, 0 refused\n1 of 1 accounts are linked$/m;

async function patch(diff, folder) {
  // No offset and no fuzz: the guide fits as it stands.
  const child = spawn("patch", ["--strip=1", "--fuzz=0", "--no-backup-if-mismatch", "--forward"], { cwd: folder });
  let said = "";
  child.stdout.setEncoding("utf8").on("data", (text) => { said += text; });
  child.stdin.end(diff);
  const [code] = await once(child, "close");
  assert.equal(code, 0, `${said}\n${diff}`);
}

/** The source of an application, by path. */
async function source(folder) {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .filter((path) => path.split("/").every(isSource)).sort();
  return Object.fromEntries(await Promise.all(paths.map(async (path) => [path, await readFile(join(folder, path), "utf8")])));
}

const cookieOf = (answer) => answer.headers.getSetCookie().map((set) => set.split(";")[0]).find((pair) => /^__Host-cf_access=/.test(pair));

/** What holds once the application has been started in the n-th section. */
const CHECKS = [
  async function asItIs(application, state) {
    const { status, body } = await application.ask("POST", "/api/register", { body: ADA });
    assert.equal(status, 201);
    state.token = body.token;
    secrets.add("password", ADA.password);
    assert.equal((await application.ask("POST", "/api/notes", { token: state.token, body: { text: "an old note" } })).status, 201);
    assert.equal((await application.ask("GET", "/api/notes")).body.error, "Please sign in.");
  },
  async function behindTheSameHost(application, state) {
    assert.match((await application.ask("GET", "/login")).body, /<title>.*Notes/);
    await oldTokenCounts(application, state);
    const { email, password } = ADA;
    assert.equal((await application.ask("POST", "/api/login", { body: { email, password } })).status, 200);
    const registered = await application.ask("POST", "/api/auth/register", { body: { email, password: "somebody else's words" } });
    assert.deepEqual([registered.status, registered.body.code], [403, "registration_closed"]);
    assert.equal((await application.ask("GET", "/")).status, 200);
  },
  async function bothAreTaken(application, state) {
    await oldTokenCounts(application, state);
    assert.equal((await application.ask("GET", "/api/notes")).body.code, "token_missing");
    assert.match(application.log, /an old token was used/);
  },
  async function moved(application, state) {
    await oldTokenCounts(application, state);
    assert.equal((await application.ask("POST", "/api/login", { body: ADA })).status, 410);
    const exchanged = await application.ask("POST", "/api/auth/legacy", { body: { token: state.token } });
    assert.equal(exchanged.status, 200, JSON.stringify(exchanged.body));
    assert.equal(exchanged.body.access_token, undefined);
    assert.deepEqual(exchanged.body.session.amr, ["legacy"]);
    state.cookie = cookieOf(exchanged);
    await sessionCounts(application, state);
    // The address and the password are what they were.
    const { email, password } = ADA;
    const signedIn = await application.ask("POST", "/api/auth/login", { body: { email, password } });
    assert.equal(signedIn.status, 200);
    state.second = cookieOf(signedIn);
    await sessionCounts(application, { cookie: state.second });
  },
  async function oldWayIsClosed(application, state) {
    const refused = await application.ask("GET", "/api/notes", { token: state.token });
    assert.deepEqual([refused.status, refused.body.code], [401, "token_invalid"]);
    await sessionCounts(application, state);
    const headers = { Cookie: state.cookie, Origin: application.url, "X-Requested-With": "test" };
    assert.equal((await application.ask("POST", "/api/auth/logout-all", { headers })).status, 204);
    for (const cookie of [state.cookie, state.second]) {
      await until("the API refuses a session that was signed out", async () => {
        const { status, body } = await application.ask("GET", "/api/notes", { headers: { Cookie: cookie } });
        return status === 401 && body.code === "session_revoked";
      });
    }
    await nobodyIsLet(application, state);
  },
];

/** What holds when the version before the n-th section is started again after it, with the data of after it. */
const WAYS_BACK = [
  oldSignInCounts,
  oldSignInCounts,
  oldSignInCounts,
  async function theMoveAgain(application, state) {
    await oldTokenCounts(application, state);
    const { email, password } = ADA;
    const signedIn = await application.ask("POST", "/api/auth/login", { body: { email, password } });
    assert.equal(signedIn.status, 200);
    await sessionCounts(application, { cookie: cookieOf(signedIn) });
  },
];

/** The token from before counts, and so does the password, at the application's own sign-in. */
async function oldSignInCounts(application, state) {
  await oldTokenCounts(application, state);
  const { email, password } = ADA;
  assert.equal((await application.ask("POST", "/api/login", { body: { email, password } })).status, 200);
}

/** What was ended has ended older tokens as well. */
async function nobodyIsLet(application, { token }) {
  const late = await application.ask("POST", "/api/auth/legacy", { body: { token } });
  assert.ok([401, 409].includes(late.status), `${late.status}`);
}

async function oldTokenCounts(application, { token }) {
  const { status, body } = await application.ask("GET", "/api/notes", { token });
  assert.equal(status, 200);
  assert.deepEqual(body.map((note) => note.text), ["an old note"]);
}

/** Ada's session finds Ada's notes, and she moderates as before. */
async function sessionCounts(application, { cookie }) {
  const { status, body } = await application.ask("GET", "/api/notes", { headers: { Cookie: cookie } });
  assert.equal(status, 200, JSON.stringify(body));
  assert.deepEqual(body.map((note) => note.text), ["an old note"]);
  const moderated = await application.ask("GET", "/api/moderation", { headers: { Cookie: cookie } });
  assert.deepEqual([moderated.status, moderated.body[0]?.author], [200, "Ada"]);
}

test("the guide's steps lead from before/ to after/, and the application works at each", async (t) => {
  const workspace = await Workspace.make(t);
  await workspace.copy("before", { installed: false });
  const folder = join(workspace.folder, EXAMPLES, "notes");
  const state = {};
  let application;
  let started = 0;
  for (const { title, actions } of await sections()) {
    await application?.stop();
    const versionBefore = `${folder}-${started}`;
    if (existsSync(folder)) await cp(folder, versionBefore, { recursive: true, verbatimSymlinks: true, filter: (path) => path !== join(folder, "data") });
    for (const { diff, commands, starts } of actions) {
      if (diff) await patch(diff, folder);
      // The first commands make the folder, and go into it.
      if (commands) {
        const said = await workspace.run(commands, existsSync(folder) ? folder : workspace.folder);
        if (commands.includes("counterfoil import")) assert.match(said, IMPORTED);
      }
      if (!starts) continue;
      application = await workspace.start(folder);
      const check = CHECKS[started++] ?? assert.fail(`nothing is checked after "${title}"`);
      await t.test(`${title}: ${check.name}`, () => check(application, state));
      if (!existsSync(versionBefore)) continue;
      await application.stop();
      await cp(join(folder, "data"), join(versionBefore, "data"), { recursive: true });
      const again = await workspace.start(versionBefore);
      await t.test(`${title}, and back`, () => WAYS_BACK[started - 2](again, state));
      await again.stop();
    }
  }
  assert.equal(started, CHECKS.length);
  await application.stop();
  assert.deepEqual(await source(folder), await source(join(ROOT, EXAMPLES, "after")));
});

test("the script beside the example gives each step's diffs as they stand in the guide", async () => {
  for (const { title, actions } of await sections()) {
    const diffs = actions.map(({ diff }) => diff ?? "").join("");
    const printed = await run(join(ROOT, EXAMPLES, "step"), [/^\d/.exec(title)?.[0] ?? "0"]);
    assert.equal(printed, diffs.trimEnd(), title);
  }
});
