import { SignJWT, importPKCS8 } from 'jose'

export async function signer(pem: string, issuer: string) {
  const key = await importPKCS8(pem, 'ES256')
  return (sub: string, audience: string, roles: string[]) =>
    new SignJWT({ roles })
      .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt' })
      .setSubject(sub)
      .setIssuer(issuer)
      .setAudience(audience)
      .setIssuedAt()
      .setExpirationTime('5m')
      .sign(key)
}
