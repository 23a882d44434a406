// Who is asking: Counterfoil's cookie, which no script can read, and which can be taken back.

import { createGuard } from "@counterfoil/guard";
import { authenticate as guarded } from "@counterfoil/guard/express";
import { accountOf } from "./users.js";

const { AUTHORITY, GUARD_CREDENTIAL } = process.env;
const ISSUER = process.env.COUNTERFOIL__PUBLIC_URL ?? "http://localhost:3000";

export const guard = createGuard({
  issuer: ISSUER,
  audience: "web",
  feed: { url: AUTHORITY, credential: GUARD_CREDENTIAL },
});

export const authenticate = [guarded(guard), setUser];

async function setUser(req, res, next) {
  const { roles = [] } = req.auth.claims;
  const { id } = await accountOf(req);
  req.user = { userId: id, role: roles.includes("notes-admin") ? "admin" : "user" };
  next();
}

export function requireRole(role) {
  return (req, res, next) => {
    if (req.user.role !== role) return res.status(403).json({ error: `This is for the role ${role}.` });
    next();
  };
}
