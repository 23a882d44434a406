/** Where the single-page application keeps what the API has handed out. */
class TokenStorage {
  constructor(prefix) {
    this.prefix = prefix;
  }

  saveTokens({ access, refresh }) {
    localStorage.setItem('auth.accessToken', access); // expect: token-in-web-storage
    localStorage.setItem('auth.refreshToken', refresh); // expect: token-in-web-storage
  }

  saveDraft(id, text) {
    localStorage.setItem(`${this.prefix}.draft.${id}`, text);
  }

  get accessToken() {
    return localStorage.getItem('auth.accessToken');
  }

  clear() {
    localStorage.removeItem('auth.accessToken');
    localStorage.removeItem('auth.refreshToken');
  }
}

export const tokens = new TokenStorage('notes');
