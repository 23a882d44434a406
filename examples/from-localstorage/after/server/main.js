// The notes API, and the page that vite has built. `npm start`, then http://localhost:3000.

import express from "express";
import { authenticate, guard, requireRole } from "./auth.js";
import { passOn } from "./authority.js";
import { moderation, notes } from "./notes.js";

const PORT = Number(process.env.PORT ?? 3000);

const app = express();
app.use(passOn(process.env.AUTHORITY));
app.use(express.json());
app.use("/api/notes", authenticate, notes);
app.use("/api/moderation", authenticate, requireRole("admin"), moderation);
app.use(express.static("dist"));
app.get("/{*path}", (req, res) => res.sendFile("dist/index.html", { root: "." }));

await guard.ready();
app.listen(PORT, "127.0.0.1", () => console.log(`notes: http://localhost:${PORT}`));
