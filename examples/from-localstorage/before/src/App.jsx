import { useState } from "react";
import { useAuth } from "./auth.jsx";
import { Moderation } from "./Moderation.jsx";
import { Notes } from "./Notes.jsx";
import { SignIn } from "./SignIn.jsx";

export function App() {
  const { user, loading, signOut } = useAuth();
  const [moderating, setModerating] = useState(false);

  if (loading) return <p role="status">One moment …</p>;
  if (!user) return <SignIn />;
  return (
    <>
      <header>
        <strong>Notes</strong>
        {user.role === "admin" && (
          <button onClick={() => setModerating(!moderating)}>{moderating ? "My notes" : "Everybody's notes"}</button>
        )}
        <span className="who">{user.name || user.email}</span>
        <button onClick={signOut}>Sign out</button>
      </header>
      <main>{moderating ? <Moderation /> : <Notes />}</main>
    </>
  );
}
