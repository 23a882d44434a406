import jwt from 'jsonwebtoken'
import { keys } from './keys'

export function verifyByKid(token: string, audience: string): jwt.JwtPayload {
  const decoded = jwt.decode(token, { complete: true })
  const kid = decoded?.header.kid
  const entry = kid ? keys.get(kid) : undefined
  if (!entry) throw new Error(`no key with the id ${kid ?? '(none)'}`)
  return jwt.verify(token, entry.publicKey, {
    algorithms: [entry.algorithm],
    issuer: entry.issuer,
    audience,
  }) as jwt.JwtPayload
}
