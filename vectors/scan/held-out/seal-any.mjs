import { SignJWT } from 'jose';

/** Seals the claims that a caller has been allowed to have sealed. */
export async function seal(claims, { key, alg, audience }) {
  return new SignJWT(claims)
    .setProtectedHeader({ alg })
    .setAudience(audience)
    .setExpirationTime('2 minutes')
    .sign(key);
}

export function sealer(defaults) {
  return (claims, overrides = {}) => seal(claims, { ...defaults, ...overrides });
}
