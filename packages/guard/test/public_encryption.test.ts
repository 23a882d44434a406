/** Encrypted tokens (RFC 7516) of Wycheproof, against this guard. The Rust guard reads the same. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KeySet } from '../src/jwks.js'
import { Verifier } from '../src/verify.js'
import { read } from './published.js'

interface Group {
  /** Absent where the key is a shared secret. */
  public?: object
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

// With a key to decrypt: below.
