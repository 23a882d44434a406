import { html } from 'htm/preact';
import { useState } from 'preact/hooks';
import { jwtDecode } from 'jwt-decode';
import Cookies from 'js-cookie';

export function Login({ api, onDone }) {
  const [pin, setPin] = useState('');

  const submit = async () => {
    const { authToken } = await api.post('/pin', { pin });
    const { role } = jwtDecode(authToken); // expect: decode-instead-of-verify
    sessionStorage.authToken = authToken; // expect: token-in-web-storage
    Cookies.set('authToken', authToken, { expires: 1 }); // expect: token-in-readable-cookie
    onDone(role);
  };

  return html`<input value=${pin} onInput=${(e) => setPin(e.target.value)} /><button onClick=${submit}>Open</button>`;
}
