// Programs and folders that end with this process, however it ends. Each program is ended by its own process id, never by its
// name, so that whatever else runs on the machine is left alone.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** What is still to be undone, the newest first: functions that do it without waiting. */
const undone = [];

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.once(signal, () => process.exit(130));
process.on("exit", () => {
  for (const undo of undone.splice(0).reverse()) {
    try {
      undo();
    } catch (error) {
      process.stderr.write(`while ending: ${error.message}\n`);
    }
  }
});

/** Has `undo` called when this process ends, unless what is returned has been called before. */
export function atTheEnd(undo) {
  undone.push(undo);
  return () => {
    const place = undone.lastIndexOf(undo);
    if (place >= 0) undone.splice(place, 1);
  };
}

/** A temporary folder that other users may pass through: PostgreSQL does not run as root. */
export function temporaryFolder(name) {
  const folder = mkdtempSync(join(tmpdir(), `counterfoil-${name}-`));
  chmodSync(folder, 0o711);
  atTheEnd(() => rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 }));
  return folder;
}

/**
 * Starts a program. `said` is what it has written so far (the end of it), `ended` a promise of how it ended. `last` is the signal
 * that makes it end at once and take its own children along.
 */
export function own(program, args, { last = "SIGKILL", stdio = ["ignore", "pipe", "pipe"], ...options } = {}) {
  const child = spawn(program, args, { stdio, ...options });
  const owned = { child, pid: child.pid, said: "", over: false };
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (text) => { owned.said = (owned.said + text).slice(-200_000); });
  }
  const forget = atTheEnd(() => { if (!owned.over) child.kill(last); });
  owned.ended = new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code, signal) => {
      owned.over = true;
      forget();
      resolve({ code, signal });
    });
  });
  owned.ended.catch(() => {});
  return owned;
}

/** Sends a signal and waits for the end; after `patience` milliseconds it is killed. Returns how it ended. */
export async function end(owned, signal, patience = 20_000) {
  if (owned.over) return owned.ended;
  const timer = setTimeout(() => owned.child.kill("SIGKILL"), patience);
  owned.child.kill(signal);
  const how = await owned.ended;
  clearTimeout(timer);
  return how;
}

/** Runs a program to its end; `code` is null when it was ended by a signal, its time-out's for instance. */
export async function output(program, args, { input = "", ...options } = {}) {
  const child = spawn(program, args, { timeout: 30_000, killSignal: "SIGKILL", ...options });
  let [out, err] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text) => { out += text; });
  child.stderr.setEncoding("utf8").on("data", (text) => { err += text; });
  // A program that ends without reading its input is no fault.
  child.stdin.on("error", () => {}).end(input);
  const [code] = await once(child, "close");
  return { code, out: out.trimEnd(), err: err.trimEnd() };
}

/** The processes whose parent is `pid`, from /proc. */
export function childrenOf(pid) {
  return readdirSync("/proc").filter((name) => /^\d+$/.test(name)).map(Number).filter((one) => parentOf(one) === pid);
}

/** Undefined when there is no such process, or when only its entry is left of it. */
function parentOf(pid) {
  try {
    const [state, parent] = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1).split(" ");
    return state === "Z" ? undefined : Number(parent);
  } catch {
    return undefined;
  }
}

export const runs = (pid) => parentOf(pid) !== undefined;
