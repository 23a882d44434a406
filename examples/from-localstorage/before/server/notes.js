// Notes: everybody has their own, and whoever moderates sees all.

import { randomUUID } from "node:crypto";
import express from "express";
import { openTable } from "./store.js";
import { users } from "./users.js";

const table = openTable("data/notes.json");

export const notes = express.Router();

/** The note that the address names, if it is the user's own. */
const own = (req) => table.rows.find((note) => note.id === req.params.id && note.userId === req.user.userId);

function textOf(req, res) {
  const text = String(req.body?.text ?? "").trim();
  if (text) return text;
  res.status(422).json({ error: "A note has some text." });
}

notes.get("/", (req, res) => {
  res.json(table.rows.filter((note) => note.userId === req.user.userId));
});

notes.post("/", (req, res) => {
  const text = textOf(req, res);
  if (!text) return;
  const note = { id: randomUUID(), userId: req.user.userId, text, at: new Date().toISOString() };
  table.rows.push(note);
  table.save();
  res.status(201).json(note);
});

notes.put("/:id", (req, res) => {
  const note = own(req);
  if (!note) return res.status(404).json({ error: "There is no such note." });
  const text = textOf(req, res);
  if (!text) return;
  note.text = text;
  table.save();
  res.json(note);
});

notes.delete("/:id", (req, res) => {
  const note = own(req);
  if (!note) return res.status(404).json({ error: "There is no such note." });
  remove(note);
  res.sendStatus(204);
});

export const moderation = express.Router();

moderation.get("/", (req, res) => {
  const nameOf = new Map(users.rows.map((user) => [user.id, user.name || user.email]));
  res.json(table.rows.map((note) => ({ ...note, author: nameOf.get(note.userId) ?? "somebody who has left" })));
});

moderation.delete("/:id", (req, res) => {
  const note = table.rows.find((each) => each.id === req.params.id);
  if (!note) return res.status(404).json({ error: "There is no such note." });
  remove(note);
  res.sendStatus(204);
});

function remove(note) {
  table.rows.splice(table.rows.indexOf(note), 1);
  table.save();
}
