// The accounts.

import { openTable } from "./store.js";

export const users = openTable("data/users.json");
