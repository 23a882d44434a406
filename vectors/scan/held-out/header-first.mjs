import { decodeProtectedHeader, jwtVerify } from 'jose';
import { byThumbprint } from './registered-keys.mjs';

const rules = { algorithms: ['ES256'], issuer: 'https://partners.example.com', audience: 'https://intake.example.com' };

export async function intake(request) {
  const assertion = await request.text();
  const header = decodeProtectedHeader(assertion);
  const key = await byThumbprint(header.jkt);
  if (!key) return new Response('unknown key', { status: 400 });
  const { payload } = await jwtVerify(assertion, key, rules);
  return Response.json({ received: payload.jti });
}
