// Takes the old hashes of passwords out of data/users.json: Counterfoil has them. There is no way back to the old sign-in afterwards.

import { readFileSync, writeFileSync } from "node:fs";

const users = JSON.parse(readFileSync("data/users.json", "utf8"));
for (const user of users) delete user.passwordHash;
writeFileSync("data/users.json", JSON.stringify(users, null, 2));
