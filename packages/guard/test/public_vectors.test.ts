/** Vectors that others have made, against this guard; see the README of each folder in `vectors/`. The Rust guard reads the same. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decode } from '../src/base64url.js'
import { KeySet, type VerifyingKey } from '../src/jwks.js'
import { Verifier } from '../src/verify.js'
import { ec, hex, holds, imported, okp, opened, read, verifies } from './published.js'

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
interface Jose {
  tcId: number
  jws: unknown
  result: string
}

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

/** r and s of a signature in DER, 32 bytes each, as JWS has them (RFC 7518 section 3.4). Only for those that the label calls valid. */
function fromDer(der: Buffer): Buffer {
  const length = der[3] ?? 0
  const number = (bytes: Buffer): string => bytes.toString('hex').replace(/^(?:00)+/, '').padStart(64, '0')
  return hex(number(der.subarray(4, 4 + length)) + number(der.subarray(6 + length)))
}

/**
 * The labels are for DER, which X.509 and WebAuthn write. In a JWS there are r and s alone, so all are refused as they stand, and
 * those that are labelled valid differ: 174, for the spelling and nothing else.
 */
test('ATK-05: DER is no spelling of an ES256 signature', async () => {
  let [count, different] = [0, 0]
  for (const { publicKey, tests } of read<{ testGroups: Group<Raw>[] }>('wycheproof/ecdsa_secp256r1_sha256_test').testGroups) {
    const key = await imported('ES256', ec(publicKey?.uncompressed ?? ''))
    assert.ok(key)
    for (const { tcId, msg, sig, result } of tests) {
      assert.equal(await verifies(key, hex(msg), hex(sig)), false, String(tcId))
      count += 1
      if (result === 'valid') {
        assert.ok(await verifies(key, hex(msg), fromDer(hex(sig))), String(tcId))
        different += 1
      }
    }
  }
  assert.deepEqual([count, different], [484, 174])
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

/** Tokens of the JOSE files, by keys that this guard takes: the signature part alone, since none of them is an access token. */
const DIFFERENT = new Map([
  [367, 'byte for byte the same as the valid 357; the file has lost its ='],
  [370, 'the same'],
  [372, 'labelled valid with a ? inside a part; JWT-BCP-3.14'],
  [373, 'the same'],
])

async function signatureHolds(key: VerifyingKey, token: string): Promise<boolean> {
  const parts = opened(token)
  const end = token.lastIndexOf('.')
  const signature = decode(token.slice(end + 1))
  if (parts === undefined || signature === undefined) return false
  const { alg, crit, b64 } = parts.head
  return alg === key.algorithm && crit === undefined && b64 === undefined && verifies(key, Buffer.from(token.slice(0, end)), signature)
}

test('T1: Wycheproof, JWS, is decided as labelled or for a reason, and none is an access token, whatever its keys', async () => {
  const verifier = new Verifier('https://app.example.com', ['web'])
  let [decided, refused] = [0, 0]
  for (const file of ['json_web_signature_test', 'json_web_key_test']) {
    for (const group of read<{ testGroups: Group<Jose>[] }>(`wycheproof/${file}`).testGroups) {
      const own = group.public ?? group.private ?? {}
      const keys = (own.keys ?? [own]).map(({ d: _, ...key }): Record<string, unknown> => ({ kid: 'none', ...key }))
      const set = await KeySet.fromJwks(JSON.stringify({ keys })).catch(() => undefined)
      // HMAC is refused with its key.
      if (set === undefined) continue
      const key = set.get(String(keys[0]?.['kid']))
      for (const { tcId, jws, result } of group.tests) {
        const token = typeof jws === 'string' ? jws : JSON.stringify(jws)
        await assert.rejects(verifier.verify(token, set, 1_700_000_000_000), { name: 'Refusal' }, `${file} ${tcId}`)
        refused += 1
        // RSA and other curves have no key here.
        if (key === undefined) continue
        const differs = file === 'json_web_signature_test' && DIFFERENT.has(tcId)
        assert.equal((await signatureHolds(key, token)) === (result === 'valid'), !differs, `${file} ${tcId}`)
        decided += 1
      }
    }
  }
  assert.deepEqual([decided, refused], [39, 372])
})
