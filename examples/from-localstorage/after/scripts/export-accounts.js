// Prints the accounts as `counterfoil import` takes them, with the hashes of their passwords.

import { readFileSync } from "node:fs";

for (const user of JSON.parse(readFileSync("data/users.json", "utf8"))) {
  if (user.sub) continue;
  const { id, email, name, role, createdAt, passwordHash } = user;
  console.log(JSON.stringify({
    external_id: id, email, name, created_at: createdAt, password_hash: passwordHash,
    // Not "admin": that would make an administrator of Counterfoil.
    roles: role === "admin" ? ["notes-admin"] : [],
  }));
}
