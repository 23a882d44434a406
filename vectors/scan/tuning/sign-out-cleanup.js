const OLD_KEYS = ['token', 'access_token', 'refresh_token', 'id_token'];

/** Earlier releases kept tokens here. They are of no use to anybody now. */
export function removeOldTokens() {
  for (const key of OLD_KEYS) {
    localStorage.removeItem(key);
    sessionStorage.removeItem(key);
  }
  localStorage.setItem('cleaned-up', '2');
}

export async function signOut() {
  await fetch('/api/session', { method: 'DELETE', credentials: 'include' });
  removeOldTokens();
  window.location.assign('/');
}
