import { useEffect, useState } from "react";
import { api } from "./api.js";
import { NoteText } from "./NoteText.jsx";

/** Everybody's notes, for whoever looks after the place. */
export function Moderation() {
  const [notes, setNotes] = useState([]);
  const [problem, setProblem] = useState("");

  const load = () => api("GET", "/moderation").then(setNotes).catch((error) => setProblem(error.message));
  useEffect(() => { load(); }, []);

  async function remove(note) {
    await api("DELETE", `/moderation/${note.id}`).catch((error) => setProblem(error.message));
    await load();
  }

  return (
    <>
      {problem && <p role="alert">{problem}</p>}
      <ul>
        {notes.map((note) => (
          <li key={note.id}>
            <small>{note.author}</small>
            <NoteText text={note.text} />
            <button onClick={() => remove(note)}>Delete</button>
          </li>
        ))}
      </ul>
    </>
  );
}
