// Starts Counterfoil and the API, and ends both when one ends. The first start makes the API's credential.

import { execFile, spawn } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";

const CREDENTIAL = "data/guard-credential";

process.env.COUNTERFOIL_CONFIG ??= "counterfoil.toml";
process.env.COUNTERFOIL_DATA ??= "data/counterfoil";

/** COUNTERFOIL_BIN, or what is on the PATH, or what was built in this repository. */
function findCounterfoil() {
  const { COUNTERFOIL_BIN, PATH = "" } = process.env;
  const places = [
    ...PATH.split(delimiter).map((folder) => join(folder, "counterfoil")),
    "../../../target/release/counterfoil", "../../../target/debug/counterfoil",
  ];
  const found = COUNTERFOIL_BIN ?? places.find((place) => existsSync(place));
  if (found) return found;
  throw new Error("there is no counterfoil on the PATH: install it, or set COUNTERFOIL_BIN to where it is");
}

const running = [];

function start(program, args, options) {
  const child = spawn(program, args, options);
  child.on("error", (error) => end(`${program} does not start: ${error.message}`));
  child.on("exit", (code, signal) => end(`${program} has ended: ${signal ?? code}`));
  running.push(child);
  return child;
}

let ending = false;
function end(why) {
  if (ending) return;
  ending = true;
  if (why) {
    console.error(why);
    process.exitCode = 1;
  }
  for (const child of running) child.kill("SIGTERM");
}
process.once("SIGINT", () => end());
process.once("SIGTERM", () => end());

/** Where Counterfoil listens: it says so. */
function addressOf(authority) {
  const lines = createInterface({ input: authority.stdout });
  return new Promise((resolve) => {
    lines.on("line", (line) => {
      console.log(line);
      const [, address] = /listening on .*\((127\.0\.0\.1:\d+)\)/.exec(line) ?? [];
      if (address) resolve(`http://${address}`);
    });
  });
}

/** What the API follows revocations with. Keep it like a password. */
async function guardCredential(counterfoil) {
  if (!existsSync(CREDENTIAL)) {
    const { stdout } = await promisify(execFile)(counterfoil, ["guard", "add", "notes-api"]);
    writeFileSync(CREDENTIAL, stdout.trim(), { mode: 0o600 });
  }
  return readFileSync(CREDENTIAL, "utf8");
}

try {
  const counterfoil = findCounterfoil();
  const AUTHORITY = await addressOf(start(counterfoil, ["serve"], { stdio: ["ignore", "pipe", "inherit"] }));
  const GUARD_CREDENTIAL = await guardCredential(counterfoil);
  start(process.execPath, ["server/main.js"], { stdio: "inherit", env: { ...process.env, AUTHORITY, GUARD_CREDENTIAL } });
} catch (error) {
  end(error.message);
}
