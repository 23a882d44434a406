import { createHash, randomBytes } from 'node:crypto'

const random = () => randomBytes(32).toString('base64url')

export function authorizationRequest(endpoint: string, clientId: string, redirectUri: string) {
  const verifier = random()
  const state = random()
  const query = new URLSearchParams({
    response_type: 'code',
    client_id: clientId,
    redirect_uri: redirectUri,
    scope: 'openid offline_access',
    state,
    nonce: random(),
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
  })
  return { location: `${endpoint}?${query}`, verifier, state }
}
