// The examples, all of them, with the authority: an axum API, an Express API and a static site behind nginx. Somebody signs
// in and reaches all three; an administrator bans them; when the receipt is there, all three refuse.
//
// With PICTURE=FILE.svg what was seen is drawn into that file, for the README.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { request } from "node:http";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { freePort, run as program } from "../support/processes.mjs";
import { draw } from "../support/terminal.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
const COUNTERFOIL = join(root, "target/debug/counterfoil");
const AXUM = join(root, "target/debug/example-axum-api");
const EMAIL = "ada@example.com";
const PASSWORD = "correct horse battery staple";

/** Starts a program and waits until it has said `line`, if one is given. Ended with the test. */
async function start(t, program, args, env, line) {
  const child = spawn(program, args, { env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => { said += text; });
  t.after(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGTERM");
    await once(child, "exit");
  });
  const deadline = Date.now() + 30_000;
  while (line && !line.test(said)) {
    assert.equal(child.exitCode, null, `${program}: ${said}`);
    assert.ok(Date.now() < deadline, `${program} does not say ${line}: ${said}`);
    await pause(20);
  }
  return line?.exec(said);
}

const run = (args, env, input) => program(COUNTERFOIL, args, { env, input });

async function nginx(t, folder, ports) {
  const example = await readFile(join(root, "examples/static-site/counterfoil-static.conf"), "utf8");
  const replacements = [["8000", ports.nginx], ["8080", ports.authority], ["/srv/site", join(root, "examples/static-site/site")]];
  const site = replacements.reduce((text, [written, real]) => text.replaceAll(written, real), example);
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((kind) => `${kind}_temp_path ${folder}/${kind};`).join(" ");
  await writeFile(join(folder, "nginx.conf"), `daemon off; master_process off; pid ${folder}/pid; user root; events {}
    http { access_log off; ${temporary}\n${site} }`);
  await start(t, "nginx", ["-p", folder, "-c", join(folder, "nginx.conf"), "-e", join(folder, "error.log")], {});
}

/** Goes to a page as a browser does: `fetch` sets this header itself. Gives the status and where it leads. */
async function navigate(url, cookie) {
  const asked = request(url, { headers: { Cookie: cookie, "Sec-Fetch-Mode": "navigate" } }).end();
  const [answer] = await once(asked, "response");
  answer.resume();
  return [answer.statusCode, answer.headers.location];
}

async function until(what, attempt) {
  const deadline = Date.now() + 30_000;
  for (;;) {
    const found = await attempt().catch(() => null);
    if (found) return found;
    assert.ok(Date.now() < deadline, what);
    await pause(20);
  }
}

test("S2: a ban is refused by all three examples when its receipt is there", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "counterfoil-examples-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const ports = { nginx: await freePort(), authority: await freePort() };
  const issuer = `http://localhost:${ports.nginx}`;
  const data = ["--data", join(folder, "data")];
  const settings = {
    COUNTERFOIL__PUBLIC_URL: issuer,
    COUNTERFOIL__TRUSTED_PROXIES: '["127.0.0.1/32"]',
    COUNTERFOIL__REVOCATION__MAX_STALENESS: "1s",
  };
  await start(t, COUNTERFOIL, ["serve", "--listen", `127.0.0.1:${ports.authority}`, ...data], settings, /listening on/);
  await nginx(t, folder, ports);
  await run(["user", "add", EMAIL, "--password-stdin", ...data], settings, PASSWORD);

  const authority = `http://127.0.0.1:${ports.authority}`;
  const guarded = async (name) => ({
    AUTHORITY: authority, ISSUER: issuer, GUARD_CREDENTIAL: await run(["guard", "add", name, ...data], settings),
  });
  const listening = /listening on (http:\S+)/;
  const [, axum] = await start(t, AXUM, [], { ...await guarded("axum-api"), LISTEN: "127.0.0.1:0" }, listening);
  const server = join(root, "examples/express-api/server.mjs");
  const [, express] = await start(t, process.execPath, [server], { ...await guarded("express-api"), PORT: "0" }, listening);

  const login = await until("nginx answers", () => fetch(`${issuer}/api/auth/login`, {
    method: "POST",
    headers: { "Content-Type": "application/json", Origin: issuer },
    body: JSON.stringify({ email: EMAIL, password: PASSWORD }),
  }));
  assert.equal(login.status, 200);
  const access = login.headers.getSetCookie().map((text) => text.split(";")[0]).find((pair) => /^__Host-cf_access=/.test(pair));
  const places = [["axum API", `${axum}/hello`], ["Express API", `${express}/api/hello`], ["static site", `${issuer}/`]];
  const seen = [];
  const visit = async (expected) => {
    for (const [name, url] of places) {
      const answer = await fetch(url, { headers: { Cookie: access }, redirect: "manual" });
      const text = await answer.text();
      const code = /"code":"(\w+)"/.exec(text)?.[1] ?? (answer.status === 303 ? "to the sign-in page" : "");
      seen.push(`${name.padEnd(12)} ${answer.status} ${code}`.trimEnd());
      assert.ok(expected.includes(answer.status), `${name}: ${answer.status} ${text}`);
      if (answer.status === 401) assert.equal(code, "session_revoked");
    }
  };
  seen.push("# Ada is signed in");
  await visit([200]);
  // A page asks for more than a password: a person is led to the prompt and back, a program is told.
  for (const url of [`${axum}/statement?of=2026`, `${express}/statement?of=2026`]) {
    const prompt = "/login?redirect=/statement%3Fof%3D2026&ended=reauthenticate&acr_values=aal2";
    assert.deepEqual(await navigate(url, access), [303, prompt]);
    const told = await fetch(url, { headers: { Cookie: access } });
    assert.equal(told.status, 401);
    assert.match(told.headers.get("www-authenticate"), /insufficient_user_authentication", acr_values="aal2"/);
  }
  // So long after the start that acknowledgements count.
  await pause(1_100);
  const receipt = await run(["user", "ban", EMAIL, "--receipt", ...data], settings);
  seen.push("", `$ counterfoil user ban ${EMAIL} --receipt`, ...receipt.split("\n"), "");
  assert.match(receipt, /3 of 3 verifiers confirmed it/);
  await visit([401, 303]);
  if (process.env.PICTURE) await writeFile(process.env.PICTURE, draw(seen, "A ban, its receipt, and all three examples refusing"));
});
