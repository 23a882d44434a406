export function setCookie(name, value, days) {
  const expires = new Date(Date.now() + days * 864e5).toUTCString();
  document.cookie = `${name}=${encodeURIComponent(value)}; expires=${expires}; path=/; SameSite=Lax`;
}

export async function exchange(code) {
  const answer = await fetch('/auth/exchange', { method: 'POST', body: new URLSearchParams({ code }) });
  const { idToken } = await answer.json();
  document.cookie = 'idToken=' + idToken + '; path=/; Secure'; // expect: token-in-readable-cookie
  window.document.cookie = 'visited=yes; path=/';
}
