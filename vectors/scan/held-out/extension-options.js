import Cookies from 'js-cookie';

const names = { token: 'session_token', flag: 'beta' };

export class Options {
  async pair(code) {
    const reply = await fetch(`https://pair.example.com/${code}`, { method: 'POST' });
    const sessionToken = await reply.text();
    Cookies.set('session_token', sessionToken, { expires: 7 }); // expect: token-in-readable-cookie
    this.beta(true);
    return sessionToken.length > 0;
  }

  beta(on) {
    Cookies.set(names.flag, on ? '1' : '0');
  }

  unpair() {
    Cookies.remove(names.token);
  }
}
