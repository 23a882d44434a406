// Rows in a JSON file. Enough for an example; yours are in a database.

import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

export function openTable(file) {
  const rows = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : [];
  return {
    rows,
    save() {
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(`${file}.new`, JSON.stringify(rows, null, 2), { mode: 0o600 });
      renameSync(`${file}.new`, file);
    },
  };
}
