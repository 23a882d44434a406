import { useEffect, useState } from "react";
import { api } from "./api.js";
import { NoteText } from "./NoteText.jsx";

export function Notes() {
  const [notes, setNotes] = useState([]);
  const [editing, setEditing] = useState(null);
  const [problem, setProblem] = useState("");

  const load = () => api("GET", "/notes").then(setNotes);
  useEffect(() => { attempt(load); }, []);

  async function attempt(action) {
    setProblem("");
    try {
      await action();
    } catch (error) {
      setProblem(error.message);
    }
  }

  function submit(event) {
    event.preventDefault();
    const form = event.target;
    const text = new FormData(form).get("text");
    attempt(async () => {
      await (editing ? api("PUT", `/notes/${editing.id}`, { text }) : api("POST", "/notes", { text }));
      setEditing(null);
      form.reset();
      await load();
    });
  }

  const remove = (note) => attempt(async () => {
    await api("DELETE", `/notes/${note.id}`);
    await load();
  });

  return (
    <>
      <form onSubmit={submit} key={editing?.id}>
        <textarea name="text" aria-label="Note" placeholder="Write a note. **Bold** and _italic_ work." defaultValue={editing?.text} required />
        <button type="submit">{editing ? "Save" : "Add"}</button>
      </form>
      {problem && <p role="alert">{problem}</p>}
      <ul>
        {notes.map((note) => (
          <li key={note.id}>
            <NoteText text={note.text} />
            <button onClick={() => setEditing(note)}>Edit</button>
            <button onClick={() => remove(note)}>Delete</button>
          </li>
        ))}
      </ul>
    </>
  );
}
