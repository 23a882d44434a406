// An API that lets in whoever is signed in at Counterfoil, and nobody whose access has ended.
//
//   (cd ../../packages/guard && npm ci && npm run build)
//   npm ci
//   GUARD_CREDENTIAL=$(counterfoil guard add express-api) AUTHORITY=http://localhost:8080 npm start

import { createGuard } from "@counterfoil/guard";
import { authenticate, require } from "@counterfoil/guard/express";
import express from "express";

const { AUTHORITY, GUARD_CREDENTIAL, ISSUER = AUTHORITY, PORT = "3001" } = process.env;
if (!AUTHORITY || !GUARD_CREDENTIAL) throw new Error("set AUTHORITY and GUARD_CREDENTIAL");

const guard = createGuard({
  issuer: ISSUER, // the authority's public URL
  audience: "web",
  feed: { url: AUTHORITY, credential: GUARD_CREDENTIAL },
});

const app = express();
app.use("/api", authenticate(guard));
app.get("/api/hello", (req, res) => res.json({ user: req.auth.claims.sub, session: req.auth.claims.sid }));
app.get("/api/admin", require({ role: "admin" }), (req, res) => res.json({ user: req.auth.claims.sub }));
// A page: whoever is refused is led to the sign-in page on this host, or to a stronger proof, and back.
const pages = { login: "/login" };
app.get("/statement", authenticate(guard, pages), require({ acr: "aal2" }, pages), (req, res) => {
  res.send(`<!doctype html><title>Statement</title><p>The statement of ${req.auth.claims.sub}`);
});

await guard.ready();
const server = app.listen(Number(PORT), "127.0.0.1", () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
});
