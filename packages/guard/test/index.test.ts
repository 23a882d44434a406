/** The small parts: cache, revocation index, strict JSON. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decode } from '../src/base64url.js'
import { VerifiedTokens } from '../src/cache.js'
import type { Claims } from '../src/claims.js'
import { JsonNumber, parseStrict } from '../src/json.js'
import { KeySet } from '../src/jwks.js'
import { RevocationIndex } from '../src/revocation.js'
import { id } from './support.js'

test('a token in use stays in the cache, and the rest is bounded', () => {
  const cache = new VerifiedTokens<number>(10)
  cache.insert('kept', 0)
  for (let n = 1; n < 1000; n += 1) {
    cache.insert(`token ${n}`, n)
    assert.equal(cache.get('kept'), 0)
  }
  assert.ok(cache.size <= 20)
  assert.equal(cache.get('token 1'), undefined)
  cache.clear()
  assert.equal(cache.get('kept'), undefined)
})

test('the head of the index moves only for what is new', () => {
  const index = new RevocationIndex()
  index.addSession(id(1), 10)
  index.addKey('k1')
  index.addToken(id(2), 10)
  index.addStale(id(3), 2, 10)
  assert.equal(index.head, 4)
  index.addSession(id(1), 5)
  index.addKey('k1')
  index.addToken(id(2), 20)
  index.addStale(id(3), 1, 30)
  assert.equal(index.head, 4)
  index.forgetBefore(15)
  assert.equal(index.size, 3, 'the later end counts')
})

test('outdated claims are told apart from a session that has ended', () => {
  const index = new RevocationIndex()
  index.addStale(id(1), 2, 10)
  const claims = (cv: number): Claims => ({ sid: id(1), jti: id(9), cv }) as Claims
  assert.throws(() => index.check(claims(0), 'k'), { reason: 'stale' })
  assert.throws(() => index.check(claims(1), 'k'), { reason: 'stale' })
  index.check(claims(2), 'k')
  index.addSession(id(1), 10)
  assert.throws(() => index.check(claims(2), 'k'), { reason: 'revoked' })
})

test('a token counts only while the session of everybody who acts does', () => {
  const claims = { sid: id(1), jti: id(9), cv: 0, act: { sub: 'client:a', sid: id(2), act: { sub: id(7), sid: id(3) } } } as Claims
  for (const sid of [id(1), id(2), id(3)]) {
    const index = new RevocationIndex()
    index.addSession(id(8), 10)
    index.check(claims, 'k')
    index.addSession(sid, 10)
    assert.throws(() => index.check(claims, 'k'), { reason: 'revoked' }, sid)
  }
  const index = new RevocationIndex()
  for (const sid of [id(2), id(3)]) index.addStale(sid, 5, 10)
  index.check(claims, 'k')
  index.addStale(id(1), 5, 10)
  assert.throws(() => index.check(claims, 'k'), { reason: 'stale' }, 'the roles are the subject\'s')
})

test('strict JSON takes what JSON.parse takes, except for what two readers could read differently', () => {
  const read = (text: string): unknown => parseStrict(Buffer.from(text))
  for (const text of ['null', 'true', ' false ', '"a\\n\\u0041\\/"', '[]', '[1,[2],{}]', '{"a":{"b":[null]}}', '""']) {
    assert.deepEqual(plain(read(text)), JSON.parse(text), text)
  }
  for (const text of ['', ' ', '{', '[1,]', '{"a"}', '{a:1}', '01', '1.', '.5', '-', '+1', '1e', 'nul', '"\t"', '"\\x"', '"\\u12"', '[1 2]', '1 1', '{"a":1,"a":2}', '\ufeff1', '1e999', '"\\ud800"']) {
    assert.equal(read(text), undefined, text)
  }
})

function plain(value: unknown): unknown {
  if (value instanceof JsonNumber) return Number(value.text)
  if (Array.isArray(value)) return value.map(plain)
  if (value instanceof Map) return Object.fromEntries([...value].map(([name, inner]) => [name, plain(inner)]))
  return value
}

test('ATK-17: base64url has one spelling', () => {
  assert.deepEqual(decode('AA'), Uint8Array.of(0))
  for (const text of ['A', 'AB', 'AA=', 'AA==', 'A+', 'A/', 'AA\n', ' AA', 'AAAAA', 'é']) assert.equal(decode(text), undefined, text)
})

test('ATK-07: a key whose point has another spelling is none', async () => {
  const kids = async (x: string): Promise<string[]> => (await KeySet.fromJwks(JSON.stringify({
    keys: [{ kty: 'OKP', crv: 'Ed25519', alg: 'EdDSA', kid: 'k', x: Buffer.from(x, 'hex').toString('base64url') }],
  }))).kids()
  const ff = 'ff'.repeat(30)
  for (const x of [`ed${ff}7f`, `ed${ff}ff`, `ff${ff}7f`]) assert.deepEqual(await kids(x), [], x)
  for (const x of [`ed${ff}7e`, `ee${'ff'.repeat(29)}fe7f`]) assert.deepEqual(await kids(x), ['k'], x)
})
