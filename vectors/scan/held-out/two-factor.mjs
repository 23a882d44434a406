import bcrypt from 'bcrypt';
import speakeasy from 'speakeasy';
import { verify as verifyScrypt } from './scrypt.mjs';

export async function verifyPassword(account, password) {
  return account.scheme === 'bcrypt'
    ? bcrypt.compare(password, account.hash)
    : verifyScrypt(password, account.hash);
}

export function verifyTotp(account, token) {
  return speakeasy.totp.verify({ secret: account.totp, encoding: 'base32', token, window: 1 });
}
