const local = globalThis.localStorage;

export const Persisted = {
  language(value) {
    local.setItem('i18n.language', value);
  },

  login({ id, token, expires }) {
    local.setItem('login', JSON.stringify({ id, token, expires })); // expect: token-in-web-storage
  },

  logout() {
    local.removeItem('login');
  },
};

export async function loginWithPasskey(assertion) {
  const response = await fetch('/passkeys/finish', { method: 'POST', body: JSON.stringify(assertion) });
  if (!response.ok) throw new Error('this passkey is not known');
  Persisted.login(await response.json());
}
