import { randomUUID } from 'node:crypto';
import { parse } from 'node:querystring';

export function makeState(returnTo) {
  return Buffer.from(JSON.stringify({ nonce: randomUUID(), returnTo })).toString('base64url');
}

export function readState(query) {
  const { state } = parse(query);
  const { nonce, returnTo } = JSON.parse(Buffer.from(state, 'base64url').toString());
  if (!returnTo.startsWith('/')) throw new Error('returnTo must be a path of this site');
  return { nonce, returnTo };
}
