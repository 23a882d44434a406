import { promisify } from 'node:util';
import jwt from 'jsonwebtoken';
import { UnauthorizedError } from '../errors.mjs';

const verifyToken = promisify(jwt.verify);

export async function claimsOf(request) {
  const token = request.headers.authorization?.replace(/^Bearer /, '');
  if (!token) throw new UnauthorizedError('no token');
  try {
    return await verifyToken(token, process.env.TOKEN_KEY, { audience: 'orders' }); // expect: verify-without-algorithms, verify-without-issuer
  } catch (cause) {
    throw new UnauthorizedError('bad token', { cause });
  }
}
