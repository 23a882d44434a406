import { SignJWT } from 'jose'

const TWO_WEEKS = '2w'
const key = new TextEncoder().encode(process.env.REMIX_SECRET)

export async function sessionToken(userId: string): Promise<string> {
  const jwt = await new SignJWT()
    .setSubject(userId)
    .setProtectedHeader({ alg: 'HS512' })
    .setExpirationTime(TWO_WEEKS) // expect: token-lives-too-long
    .sign(key)
  return jwt
}

export async function previewToken(documentId: string): Promise<string> {
  return new SignJWT({ documentId })
    .setProtectedHeader({ alg: 'HS512' })
    .setExpirationTime('30 minutes')
    .sign(key)
}
