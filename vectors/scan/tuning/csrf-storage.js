let pending;

async function fetchCsrfToken() {
  const response = await fetch('/csrf', { credentials: 'include' });
  const { csrfToken } = await response.json();
  sessionStorage.setItem('csrfToken', csrfToken);
  return csrfToken;
}

export async function post(url, body) {
  pending ??= fetchCsrfToken();
  const csrf = sessionStorage.getItem('csrfToken') ?? (await pending);
  return fetch(url, {
    method: 'POST',
    credentials: 'include',
    headers: { 'content-type': 'application/json', 'x-csrf-token': csrf },
    body: JSON.stringify(body),
  });
}
