import { useState } from 'react';
import { useNavigate } from 'react-router-dom';

export function LoginForm() {
  const [credentials, setCredentials] = useState({ email: '', password: '' });
  const [failed, setFailed] = useState(false);
  const navigate = useNavigate();

  async function submit(event) {
    event.preventDefault();
    const answer = await fetch('/api/login', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(credentials),
    });
    if (!answer.ok) return setFailed(true);
    const { token } = await answer.json();
    localStorage.setItem('token', token); // expect: token-in-web-storage
    localStorage.setItem('lastVisit', String(Date.now()));
    navigate('/dashboard');
  }

  return (
    <form onSubmit={submit}>
      <input type="email" onChange={(e) => setCredentials({ ...credentials, email: e.target.value })} />
      <input type="password" onChange={(e) => setCredentials({ ...credentials, password: e.target.value })} />
      {failed && <p role="alert">That did not work.</p>}
      <button>Sign in</button>
    </form>
  );
}
