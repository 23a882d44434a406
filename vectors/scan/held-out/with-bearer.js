const BASE = new URL(import.meta.env.VITE_BASE);

export async function request(path, { token, query = {}, ...init } = {}) {
  const url = new URL(path, BASE);
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);

  const headers = new Headers(init.headers);
  if (token) headers.set('Authorization', `Bearer ${token}`);

  const response = await fetch(url, { ...init, headers });
  if (!response.ok) throw new Error(`${init.method ?? 'GET'} ${url.pathname}: ${response.status}`);
  return response.status === 204 ? null : response.json();
}
