const production = process.env.NODE_ENV === 'production';

const shared = { path: '/', httpOnly: true, sameSite: 'strict' };

export class Tokens {
  constructor(reply) {
    this.reply = reply;
  }

  keep({ accessToken, refreshToken }) {
    this.reply.setCookie('refresh_token', refreshToken, { ...shared, secure: production });
    this.reply.setCookie('access_token', accessToken, shared); // expect: cookie-without-secure
  }

  drop() {
    this.reply.clearCookie('access_token').clearCookie('refresh_token');
  }
}
