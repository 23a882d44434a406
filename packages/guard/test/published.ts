/** Vectors that others have made: where they are, and how a signature is judged without the token around it. */

import { webcrypto } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { decode } from '../src/base64url.js'
import { type Algorithm, hasSmallOrder, KeySet, type VerifyingKey } from '../src/jwks.js'

export const root: URL = new URL('../../../../vectors/', import.meta.url)
export const read = <T>(name: string): T => JSON.parse(readFileSync(new URL(`${name}.json`, root), 'utf8')) as T
export const hex = (text: string): Buffer => Buffer.from(text, 'hex')

/** As `verifySigned` judges a signature: its length, R, and then the library. */
export async function verifies(key: VerifyingKey, message: Uint8Array, signature: Uint8Array): Promise<boolean> {
  if (signature.length !== 64) return false
  if (key.algorithm !== 'ES256' && hasSmallOrder(signature)) return false
  const name = key.algorithm === 'ES256' ? { name: 'ECDSA', hash: 'SHA-256' } : { name: 'Ed25519' }
  return webcrypto.subtle.verify(name, key.public as webcrypto.CryptoKey, signature, message)
}

/** The key that a key set makes of it, if any. */
export async function imported(algorithm: Algorithm, jwk: object): Promise<VerifyingKey | undefined> {
  return (await KeySet.fromJwks(JSON.stringify({ keys: [{ ...jwk, alg: algorithm, kid: 'k' }] }))).get('k')
}

export async function holds(algorithm: Algorithm, jwk: object, message: Uint8Array, signature: Uint8Array): Promise<boolean> {
  const key = await imported(algorithm, jwk)
  return key !== undefined && verifies(key, message, signature)
}

export const okp = (point: string): object => ({ kty: 'OKP', crv: 'Ed25519', x: hex(point).toString('base64url') })

/** 4, x, y. */
export const ec = (point: string): object => ({
  kty: 'EC', crv: 'P-256',
  x: hex(point.slice(2, 66)).toString('base64url'), y: hex(point.slice(66)).toString('base64url'),
})

/** What a header says, unchecked. */
export type Head = Readonly<Record<'alg' | 'typ' | 'crit' | 'b64', unknown>>

/** Header and payload of a token of three parts; `undefined` when the first is no JSON, or the second no base64url. */
export function opened(token: string): { head: Partial<Head>; payload: Buffer } | undefined {
  const [header, payload, signature, ...more] = token.split('.')
  if (header === undefined || payload === undefined || signature === undefined || more.length > 0) return undefined
  const [head, bytes] = [header, payload].map((part) => decode(part) && Buffer.from(part, 'base64url'))
  if (head === undefined || bytes === undefined) return undefined
  try {
    return { head: JSON.parse(head.toString()) as Partial<Head>, payload: bytes }
  } catch {
    return undefined
  }
}
