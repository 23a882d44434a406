// What docs/guides/from-localstorage.md tells the reader to do: its diffs and commands, in order.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { ROOT } from "./application.mjs";

/** The sections that are to be followed; what comes after them is about other applications. */
const FOLLOWED = /^## (The application as it is|\d\. )/;

/** `{ title, actions: [{ diff } | { commands } | { starts: true }] }` for each section with anything to do. */
export async function sections() {
  const text = await readFile(join(ROOT, "docs/guides/from-localstorage.md"), "utf8");
  return text.split(/^(?=## )/m).filter((section) => FOLLOWED.test(section)).map((section) => ({
    title: section.slice(3, section.indexOf("\n")),
    actions: [...section.matchAll(/^```(diff|sh)\n([^]*?)^```$/gm)].flatMap(([, kind, block]) => actionsOf(kind, block)),
  })).filter(({ actions }) => actions.length > 0);
}

function actionsOf(kind, block) {
  if (kind === "diff") return [{ diff: block }];
  const lines = block.trimEnd().split("\n");
  const starts = lines.at(-1) === "npm start";
  const commands = (starts ? lines.slice(0, -1) : lines).join("\n");
  return [...(commands ? [{ commands }] : []), ...(starts ? [{ starts }] : [])];
}
