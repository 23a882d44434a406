// Notes by what name Counterfoil knows each account (`sub`), so that everybody finds their notes again:
//
//   counterfoil user list --json --data data/counterfoil | node scripts/link-accounts.js

import { readFileSync, writeFileSync } from "node:fs";

const theirs = JSON.parse(readFileSync(0, "utf8"));
const subOf = new Map(theirs.map(({ id, email }) => [email.toLowerCase(), id]));
const ours = JSON.parse(readFileSync("data/users.json", "utf8"));
for (const user of ours) user.sub ??= subOf.get(user.email.toLowerCase());
writeFileSync("data/users.json", JSON.stringify(ours, null, 2));

const missing = ours.filter((user) => !user.sub).map((user) => user.email);
console.log(`${ours.length - missing.length} of ${ours.length} accounts are linked`);
if (missing.length > 0) {
  console.error(`not at Counterfoil: ${missing.join(", ")}`);
  process.exitCode = 1;
}
