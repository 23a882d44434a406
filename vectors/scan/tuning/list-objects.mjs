export async function listAll(client, prefix) {
  const found = [];
  let nextToken;
  do {
    const query = new URLSearchParams({ prefix, 'max-keys': '500' });
    if (nextToken) query.set('continuation-token', nextToken);
    const response = await client.fetch(`/objects?${query}`);
    const page = await response.json();
    found.push(...page.objects);
    nextToken = page.nextToken;
  } while (nextToken);
  return found;
}
