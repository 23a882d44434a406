// The server, for tests of what others' code makes of it.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { freePort } from "../support/processes.mjs";

export const COUNTERFOIL = fileURLToPath(new URL("../../target/debug/counterfoil", import.meta.url));

/** Starts it on a free port. Returns its issuer, what it has logged so far, and how to stop it. */
export async function serve(data, config) {
  const port = await freePort();
  const server = spawn(COUNTERFOIL, ["serve", "--listen", `127.0.0.1:${port}`, "--data", data, "--config", config], {
    env: { ...process.env, COUNTERFOIL_LOG: "debug", COUNTERFOIL_LOG_FORMAT: "json" }, stdio: ["ignore", "ignore", "pipe"],
  });
  let said = "";
  server.stderr.setEncoding("utf8").on("data", (text) => { said += text; });
  const issuer = `http://localhost:${port}`;
  const deadline = Date.now() + 30_000;
  while (!(await fetch(`${issuer}/readyz`).catch(() => undefined))?.ok) {
    assert.ok(Date.now() < deadline && server.exitCode === null, "the server does not start");
    await pause(50);
  }
  const stop = async () => {
    server.kill("SIGTERM");
    if (server.exitCode === null) await once(server, "close");
  };
  return { issuer, said: () => said, stop };
}

/** Asks as a script of the server's own pages does. */
export function ask(issuer, path, { cookie = "", ...body } = {}) {
  const headers = { "content-type": "application/json", origin: issuer, "x-requested-with": "test", cookie };
  return fetch(`${issuer}${path}`, { method: "POST", headers, body: JSON.stringify(body) });
}

/** A user signs in; returns the access token of their browser. */
export async function accessToken(issuer) {
  const account = { email: "ada@example.com", password: "correct horse battery staple" };
  await ask(issuer, "/api/auth/register", account);
  const answer = await ask(issuer, "/api/auth/login", account);
  assert.equal(answer.status, 200);
  return answer.headers.getSetCookie().join(";").match(/__Host-cf_access=([^;]+)/)[1];
}
