const PATTERN = /"([^"]*)"|(\S+)/g;

export function tokenize(query) {
  const tokens = [];
  for (const match of query.matchAll(PATTERN)) {
    const token = match[1] ?? match[2];
    tokens.push({ token, exact: match[1] !== undefined });
  }
  return tokens;
}

export function saveSearch(query) {
  const recent = JSON.parse(localStorage.getItem('recent-searches') ?? '[]');
  recent.unshift({ query, tokens: tokenize(query).length });
  localStorage.setItem('recent-searches', JSON.stringify(recent.slice(0, 10)));
}
