import * as jose from 'jose';

export class Verifier {
  #keys;

  constructor(issuer) {
    this.issuer = issuer;
    this.#keys = jose.createRemoteJWKSet(new URL('/jwks.json', issuer), { cooldownDuration: 30_000 });
  }

  async verify(token, audience) {
    const { payload } = await jose.jwtVerify(token, this.#keys, {
      issuer: this.issuer,
      audience,
      algorithms: ['EdDSA', 'ES256'],
      typ: 'at+jwt',
    });
    return payload;
  }
}
