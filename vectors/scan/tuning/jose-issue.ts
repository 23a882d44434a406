import { SignJWT } from 'jose'
import { env } from './env'

const key = new TextEncoder().encode(env.SIGNING_KEY)

export async function issue(userId: string, phoneNumber: string): Promise<string> {
  return await new SignJWT({ phoneNumber, kind: 'driver' }) // expect: token-without-expiry, personal-data-in-payload
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject(userId)
    .setIssuer(env.ISSUER)
    .setAudience('dispatch')
    .setIssuedAt()
    .sign(key)
}
