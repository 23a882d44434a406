import { SignJWT } from 'jose';

export class AccessTokens {
  constructor({ key, issuer, clock }) {
    Object.assign(this, { key, issuer, clock });
  }

  async issue({ subject, session, audience }) {
    const now = this.clock();
    return new SignJWT({ sid: session })
      .setProtectedHeader({ alg: 'EdDSA', typ: 'at+jwt' })
      .setIssuer(this.issuer)
      .setSubject(subject)
      .setAudience(audience)
      .setIssuedAt(now)
      .setExpirationTime(now + 300)
      .sign(this.key);
  }
}
