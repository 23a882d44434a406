// The secrets that a test has come to know, and the search for them in what must not hold them: logs, and files of data folders.
// The same idea as crates/counterfoil/tests/it/support/secrets.rs, for suites that run the server from Node.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

/** Members and fields that hold a secret. */
const FIELDS = new Set([
  "access_token", "client_assertion", "client_secret", "credential", "current_password", "d", "invite", "link", "login_token", "new_password",
  "password", "refresh_token", "secret", "subject_token", "token",
]);
/** Files that hold a secret by purpose, and SQLite's index, which holds numbers of pages. */
const PASSED_OVER = new Set(["master.key", "master.key.next", "first-admin", "counterfoil.db-shm"]);
/** Less turns up by chance. */
const SHORTEST = 12;
/** Enough of a secret to know it by: what has been cut off is found as well. */
const TELLING = 16;

export class Secrets {
  /** From what is looked for to what it is a form of. Bytes are told apart by their text in Latin 1. */
  #patterns = new Map();
  #handles = new Map();

  get size() {
    return this.#patterns.size;
  }

  /** Takes in a value that is a secret. Of tokens what makes them good is looked for, and not what they say. */
  add(kind, value) {
    const [, prefix, opaque] = /^(cf[rsgcil]_)([\w-]+)$/.exec(value) ?? [];
    const bytes = opaque && Buffer.from(opaque, "base64url");
    if ((prefix === "cfr_" && bytes.length === 62) || (prefix === "cfs_" && bytes.length === 50)) {
      // The store holds the handle by design; no log does.
      this.#forms(this.#handles, `handle in ${kind}`, bytes.subarray(2, 18));
      this.#forms(this.#patterns, `MAC of ${kind}`, bytes.subarray(-32));
    } else if (bytes) {
      this.#forms(this.#patterns, kind, bytes);
    } else if (/^eyJ[\w-]*\.[\w-]*\.[\w-]+$/.test(value)) {
      this.#forms(this.#patterns, `signature of ${kind}`, Buffer.from(value.split(".")[2], "base64url"));
    } else if (value.startsWith("v4.public.")) {
      this.#forms(this.#patterns, `signature of ${kind}`, Buffer.from(value.split(".")[2], "base64url").subarray(-64));
    } else {
      this.#forms(this.#patterns, kind, Buffer.from(value));
    }
  }

  #forms(patterns, kind, bytes) {
    if (bytes.length < SHORTEST || new Set(bytes.subarray(0, TELLING)).size < 6) return;
    const numbers = [...bytes].join(", ");
    const percent = [...bytes].map((byte) => (/[\w.~-]/.test(String.fromCharCode(byte)) && byte < 128
      ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`)).join("");
    const forms = {
      "as it is": bytes.toString("latin1"), "in hex": bytes.toString("hex"), "in capital hex": bytes.toString("hex").toUpperCase(),
      "in base64": bytes.toString("base64").replace(/=+$/, ""), "in base64url": bytes.toString("base64url"),
      "percent-encoded": percent, "in a form": percent.replaceAll("%20", "+"), "byte by byte": numbers,
      "in JSON": Buffer.from(JSON.stringify(bytes.toString()).slice(1, -1)).toString("latin1"),
    };
    for (const [form, text] of Object.entries(forms)) {
      const head = text.slice(0, form === "byte by byte" ? 2 * TELLING : TELLING);
      if (!patterns.has(head)) patterns.set(head, { what: `${kind} ${form}`, length: text.length });
    }
  }

  /** Takes in the secrets of a body: JSON, a form, or nothing of ours. */
  body(text) {
    let value;
    try {
      value = JSON.parse(text);
    } catch {
      value = Object.fromEntries(new URLSearchParams(text ?? ""));
    }
    this.#members(value);
  }

  #members(value) {
    for (const [name, member] of Object.entries(value ?? {})) {
      if (typeof member === "object") this.#members(member);
      else if (typeof member === "string" && FIELDS.has(name)) {
        this.add(name, name === "link" ? new URL(member).searchParams.get("invite") ?? "" : member);
      }
    }
  }

  /** Takes in the secrets of headers, given as pairs. */
  headers(pairs) {
    for (const [name, value] of pairs) {
      if (/^(set-)?cookie$/i.test(name)) {
        for (const [, cookie, text] of value.matchAll(/(__(?:Host|Secure)-cf_\w+)=([^;,\s]+)/g)) this.add(`cookie ${cookie}`, text);
      } else if (/^dpop$/i.test(name)) this.add("DPoP proof", value);
      else if (/^authorization$/i.test(name)) {
        const [scheme, credential = ""] = value.split(" ");
        const basic = /^basic$/i.test(scheme) && Buffer.from(credential, "base64").toString();
        this.add("Authorization", basic ? decodeURIComponent(basic.slice(basic.indexOf(":") + 1)) : credential);
      }
    }
  }

  /** What stands there and must not, with the text around it, in which secrets are blanked; `undefined` if nothing does. */
  #find(patterns, bytes) {
    const text = Buffer.from(bytes).toString("latin1");
    for (const [head, { what }] of patterns) {
      const at = text.indexOf(head);
      if (at < 0) continue;
      const around = text.slice(Math.max(0, at - 100), at + 200);
      return `${what}, at byte ${at}: …${this.#blanked(around)}…`;
    }
    return undefined;
  }

  #blanked(text) {
    for (const [head, { length }] of [...this.#patterns, ...this.#handles]) {
      for (let at = text.indexOf(head); at >= 0; at = text.indexOf(head)) {
        text = `${text.slice(0, at)}‹secret›${text.slice(at + length)}`;
      }
    }
    return text;
  }

  /** Fails if what was logged, or printed beside an answer, holds a secret. */
  assertNotIn(place, said) {
    const found = this.#find([...this.#patterns, ...this.#handles], said);
    assert.equal(found, undefined, `a secret is written in ${place}: ${found}`);
  }

  /** The same for the files of a data folder. */
  assertNotStoredIn(folder) {
    for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile() || PASSED_OVER.has(entry.name)) continue;
      const path = join(entry.parentPath, entry.name);
      const found = this.#find(this.#patterns, readFileSync(path));
      assert.equal(found, undefined, `a secret is written in ${path}: ${found}`);
    }
  }

  /** Takes in what a data folder keeps secret. */
  kept(folder) {
    for (const name of readdirSync(folder).filter((name) => name.startsWith("master.key"))) {
      const text = readFileSync(join(folder, name), "utf8").trim();
      this.#forms(this.#patterns, name, Buffer.from(text, "base64url"));
    }
  }

  /** `fetch` as the rest of this process knows it from now on: what it sends and is sent is taken in. */
  watchFetch() {
    const inner = globalThis.fetch;
    globalThis.fetch = async (target, options = {}) => {
      const request = new Request(target, options);
      this.headers(request.headers);
      this.body(await request.clone().text());
      const answer = await inner(request);
      this.headers(answer.headers);
      this.body(await answer.clone().text());
      return answer;
    };
    return () => { globalThis.fetch = inner; };
  }
}
