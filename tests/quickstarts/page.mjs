// A quickstart page as a reader works through it: its files are written, its commands run, in their order, in an empty folder.
//
// In a page, ```js file=server.mjs is a file, ```sh is run to its end, and ```sh keeps-running is another terminal. What is changed is
// what a machine that tests cannot have: packages come from this tree instead of the registry, and ports are free ones.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { stripVTControlCharacters } from "node:util";
import { freePort } from "../support/processes.mjs";
import { packed } from "./packages.mjs";

export const root = fileURLToPath(new URL("../..", import.meta.url));
const COUNTERFOIL = process.env.COUNTERFOIL_BIN ?? join(root, "target/debug/counterfoil");
/** What a program says when it can be asked; some say it in colours even to a pipe, where a variable is set that CI systems set. */
const READY = /listening on|Ready in|Ready on|Local: +http|Uvicorn running on/;
/** A token, an opaque token or a credential, whole. */
const SECRET = /\beyJ[\w-]+\.[\w-]+\.[\w-]{20,}|\bcf[rsg]_[\w-]{20,}/;
const PATIENCE_MS = 300_000;
const STOP_MS = 5_000;

/** The blocks of a page: what kind each is, and what it says. Blocks within lists are none: they are asked for by what they begin with. */
export async function blocksOf(name) {
  const text = await readFile(join(root, "docs/guides/frameworks", `${name}.md`), "utf8");
  return [...text.matchAll(/^```(\w+)([^\n]*)\n([\s\S]*?)^```$/gm)].map(([, language, info, body]) => ({
    language, body, file: /\bfile=(\S+)/.exec(info)?.[1], stays: /\bkeeps-running\b/.test(info),
  }));
}

/** The block within a list that begins so. */
export async function listedBlock(name, start) {
  const text = await readFile(join(root, "docs/guides/frameworks", `${name}.md`), "utf8");
  const blocks = [...text.matchAll(/^  ```\w+\n([\s\S]*?)^  ```$/gm)].map(([, body]) => body.replaceAll(/^  /gm, ""));
  return blocks.find((block) => block.startsWith(start)) ?? assert.fail(`${name}.md has no block in a list that begins with ${start}`);
}

/** A folder in which a page is worked through. Removed with the test `t`, after the programs in it have ended. */
export async function workplace(t, settings = {}) {
  const folder = await mkdtemp(join(tmpdir(), "counterfoil-quickstart-"));
  t.after(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  await mkdir(join(folder, "bin"));
  await mkdir(join(folder, "work"));
  await symlink(COUNTERFOIL, join(folder, "bin/counterfoil"));
  return new Workplace(t, folder, { authority: await freePort(), app: await freePort(), api: await freePort() }, settings);
}

class Workplace {
  /** What ends each of the programs that stay, in the order of their start. */
  running = [];
  #t;
  #env;
  #work;

  constructor(t, folder, ports, settings) {
    this.#t = t;
    this.#work = join(folder, "work");
    this.ports = ports;
    this.#env = {
      ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(COUNTERFOIL|NODE_TEST|npm_)/.test(name))),
      PATH: `${join(folder, "bin")}:${process.env.PATH}`, PORT: String(ports.app),
      COUNTERFOIL__LISTEN: `127.0.0.1:${ports.authority}`,
      // Acknowledgements count so long after the start.
      COUNTERFOIL__REVOCATION__MAX_STALENESS: "1s",
      XDG_CONFIG_HOME: join(folder, "config"), NEXT_TELEMETRY_DISABLED: "1", WRANGLER_SEND_METRICS: "false", npm_config_audit: "false", npm_config_prefer_offline: "true", npm_config_fund: "false",
      npm_config_loglevel: "error", npm_config_update_notifier: "false", npm_config_yes: "true", PIP_DISABLE_PIP_VERSION_CHECK: "1", ...settings,
    };
  }

  get app() {
    return `http://localhost:${this.ports.app}`;
  }

  /** Works through a page. Gives what each command block has said, in their order; `beforeLast` is done before the last block. */
  async walk(name, { beforeLast = async () => {} } = {}) {
    const said = [];
    const blocks = await blocksOf(name);
    for (const [at, { language, body, file, stays }] of blocks.entries()) {
      if (at === blocks.length - 1) await beforeLast();
      const text = this.#placed(body);
      if (file) await this.write(file, text);
      else if (language === "sh" && stays) await this.keepRunning(text);
      else if (language === "sh") said.push(await this.sh(await packed(text)));
    }
    return said;
  }

  /** With the ports of this place. */
  #placed(text) {
    return text.replaceAll(/\b8080\b/g, this.ports.authority).replaceAll(/\b3000\b/g, this.ports.app).replaceAll(/\b3001\b/g, this.ports.api);
  }

  /** Without text the file goes. */
  async write(file, text) {
    const path = join(this.#work, file);
    await mkdir(dirname(path), { recursive: true });
    if (text === undefined) await rm(path);
    else await writeFile(path, text);
  }

  /** Runs commands as a terminal does, but stops at the first that fails. */
  async sh(script) {
    const child = this.#bash(script);
    const output = listen(child);
    const late = setTimeout(() => tell(child, "SIGKILL"), PATIENCE_MS);
    const [code, signal] = await once(child, "close");
    clearTimeout(late);
    assert.deepEqual([code, signal], [0, null], `${script}\n${output.all}`);
    return output.out;
  }

  /** Runs commands as a terminal that stays open does, until they are ready. They end with the test, or by what is put into `running`. */
  async keepRunning(script) {
    const child = this.#bash(script);
    const output = listen(child);
    const gone = once(child, "close");
    const stop = async () => {
      tell(child, "SIGTERM");
      // Not all that a command has started listens to that.
      const late = setTimeout(() => tell(child, "SIGKILL"), STOP_MS);
      await gone;
      clearTimeout(late);
      assert.doesNotMatch(output.all, SECRET, `a secret is printed by: ${script}`);
    };
    this.#t.after(stop);
    this.running.push(stop);
    const deadline = Date.now() + PATIENCE_MS;
    while (!READY.test(stripVTControlCharacters(output.all))) {
      assert.equal(child.exitCode, null, `${script}\n${output.all}`);
      assert.ok(Date.now() < deadline, `${script} does not get ready\n${output.all}`);
      await pause(50);
    }
  }

  #bash(script) {
    // A group of its own, to end it with whatever it has started.
    const child = spawn("bash", ["-euo", "pipefail", "-c", script], { cwd: this.#work, env: this.#env, detached: true, stdio: ["ignore", "pipe", "pipe"] });
    const kill = () => tell(child, "SIGKILL");
    process.once("exit", kill);
    child.once("close", () => process.off("exit", kill));
    return child;
  }
}

function listen(child) {
  const output = { out: "", all: "" };
  child.stdout.setEncoding("utf8").on("data", (text) => { output.out += text; output.all += text; });
  child.stderr.setEncoding("utf8").on("data", (text) => { output.all += text; });
  return output;
}

/** Tells a command and all that it has started. */
function tell(child, signal) {
  try {
    process.kill(-child.pid, signal);
  } catch (error) {
    // Nobody of its group is left.
    if (error.code !== "ESRCH") throw error;
  }
}
