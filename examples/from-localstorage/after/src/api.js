// Every request to the API goes through here. The client sends the cookies along, which no script can read, and renews them in time.

import { createClient } from "@counterfoil/client";

export const client = createClient();

export async function api(method, path, body) {
  const headers = { "Content-Type": "application/json" };
  const answer = await client.fetch(`/api${path}`, { method, headers, body: body && JSON.stringify(body) });
  if (answer.status === 204) return null;
  const said = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(said.error ?? said.detail ?? said.title ?? "That did not work. Please try again later.");
  return said;
}
