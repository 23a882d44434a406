// What tests that start programs share.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";

export async function freePort() {
  const listener = createServer().listen(0, "127.0.0.1");
  await once(listener, "listening");
  const { port } = listener.address();
  listener.close();
  return port;
}

/** Runs a program to its end and returns what it printed; an end that is not good fails the test. */
export async function run(program, args, { env = {}, input = "" } = {}) {
  const child = spawn(program, args, { env: { ...process.env, ...env } });
  let [out, err] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text) => { out += text; });
  child.stderr.setEncoding("utf8").on("data", (text) => { err += text; });
  child.stdin.end(input);
  const [code] = await once(child, "close");
  assert.equal(code, 0, err || out);
  return out.trimEnd();
}
