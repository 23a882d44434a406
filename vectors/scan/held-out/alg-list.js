import { expressjwt } from 'express-jwt';

export const legacyClients = expressjwt({
  secret: process.env.LEGACY_KEY,
  issuer: 'legacy',
  audience: 'legacy-api',
  algorithms: ['HS256', 'HS384', 'none'], // expect: verify-without-algorithms
  credentialsRequired: true,
});

export const currentClients = expressjwt({
  secret: process.env.CURRENT_KEY,
  issuer: 'current',
  audience: 'current-api',
  algorithms: ['HS256'],
});

export function clients(version) {
  return version < 3 ? legacyClients : currentClients;
}
