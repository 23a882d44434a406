// The accounts of this application. Counterfoil signs people in, and knows each by a name of its own (`sub`).

import { randomUUID } from "node:crypto";
import { openTable } from "./store.js";

export const users = openTable("data/users.json");

/** The account of whoever is signed in at Counterfoil; whoever is new there gets one here. */
export async function accountOf(req) {
  const { sub } = req.auth.claims;
  const find = () => users.rows.find((each) => each.sub === sub);
  if (find()) return find();
  const { email, name } = await profileOf(req);
  if (!find()) {
    users.rows.push({ id: randomUUID(), sub, email, name, createdAt: new Date().toISOString() });
    users.save();
  }
  return find();
}

/** A token says no name and no address. Counterfoil does, to whoever brings it. */
async function profileOf(req) {
  const answer = await fetch(`${process.env.AUTHORITY}/api/auth/me`, { headers: { cookie: req.headers.cookie } });
  if (!answer.ok) throw new Error(`/api/auth/me answers ${answer.status}`);
  const { user } = await answer.json();
  return user;
}
