// Every request to the API goes through here.

const TOKEN = "token";

export function keepToken(token) {
  localStorage.setItem(TOKEN, token);
}

export function dropToken() {
  localStorage.removeItem(TOKEN);
}

export function hasToken() {
  return localStorage.getItem(TOKEN) !== null;
}

export async function api(method, path, body) {
  const headers = { "Content-Type": "application/json" };
  const token = localStorage.getItem(TOKEN);
  if (token) headers.Authorization = `Bearer ${token}`;
  const answer = await fetch(`/api${path}`, { method, headers, body: body && JSON.stringify(body) });
  if (answer.status === 204) return null;
  const said = await answer.json().catch(() => ({}));
  if (answer.status === 401 && token) {
    // It has run out: back to the sign-in form.
    dropToken();
    location.reload();
  }
  if (!answer.ok) throw new Error(said.error ?? "That did not work. Please try again later.");
  return said;
}
