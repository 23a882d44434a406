/** Vectors that others have made, against this guard; see the README of each folder in `vectors/`. The Rust guard reads the same. */

import assert from 'node:assert/strict'
import { webcrypto } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { type Algorithm, hasSmallOrder, KeySet } from '../src/jwks.js'
import { Verifier } from '../src/verify.js'

const root = new URL('../../../../vectors/', import.meta.url)
const read = <T>(name: string): T => JSON.parse(readFileSync(new URL(`${name}.json`, root), 'utf8')) as T
const hex = (text: string): Buffer => Buffer.from(text, 'hex')

interface Group<T> {
  publicKey?: { pk?: string; uncompressed?: string }
  public?: Record<string, unknown> & { keys?: Record<string, unknown>[] }
  private?: Record<string, unknown> & { keys?: Record<string, unknown>[] }
  tests: T[]
}
interface Raw {
  tcId: number
  msg: string
  sig: string
  result: string
}

/** As `verifySigned` judges a signature: its length, R, and then the library, on the key that the key set has imported. */
async function holds(algorithm: Algorithm, jwk: object, message: Buffer, signature: Buffer): Promise<boolean> {
  const key = (await KeySet.fromJwks(JSON.stringify({ keys: [{ ...jwk, alg: algorithm, kid: 'k' }] }))).get('k')
  if (key === undefined || signature.length !== 64) return false
  if (algorithm !== 'ES256' && hasSmallOrder(signature)) return false
  const name = algorithm === 'ES256' ? { name: 'ECDSA', hash: 'SHA-256' } : { name: 'Ed25519' }
  return webcrypto.subtle.verify(name, key.public as webcrypto.CryptoKey, signature, message)
}

const okp = (point: string): object => ({ kty: 'OKP', crv: 'Ed25519', x: hex(point).toString('base64url') })

/** 4, x, y. */
const ec = (point: string): object => ({
  kty: 'EC', crv: 'P-256',
  x: hex(point.slice(2, 66)).toString('base64url'), y: hex(point.slice(66)).toString('base64url'),
})

test('ATK-07: Wycheproof, Ed25519', async () => {
  let count = 0
  for (const { publicKey, tests } of read<{ testGroups: Group<Raw>[] }>('wycheproof/ed25519_test').testGroups) {
    for (const { tcId, msg, sig, result } of tests) {
      count += 1
      assert.equal(await holds('EdDSA', okp(publicKey?.pk ?? ''), hex(msg), hex(sig)), result === 'valid', String(tcId))
    }
  }
  assert.equal(count, 151)
})

test('ATK-05, ATK-06: Wycheproof, ES256', async () => {
  let count = 0
  for (const { publicKey, tests } of read<{ testGroups: Group<Raw>[] }>('wycheproof/ecdsa_secp256r1_sha256_p1363_test').testGroups) {
    for (const { tcId, msg, sig, result } of tests) {
      count += 1
      assert.equal(await holds('ES256', ec(publicKey?.uncompressed ?? ''), hex(msg), hex(sig)), result === 'valid', String(tcId))
    }
  }
  assert.equal(count, 262)
})

test('ATK-07: one rule for every edge of Ed25519, and the Rust guard has the same', async () => {
  const refused = ['low_order_A', 'low_order_R', 'non_canonical_A', 'non_canonical_R', 'low_order_residue']
  let accepted = 0
  const cases = read<{ number: number; key: string; sig: string; msg: string; flags: string[] | null }[]>('ed25519-edge/cctv_ed25519vectors')
  for (const { number, key, sig, msg, flags } of cases) {
    const found = await holds('EdDSA', okp(key), Buffer.from(msg), hex(sig))
    assert.equal(found, !(flags ?? []).some((flag) => refused.includes(flag)), `${number} ${flags}`)
    accepted += found ? 1 : 0
  }
  assert.deepEqual([cases.length, accepted], [914, 43])
  let letters = ''
  for (const { message, pub_key, signature } of read<Record<'message' | 'pub_key' | 'signature', string>[]>('ed25519-edge/speccheck_cases')) {
    letters += (await holds('EdDSA', okp(pub_key), hex(message), hex(signature))) ? 'V' : 'X'
  }
  assert.equal(letters, 'XXXVXXXXXXXX')
})

test('T1: no JWS of Wycheproof is an access token, whatever its keys', async () => {
  const verifier = new Verifier('https://app.example.com', ['web'])
  let refused = 0
  for (const file of ['json_web_signature_test', 'json_web_key_test']) {
    for (const group of read<{ testGroups: Group<{ tcId: number; jws: unknown }>[] }>(`wycheproof/${file}`).testGroups) {
      const own = group.public ?? group.private ?? {}
      const keys = (own.keys ?? [own]).map(({ d: _, ...key }) => ({ kid: 'none', ...key }))
      const set = await KeySet.fromJwks(JSON.stringify({ keys })).catch(() => undefined)
      if (set === undefined) continue
      for (const { tcId, jws } of group.tests) {
        const token = typeof jws === 'string' ? jws : JSON.stringify(jws)
        await assert.rejects(verifier.verify(token, set, 1_700_000_000_000), { name: 'Refusal' }, `${file} ${tcId}`)
        refused += 1
      }
    }
  }
  assert.ok(refused >= 300, String(refused))
})
