import { useCookies } from 'react-cookie';

export function SignOut({ onDone }) {
  const [cookies, setCookie, removeCookie] = useCookies(['token', 'jwt', 'greeting']);

  async function signOut() {
    await fetch('/session', { method: 'DELETE' });
    removeCookie('token', { path: '/' });
    removeCookie('jwt', { path: '/' });
    setCookie('greeting', 'bye', { path: '/' });
    document.cookie = 'access_token=;path=/;max-age=0';
    onDone();
  }

  return <button onClick={signOut}>{cookies.token ? 'Sign out' : 'Leave'}</button>;
}
