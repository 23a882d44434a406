import { useState } from "react";
import { useAuth } from "./auth.jsx";
import { Moderation } from "./Moderation.jsx";
import { Notes } from "./Notes.jsx";
import { SignIn } from "./SignIn.jsx";

export function App() {
  const { user, loading, problem, signOut, signOutEverywhere } = useAuth();
  const [moderating, setModerating] = useState(false);

  if (loading) return <p role="status">{problem || "One moment …"}</p>;
  if (!user) return <SignIn />;
  return (
    <>
      <header>
        <strong>Notes</strong>
        {user.roles.includes("notes-admin") && (
          <button onClick={() => setModerating(!moderating)}>{moderating ? "My notes" : "Everybody's notes"}</button>
        )}
        <span className="who">{user.name || user.email}</span>
        <a href="/account">Devices and password</a>
        <button onClick={signOut}>Sign out</button>
        <button onClick={signOutEverywhere}>Sign out everywhere</button>
      </header>
      <main>{moderating ? <Moderation /> : <Notes />}</main>
    </>
  );
}
