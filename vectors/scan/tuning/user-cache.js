/** What the header shows before the answer of /me has come. */
export function cacheUser(user) {
  const { id, displayName, avatarUrl } = user;
  localStorage.setItem('user', JSON.stringify({ id, displayName, avatarUrl }));
}

export function cachedUser() {
  try {
    return JSON.parse(localStorage.getItem('user'));
  } catch {
    localStorage.removeItem('user');
    return null;
  }
}

export function rememberExpiry(seconds) {
  sessionStorage.setItem('token_expires_at', String(Date.now() + seconds * 1000));
}
