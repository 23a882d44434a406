/** PASETO v4.public, and what PASERK calls its keys: the vectors of paseto-standard. The Rust guard reads the same. */

import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { test } from 'node:test'
import { isPaserkId } from '../src/id.js'
import { KeySet, type VerifyingKey } from '../src/jwks.js'
import { type Message, splitPaseto, verifiesPaseto } from '../src/paseto.js'
import { Refusal } from '../src/refusal.js'
import { Verifier } from '../src/verify.js'
import { ec, imported, okp, read, root } from './published.js'

interface Case {
  name: string
  'expect-fail': boolean
  'public-key'?: string
  token: string
  payload: string | null
  footer: string
  'implicit-assertion': string
}

const cases = read<{ tests: Case[] }>('paseto/v4').tests
const isSigned = ({ name }: Case): boolean => name.startsWith('4-S-')

/** The key of the vectors: all that have one have the same. */
async function keyOfAll(): Promise<VerifyingKey> {
  const points = new Set(cases.flatMap((test) => test['public-key'] ?? []))
  assert.equal(points.size, 1)
  const key = await imported('EdDSA', okp([...points][0] ?? ''))
  assert.ok(key)
  return key
}

/** What was signed, if the token is this key's. */
async function verified(token: string, key: VerifyingKey, implicitAssertion: string): Promise<Message> {
  const message = splitPaseto(token)
  if (!(await verifiesPaseto(message, key, Buffer.from(implicitAssertion)))) throw new Refusal('bad_signature')
  return message
}

test('PAS-3: what is signed verifies, and nothing else does', async () => {
  const key = await keyOfAll()
  let [verify, refused] = [0, 0]
  for (const vector of cases) {
    const { name, token, payload, footer, 'implicit-assertion': implicit } = vector
    if (isSigned(vector)) {
      assert.equal(vector['expect-fail'], false)
      const found = await verified(token, key, implicit)
      assert.deepEqual([found.message, found.footer].map((part) => Buffer.from(part).toString()), [payload, footer], name)
      await assert.rejects(verified(token, key, `${implicit} `), { reason: 'bad_signature' }, `${name}: the implicit assertion counts`)
      verify += 1
    } else {
      // 4-F-2 is a public token given to decryption: of the right kind, and signed by nobody known.
      const reason = name === '4-F-2' ? 'bad_signature' : 'malformed'
      await assert.rejects(verified(token, key, implicit), { name: 'Refusal', reason }, name)
      refused += 1
    }
  }
  assert.deepEqual([verify, refused], [3, 14], 'nine are encrypted and five must fail')
})

/** A bit of each byte of a token, of its footer and of its signature. */
test('PAS-3: every byte of a token counts', async () => {
  const key = await keyOfAll()
  for (const { token, 'implicit-assertion': implicit } of cases.filter(isSigned)) {
    for (let at = 0; at < token.length; at += 1) {
      const changed = `${token.slice(0, at)}${String.fromCharCode(token.charCodeAt(at) ^ 1)}${token.slice(at + 1)}`
      await assert.rejects(verified(changed, key, implicit), { name: 'Refusal' }, `${at} of ${token}`)
    }
  }
})

/** The algorithm belongs to the key. */
test('PAS-1: a key of another kind verifies nothing', async () => {
  const [group] = read<{ testGroups: { publicKey: { uncompressed: string } }[] }>('wycheproof/ecdsa_secp256r1_sha256_p1363_test').testGroups
  const key = await imported('ES256', ec(group?.publicKey.uncompressed ?? ''))
  assert.ok(key)
  for (const { name, token, 'implicit-assertion': implicit } of cases) {
    await assert.rejects(verified(token, key, implicit), { name: 'Refusal' }, name)
  }
})

/** The vectors' footers name a key by something that is no PASERK id, or name none. */
test('T1: no vector is an access token', async () => {
  const jwk = { ...okp(cases.find(isSigned)?.['public-key'] ?? ''), kid: 'k', alg: 'EdDSA' }
  const named = { ...jwk, paserk_id: 'k4.pid.9ShR3xc8-qVJ_di0tc9nx0IDIqbatdeM2mqLFBJsKRHs' }
  const keys = await KeySet.fromJwks(JSON.stringify({ keys: [named] }))
  const verifier = new Verifier('https://example.com', ['web'])
  for (const { name, token } of cases) {
    const reason = ['4-S-2', '4-S-3', '4-F-2'].includes(name) ? 'unknown_key' : 'malformed'
    await assert.rejects(verifier.verify(token, keys, 1_640_000_000_000), { name: 'Refusal', reason }, name)
  }
})

/** In a footer stands the id of a public key and nothing else, least of all a key. */
test('PAS-7: of all that PASERK writes, only an id of a public key names one', () => {
  let [names, others] = [0, 0]
  for (const file of readdirSync(new URL('paseto/PASERK/', root))) {
    const stem = file.replace(/\.json$/, '')
    for (const { paserk } of read<{ tests: { paserk: string | null }[] }>(`paseto/PASERK/${stem}`).tests) {
      if (paserk === null) continue
      assert.equal(isPaserkId(paserk), stem === 'k4.pid', paserk)
      if (stem === 'k4.pid') names += 1
      else others += 1
    }
  }
  assert.deepEqual([names, others], [3, 41])
})
