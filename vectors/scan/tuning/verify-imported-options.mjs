import { jwtVerify } from 'jose';
import { keys, strictOptions } from './auth-config.mjs';

export async function claimsOf(request) {
  const header = request.headers.get('authorization') ?? '';
  if (!header.startsWith('Bearer ')) return null;
  const { payload } = await jwtVerify(header.slice(7), keys, strictOptions);
  return payload;
}

export async function adminClaimsOf(request) {
  const claims = await claimsOf(request);
  return claims?.roles?.includes('admin') ? claims : null;
}
