import { useState } from "react";
import { useAuth } from "./auth.jsx";

export function SignIn() {
  const { signIn, register } = useAuth();
  const [isNew, setIsNew] = useState(false);
  const [problem, setProblem] = useState("");

  async function submit(event) {
    event.preventDefault();
    const { email, name, password } = Object.fromEntries(new FormData(event.target));
    setProblem("");
    try {
      await (isNew ? register({ email, name, password }) : signIn({ email, password }));
    } catch (error) {
      setProblem(error.message);
    }
  }

  return (
    <form className="sign-in" onSubmit={submit}>
      <h1>{isNew ? "Make an account" : "Sign in"}</h1>
      {isNew && <label>Name <input name="name" autoComplete="name" /></label>}
      <label>Email <input name="email" type="email" autoComplete="username" required /></label>
      <label>Password <input name="password" type="password" autoComplete={isNew ? "new-password" : "current-password"} required /></label>
      {problem && <p role="alert">{problem}</p>}
      <button type="submit">{isNew ? "Make an account" : "Sign in"}</button>
      <button type="button" className="link" onClick={() => setIsNew(!isNew)}>{isNew ? "I have an account" : "I am new here"}</button>
    </form>
  );
}
