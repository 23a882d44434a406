// Links of the documents lead to what is there: files, and headings in them. What is said of other projects names a source that stays as it
// was read: a file of a repository at its commit, an issue, or a page of their documentation.

import assert from "node:assert/strict";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../", import.meta.url));
const DOCUMENTS = [
  ...readdirSync(root).filter((name) => name.endsWith(".md")),
  ...readdirSync(join(root, "docs"), { recursive: true }).filter((name) => name.endsWith(".md")).map((name) => join("docs", name)),
];
/** At a commit, an issue's own address, or one that names no file. */
const STAYS = /^https:\/\/github\.com\/[\w.-]+\/[\w.-]+(\/(blob|tree)\/[0-9a-f]{40}\/.+|\/(issues|pull)\/\d+)?$/;

/** What is not code. */
const prose = (text) => text.replaceAll(/^ *(```+)[^\n]*\n[\s\S]*?^ *\1 *$/gm, "").replaceAll(/`[^`\n]*`/g, "code");
const read = (path) => readFileSync(join(root, path), "utf8");

/** The anchors of a page, as GitHub makes them of its headings. */
function anchors(text) {
  const seen = new Map();
  return text.replaceAll(/^ *(```+)[^\n]*\n[\s\S]*?^ *\1 *$/gm, "").split("\n").filter((line) => /^#{1,6} /.test(line)).map((line) => {
    const shown = line.replace(/^#+ /, "").replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1");
    const slug = shown.toLowerCase().replaceAll(/[^\p{L}\p{N}\p{M}\s_-]/gu, "").trim().replaceAll(/\s/g, "-");
    const times = seen.get(slug) ?? 0;
    seen.set(slug, times + 1);
    return times === 0 ? slug : `${slug}-${times}`;
  });
}

/** Where a page leads to: the targets of its links, and of the names that it gives them. */
function targets(text) {
  const inline = [...text.matchAll(/\]\(([^()\s]+(?:\([^()]*\)[^()\s]*)?)(?: "[^"]*")?\)/g)].map(([, target]) => target);
  const named = [...text.matchAll(/^\[[^\]]+\]: (\S+)$/gm)].map(([, target]) => target);
  return [...inline, ...named];
}

/** Why a link of a page leads nowhere; undefined if it leads somewhere, or out of this repository. */
function wrong(page, target) {
  if (/^[a-z]+:/.test(target)) return undefined;
  const [path, anchor] = target.split("#");
  const file = path === "" ? join(root, page) : resolve(root, dirname(page), path);
  if (!existsSync(file)) return `${page}: ${target}: there is no ${relative(root, file)}`;
  if (anchor && file.endsWith(".md") && !anchors(readFileSync(file, "utf8")).includes(anchor)) return `${page}: ${target}: no such heading`;
  return undefined;
}

test("every link of a document leads to a file or a heading that is there", () => {
  const found = DOCUMENTS.flatMap((page) => targets(prose(read(page))).map((target) => wrong(page, target)).filter(Boolean));
  assert.deepEqual(found, []);
});

test("every name of a link is given a target, and every target is used", () => {
  for (const page of DOCUMENTS) {
    const text = prose(read(page));
    const given = [...text.matchAll(/^\[([^\]]+)\]: \S+$/gm)].map(([, name]) => name);
    const used = [...text.matchAll(/\]\[([^\]]+)\]/g)].map(([, name]) => name);
    if (given.length + used.length === 0) continue;
    assert.deepEqual([...new Set(used)].sort(), [...given].sort(), page);
  }
});

test("what is said of other projects has a source that stays as it was read, and a date", () => {
  const text = read("docs/comparison.md");
  assert.match(text, /on \*\*20\d\d-\d\d-\d\d\*\*/);
  const moving = targets(text).filter((target) => target.startsWith("https://github.com/") && !STAYS.test(target.replace(/#.*/, "").replace(/\?plain=1$/, "")));
  assert.deepEqual(moving, []);
});

test("every row of the comparison that says something of another project names its source", () => {
  const project = /^\| (SuperTokens|Supabase|Better Auth|Ory|Keycloak|Zitadel|Rauthy|Logto|Authelia|Clerk|Auth0|WorkOS)/;
  const rows = read("docs/comparison.md").split("\n").filter((line) => project.test(line));
  const saysNothing = (row) => row.split("|").slice(2, -1).every((cell) => /^ (nothing found[^|]*|not looked at) $/.test(cell));
  assert.ok(rows.length > 30, `only ${rows.length} rows are of other projects`);
  assert.deepEqual(rows.filter((row) => !row.includes("][") && !saysNothing(row)), []);
});
