import { setCookie } from 'nookies';
import Router from 'next/router';
import { useState } from 'react';

export default function SignUp({ plans }) {
  const [plan, setPlan] = useState(plans[0].id);

  const handleSubmit = async (event) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const res = await fetch('/api/sign-up', { method: 'POST', body: form });
    const { jwtToken } = await res.json();
    setCookie(null, 'jwtToken', jwtToken, { maxAge: 3600, path: '/' }); // expect: token-in-readable-cookie
    setCookie(null, 'plan', plan, { path: '/' });
    Router.push('/welcome');
  };

  return (
    <form onSubmit={handleSubmit}>
      <select value={plan} onChange={(e) => setPlan(e.target.value)}>
        {plans.map((p) => <option key={p.id} value={p.id}>{p.title}</option>)}
      </select>
      <input name="email" type="email" required />
      <button type="submit">Start</button>
    </form>
  );
}
