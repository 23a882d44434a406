import 'server-only'
import { SignJWT, jwtVerify } from 'jose'

const encodedKey = new TextEncoder().encode(process.env.SESSION_SECRET)

export async function encrypt(userId: string) {
  return new SignJWT({ userId })
    .setProtectedHeader({ alg: 'HS256' })
    .setIssuedAt()
    .setIssuer('web')
    .setAudience('web')
    .setExpirationTime('7d') // expect: token-lives-too-long
    .sign(encodedKey)
}

export async function decrypt(session: string | undefined = '') {
  const { payload } = await jwtVerify(session, encodedKey, {
    algorithms: ['HS256'],
    issuer: 'web',
    audience: 'web',
  })
  return payload
}
