// Registration, sign-in, and who I am.

import { randomUUID } from "node:crypto";
import bcrypt from "bcryptjs";
import express from "express";
import { authenticate, makeToken } from "./auth.js";
import { users } from "./users.js";

const MIN_PASSWORD = 8;

export const accounts = express.Router();

const shown = ({ id, email, name, role }) => ({ id, email, name, role });

accounts.post("/register", async (req, res) => {
  const { email = "", name = "", password = "" } = req.body ?? {};
  const address = email.trim().toLowerCase();
  if (!address.includes("@")) return res.status(422).json({ error: "This is not an email address." });
  if (password.length < MIN_PASSWORD) {
    return res.status(422).json({ error: `A password has at least ${MIN_PASSWORD} characters.` });
  }
  const passwordHash = await bcrypt.hash(password, 10);
  if (users.rows.some((user) => user.email === address)) {
    return res.status(409).json({ error: "This address has an account." });
  }
  const user = {
    id: randomUUID(), email: address, name, passwordHash,
    // Whoever comes first looks after the place.
    role: users.rows.length === 0 ? "admin" : "user",
    createdAt: new Date().toISOString(),
  };
  users.rows.push(user);
  users.save();
  res.status(201).json({ token: makeToken(user), user: shown(user) });
});

accounts.post("/login", async (req, res) => {
  const { email = "", password = "" } = req.body ?? {};
  const user = users.rows.find((each) => each.email === email.trim().toLowerCase());
  if (!user || !(await bcrypt.compare(password, user.passwordHash))) {
    return res.status(401).json({ error: "Wrong address or password." });
  }
  res.json({ token: makeToken(user), user: shown(user) });
});

accounts.get("/me", authenticate, (req, res) => {
  const user = users.rows.find((each) => each.id === req.user.userId);
  if (!user) return res.status(401).json({ error: "Please sign in." });
  res.json(shown(user));
});
