import { decodeProtectedHeader, importJWK, jwtVerify } from 'jose'
import { trusted } from './trusted-keys'

export async function verifyFromPartner(token: string, partner: keyof typeof trusted) {
  const { kid, alg } = decodeProtectedHeader(token)
  const jwk = trusted[partner].keys.find((key) => key.kid === kid && key.alg === alg)
  if (!jwk) throw new Error(`no key ${kid} of ${partner}`)
  return jwtVerify(token, await importJWK(jwk), {
    algorithms: [jwk.alg],
    issuer: trusted[partner].issuer,
    audience: 'https://hub.example.net',
  })
}
