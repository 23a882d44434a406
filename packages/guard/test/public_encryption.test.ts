/** Encrypted tokens (RFC 7516) of Wycheproof, against this guard. The Rust guard reads the same. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JWK } from 'jose'
import { DecryptionKeys } from '../src/encryption.js'
import { isKid } from '../src/id.js'
import { KeySet } from '../src/jwks.js'
import type { Refusal } from '../src/refusal.js'
import { Verifier } from '../src/verify.js'
import { read } from './published.js'

interface Group {
  /** Absent where the key is a shared secret. */
  public?: object
  private: JWK
  tests: { tcId: number; jwe: string; result: 'valid' | 'invalid' }[]
}

const groups = (): Group[] => read<{ testGroups: Group[] }>('wycheproof/json_web_encryption_test').testGroups

test('JWE-5.2: a guard without a key to decrypt refuses every encrypted token', async () => {
  const verifier = new Verifier('https://example.com', ['web'])
  const labels = { valid: 0, invalid: 0 }
  for (const group of groups()) {
    const keys = await KeySet.fromJwks(JSON.stringify({ keys: group.public === undefined ? [] : [group.public] }))
    assert.deepEqual(keys.kids(), [], 'a key for encryption does not verify')
    for (const { tcId, jwe, result } of group.tests) {
      await assert.rejects(verifier.verify(jwe, keys, 1_700_000_000_000), { name: 'Refusal', reason: 'malformed' }, String(tcId))
      labels[result] += 1
    }
  }
  // The valid ones differ from their label: they are for somebody who has the key.
  assert.deepEqual(labels, { valid: 65, invalid: 74 })
})

test('ATK-20: a guard with the key opens none of the other kinds', async () => {
  // Every key that agrees on P-256 and has a name is tried, whatever its own `alg` says; the valid ones differ from their label because
  // ECDH-ES with A256GCM, a JWT within and no other member in the header is all that is opened here.
  const refused: Record<string, number> = {}
  const none = await KeySet.fromJwks('{"keys":[]}')
  for (const group of groups()) {
    const { alg: _, ...jwk } = group.private
    if (jwk.kty !== 'EC' || jwk.crv !== 'P-256' || !isKid(jwk.kid)) continue
    const verifier = new Verifier('https://example.com', ['web'], 'users', DecryptionKeys.fromJwks([jwk]))
    for (const { jwe } of group.tests) {
      const refusal = await verifier.verify(jwe, none, 1_700_000_000_000).then(() => 'believed', (error: Refusal) => error.reason)
      refused[refusal] = (refused[refusal] ?? 0) + 1
    }
  }
  assert.deepEqual(refused, { malformed: 35, header_not_allowed: 7 })
})
