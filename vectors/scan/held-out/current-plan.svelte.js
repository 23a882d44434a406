import { session } from './session.svelte.js';

const fromBase64Url = (text) => window.atob(text.replaceAll('-', '+').replaceAll('_', '/'));

export function currentPlan() {
  const { accessToken } = session;
  if (!accessToken) return 'free';
  const claims = JSON.parse(fromBase64Url(accessToken.split('.')[1])); // expect: decode-instead-of-verify
  return claims.plan ?? 'free';
}

export function isPaying() {
  return currentPlan() !== 'free';
}
