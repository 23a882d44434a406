import { createRemoteJWKSet, jwtVerify as verifyJwt } from 'jose';

const keySets = new Map();

function keysOf(tenant) {
  if (!keySets.has(tenant)) {
    keySets.set(tenant, createRemoteJWKSet(new URL(`https://${tenant}.login.example.org/keys`)));
  }
  return keySets.get(tenant);
}

export async function tenantClaims(tenant, token) {
  const result = await verifyJwt(token, keysOf(tenant), { // expect: verify-without-algorithms, verify-without-audience
    issuer: `https://${tenant}.login.example.org/`,
    maxTokenAge: '10 minutes',
  });
  return result.payload;
}
