import { SignJWT } from 'jose'

const secret = new TextEncoder().encode('4f1e9a61-not-for-production') // expect: secret-in-source

export function signInvite(workspace: string) {
  return new SignJWT({ workspace })
    .setProtectedHeader({ alg: 'HS256' })
    .setIssuer('workspaces')
    .setAudience('join')
    .setExpirationTime('24h')
    .sign(secret)
}
