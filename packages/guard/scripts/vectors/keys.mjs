// The fixed keys. Published in an RFC or made of one repeated byte: they protect nothing, anywhere.

import { createHmac, createPrivateKey, createPublicKey, sign } from 'node:crypto'

const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex')
const fromSeed = (seed) => createPrivateKey({ key: Buffer.concat([PKCS8, seed]), format: 'der', type: 'pkcs8' })

const rfc8037 = fromSeed(Buffer.from('nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A', 'base64url'))
const second = fromSeed(Buffer.alloc(32, 2))
const stranger = fromSeed(Buffer.alloc(32, 3))
export const privateKeys = { rfc8037, second, stranger }

export const publicX = (key) => createPublicKey(key).export({ format: 'jwk' }).x
export const publicPem = (key) => createPublicKey(key).export({ format: 'pem', type: 'spki' })
export const publicDer = (key) => createPublicKey(key).export({ format: 'der', type: 'spki' })

/** The example of RFC 7515, appendix A.3. */
export const rfc7515 = {
  public: {
    kty: 'EC', crv: 'P-256',
    x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU', y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
  },
  d: 'jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI',
}

/**
 * What the keys for Ed25519 are called in PASETO (PASERK type pid). Kept as computed, by Python's hashlib: Node's BLAKE2b has no
 * digests of 33 bytes, and no guard computes one.
 */
export const paserk = {
  rfc8037: 'k4.pid.wD8w4xDqH9GXKzCEqH22G-IynZ8HLu_9Xs_oZDCH2CMa',
  second: 'k4.pid.ng2_oj3yBeGbd5tUQzXcTjfxn-IzT8KACAUUZysT_d1Q',
  /** No key's: it stands at the one for ES256, where it counts for nothing. */
  es256: `k4.pid.${'E'.repeat(44)}`,
}

const okp = (kid, key, more) => ({ kty: 'OKP', crv: 'Ed25519', kid, x: publicX(key), ...more })

export const jwks = {
  keys: [
    okp('k1', rfc8037, { alg: 'EdDSA', use: 'sig', paserk_id: paserk.rfc8037 }),
    okp('k2', second, { alg: 'Ed25519', key_ops: ['verify'], paserk_id: paserk.second }),
    { ...rfc7515.public, kid: 'k3', alg: 'ES256', use: 'sig', paserk_id: paserk.es256 },
    okp('for-encryption', rfc8037, { alg: 'EdDSA', use: 'enc', paserk_id: paserk.rfc8037 }),
    okp('cannot-verify', rfc8037, { alg: 'EdDSA', key_ops: ['sign'] }),
    okp('no-algorithm', rfc8037, { use: 'sig' }),
    { kty: 'RSA', kid: 'other-kind', alg: 'RS256', use: 'sig', e: 'AQAB', n: 'sXchDaQebHnPiGvyDOAT4saGEUetSyo9MKLOoWFsueri' },
  ],
}

export const b64 = (bytes) => Buffer.from(bytes).toString('base64url')
export const signEd = (input, key = rfc8037) => sign(null, Buffer.from(input), key)
export const signHmac = (input, secret) => createHmac('sha256', secret).update(input).digest()
