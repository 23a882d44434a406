// Makes .env with a secret of its own, if there is none yet.

import { randomBytes } from "node:crypto";
import { existsSync, writeFileSync } from "node:fs";

if (!existsSync(".env")) {
  writeFileSync(".env", `JWT_SECRET=${randomBytes(48).toString("base64url")}\n`, { mode: 0o600 });
}
