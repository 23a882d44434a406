import type { GetVerificationKey } from 'express-jwt'
import { expressjwt } from 'express-jwt'
import { keyring } from './keyring'

const secret: GetVerificationKey = async (_request, token) => {
  const kid = token?.header.kid
  if (!kid) throw new Error('the token names no key')
  return keyring.publicKey(kid)
}

export const guard = expressjwt({
  secret,
  algorithms: ['EdDSA' as never],
  issuer: keyring.issuer,
  audience: keyring.audience,
})
