class RememberMe {
  /** @param {Storage} permanent */
  constructor(form) {
    this.form = form;
    this.form.addEventListener('submit', (event) => this.submit(event));
  }

  async submit(event) {
    event.preventDefault();
    const fields = new FormData(this.form);
    const reply = await fetch(this.form.action, { method: 'post', body: fields });
    const { bearerToken, theme } = await reply.json();
    if (fields.get('remember')) {
      window.localStorage['bearerToken'] = bearerToken; // expect: token-in-web-storage
    } else {
      window.sessionStorage['bearerToken'] = bearerToken; // expect: token-in-web-storage
    }
    window.localStorage['theme'] = theme;
  }
}

document.querySelectorAll('form.login').forEach((form) => new RememberMe(form));
