import jwt, { type JwtPayload } from 'jsonwebtoken'
import type { Keys } from './keys'

export class SessionService {
  constructor(private readonly keys: Keys) {}

  refreshSession = (refreshToken: string): string => { // expect: no-rotation
    const { sub, sid } = jwt.verify(refreshToken, this.keys.refresh, {
      algorithms: ['EdDSA' as jwt.Algorithm],
      issuer: 'museum',
      audience: 'museum-refresh',
    }) as JwtPayload
    return jwt.sign({ sub, sid }, this.keys.access, { expiresIn: '5m' })
  }

  expiredSession(accessToken: string): JwtPayload {
    return jwt.verify(accessToken, this.keys.access, {
      algorithms: ['HS256'],
      issuer: 'museum',
      audience: 'museum',
      ignoreExpiration: true, // expect: verify-without-expiry
    }) as JwtPayload
  }
}
