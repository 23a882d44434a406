import jwt from 'jsonwebtoken';

const KEY = process.env.ACCESS_KEY;
if (!KEY) throw new Error('ACCESS_KEY is missing: give 32 random bytes as base64');

export function accessToken(account) {
  return jwt.sign({ sub: account.id, scope: account.scope, tenant: account.tenant }, KEY, {
    algorithm: 'HS256',
    issuer: 'ledger',
    audience: 'ledger-api',
    expiresIn: '10m',
  });
}

export function hourToken(account) {
  return jwt.sign({ sub: account.id }, KEY, { expiresIn: 3600 });
}
