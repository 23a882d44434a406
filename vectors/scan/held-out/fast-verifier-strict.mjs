import { createVerifier, TokenError } from 'fast-jwt';

const rules = {
  algorithms: ['RS256'],
  allowedIss: [process.env.ISSUER],
  allowedAud: 'tram',
  requiredClaims: ['sub', 'sid'],
};

const verify = createVerifier({ ...rules, key: async ({ header }) => fetchKey(header.kid) });

async function fetchKey(kid) {
  const response = await fetch(`${process.env.ISSUER}/keys/${encodeURIComponent(kid)}.pem`);
  if (!response.ok) throw new Error(`no key ${kid}`);
  return response.text();
}

export async function passenger(token) {
  try {
    return (await verify(token)).sub;
  } catch (error) {
    if (error instanceof TokenError) return null;
    throw error;
  }
}
