import { decode } from 'next-auth/jwt';
import { cookies } from 'next/headers';

const NAME = '__Secure-authjs.session-token';

export async function sessionClaims() {
  const sealed = (await cookies()).get(NAME)?.value;
  if (!sealed) return null;
  return decode({ token: sealed, secret: process.env.AUTH_SECRET, salt: NAME });
}

export async function isEditor() {
  const claims = await sessionClaims();
  return claims?.role === 'editor';
}
