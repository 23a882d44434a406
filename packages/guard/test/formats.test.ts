/** A whole guard with the other formats: PASETO, encrypted tokens; and with services, and those who act for somebody. */

import assert from 'node:assert/strict'
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { test } from 'node:test'
import { CompactEncrypt, importJWK, type JWK } from 'jose'
import type { Claims } from '../src/claims.js'
import { createGuard } from '../src/guard.js'
import { type Authority, id, ISSUER, type Pair, pair, poll, readyPair, reason, until } from './support.js'

const PASERK = `k4.pid.${'A'.repeat(44)}`
const SERVICE = { sub: 'client:billing', client_id: 'billing' }

/** What the authority would mint as PASETO. */
function paseto({ authority, clock }: Pair, { kid = PASERK, key = authority.key }: { kid?: string; key?: KeyObject } = {}): string {
  const at = (seconds: number): string => new Date(Math.floor(clock.wall / 1000 + seconds) * 1000).toISOString().replace('.000Z', 'Z')
  const message = Buffer.from(JSON.stringify({
    iss: ISSUER, sub: id(1), aud: 'web', client_id: 'web', exp: at(300), iat: at(0), jti: id(3), sid: id(2), auth_time: at(-600), acr: 'aal1', amr: [],
  }))
  const pieces = [Buffer.from('v4.public.'), message, Buffer.from(JSON.stringify({ kid })), Buffer.alloc(0)]
  const length = (of: number): Buffer => Buffer.from(new BigUint64Array([BigInt(of)]).buffer)
  const signed = Buffer.concat([length(4), ...pieces.flatMap((piece) => [length(piece.length), piece])])
  const payload = Buffer.concat([message, sign(null, signed, key)]).toString('base64url')
  return `v4.public.${payload}.${pieces[2]?.toString('base64url')}`
}

const named = (authority: Authority, kid = 'k1', key = authority.key): object => ({ ...authority.jwk(kid, key), paserk_id: PASERK })

function decryptionKey(curve: 'X25519' | 'P-256'): JWK {
  const { privateKey } = curve === 'X25519' ? generateKeyPairSync('x25519') : generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return { ...(privateKey.export({ format: 'jwk' }) as JWK), kid: curve }
}

async function encrypt(token: string, { d: _, kid = '', ...own }: JWK): Promise<string> {
  const header = { alg: 'ECDH-ES', enc: 'A256GCM', cty: 'JWT', kid }
  return new CompactEncrypt(Buffer.from(token)).setProtectedHeader(header).encrypt(await importJWK(own, 'ECDH-ES'))
}

test('PASETO: believed, cached and revoked as a JWT is, also by its key', async () => {
  for (const [kind, values, expected] of [['sessions', [id(2), 2_000_000_000], 'revoked'], ['keys', ['k1'], 'key_revoked']] as const) {
    const made = await pair({}, (authority) => {
      authority.jwks = { keys: [named(authority)] }
    })
    const { authority, guard, stop } = made
    await guard.ready()
    await poll(made)
    const token = paseto(made)
    assert.equal((await guard.verify(token)).sub, id(1))
    authority.revoke(kind, ...values)
    await until(() => authority.polls.length === 3)
    assert.equal(await reason(guard.verify(token)), expected)
    await stop()
  }
})

test('ATK-10: an unknown PASERK id fetches the key set as an unknown kid does; what is none does not', async () => {
  const made = await readyPair()
  const { clock, authority, guard, stop } = made
  const before = authority.keyRequests.length
  clock.advance(2000)
  for (const kid of ['k1', 'k4.pid.A', '../../x', `${PASERK}A`]) assert.equal(await reason(guard.verify(paseto(made, { kid }))), 'unknown_key')
  assert.equal(authority.keyRequests.length, before)
  authority.jwks = { keys: [named(authority)] }
  authority.tag = '"2"'
  assert.equal(await reason(guard.verify(paseto(made))), 'accepted')
  assert.equal(authority.keyRequests.length, before + 1)
  assert.equal(await reason(guard.verify(authority.mint())), 'accepted', 'the same key by its kid')
  await stop()
})

test('ATK-26: a service is believed only where services are served', async () => {
  for (const [subjects, ofUser, ofService] of [
    ['users', 'accepted', 'wrong_subject'], ['clients', 'wrong_subject', 'accepted'], ['both', 'accepted', 'accepted'],
  ] as const) {
    const { authority, guard, stop } = await readyPair({ subjects })
    assert.equal(await reason(guard.verify(authority.mint())), ofUser)
    assert.equal(await reason(guard.verify(authority.mint(SERVICE))), ofService)
    authority.introspection = () => ({ active: true, token_type: 'Bearer', sub: id(1), sid: id(2), aud: 'web', exp: 1_795_261_000 })
    assert.equal(await reason(guard.asking().verify('a.b.c')), ofUser)
    authority.introspection = () => ({ active: true, token_type: 'Bearer', ...SERVICE, sid: id(2), aud: 'web', exp: 1_795_261_000 })
    assert.equal(await reason(guard.asking().verify('a.b.c')), ofService)
    await stop()
  }
})

test('introspection: who acts and what was granted, or a refusal', async () => {
  const { authority, guard, stop } = await pair({ mode: 'introspect', subjects: 'both' })
  const yes = { active: true, token_type: 'Bearer', ...SERVICE, sid: id(2), aud: 'web', exp: 1_795_261_000 }
  const act = { sub: 'client:a', sid: id(4), act: { sub: id(5), sid: id(6) } }
  authority.introspection = () => ({ ...yes, act, scope: 'a b' })
  const claims = await guard.verify('a.b.c')
  assert.deepEqual([claims.sub, claims.act, claims.scope, claims.auth_time, claims.acr, claims.amr], [SERVICE.sub, act, 'a b', 0, '', []])
  assert.ok(Object.isFrozen(claims.act) && Object.isFrozen(claims.act?.act))
  for (const wrong of [
    { sub: 'client:' }, { sub: 'billing' }, { act: null }, { act: {} }, { act: [act] }, { act: 'client:a' }, { act: { ...act, more: 1 } },
    { act: { ...act, act: null } }, { act: { sub: 'client:a' } }, { scope: '' }, { scope: ['a'] }, { scope: 'a  b' }, { scope: null },
  ]) {
    authority.introspection = () => ({ ...yes, ...wrong })
    assert.equal(await reason(guard.verify('a.b.c')), 'bad_claim', JSON.stringify(wrong))
  }
  await stop()
})

test('S2: a token ends with the session of whoever acts, and so does its watch', async () => {
  const { authority, guard, stop } = await readyPair()
  const token = authority.mint({ act: { sub: 'client:a', sid: id(5), act: { sub: 'client:b', sid: id(6) } } })
  assert.equal((await guard.verify(token)).act?.act?.sid, id(6))
  const ends: string[] = []
  guard.watch(token, (why) => ends.push(why.reason))
  authority.revoke('sessions', id(6), 2_000_000_000)
  await until(() => ends.length === 1)
  assert.deepEqual(ends, ['revoked'])
  assert.equal(await reason(guard.verify(token)), 'revoked')
  assert.equal(await reason(guard.verify(authority.mint())), 'accepted', 'what the user does alone is not touched')
  await stop()
})

test('JWT-11.2: with a key, what is encrypted is opened and then verified whole; without, it is refused', async () => {
  const keys = (['X25519', 'P-256'] as const).map(decryptionKey)
  const { authority, guard, stop } = await readyPair({ decryptionKeys: keys })
  const hidden = { private: { email: 'a@example.com' } } as Partial<Claims>
  for (const key of keys) {
    const token = await encrypt(authority.mint(hidden), key)
    const claims = await guard.verify(token)
    assert.deepEqual([claims.sub, claims.private], [id(1), hidden.private])
    assert.equal(await guard.verify(token), claims, 'and remembered')
    assert.ok(Object.isFrozen(claims.private))
    assert.equal(await reason(guard.verify(await encrypt(authority.mint({ aud: 'api' }), key))), 'wrong_audience')
    assert.equal(await reason(guard.verify(await encrypt(token, key))), 'malformed')
  }
  assert.equal(await reason(guard.verify(authority.mint())), 'accepted', 'encryption hides, and proves nothing')
  assert.equal(await reason(guard.verify(authority.mint(hidden))), 'bad_claim', 'what is private does not travel in the clear')
  assert.equal(await reason(guard.verify(await encrypt(authority.mint(), decryptionKey('X25519')))), 'not_decryptable', 'another key of that name')
  const without = await readyPair()
  assert.equal(await reason(without.guard.verify(await encrypt(without.authority.mint(), keys[0] ?? {}))), 'malformed')
  await stop()
  await without.stop()
})

test('introspection is asked about the token within, which the authority can read', async () => {
  const key = decryptionKey('X25519')
  const { authority, guard, stop } = await pair({ mode: 'introspect', decryptionKeys: [key] })
  authority.introspection = () => ({ active: true, token_type: 'Bearer', sub: id(1), sid: id(2), aud: 'web', exp: 1_795_261_000 })
  const inner = authority.mint({ private: { email: 'a@example.com' } } as Partial<Claims>)
  assert.deepEqual((await guard.verify(await encrypt(inner, key))).private, { email: 'a@example.com' })
  assert.equal(authority.introspected[0]?.body, `token=${inner}`)
  assert.equal(await reason(guard.verify(inner)), 'bad_claim', 'the same as when the token is verified here')
  assert.equal(await reason(guard.verify(await encrypt(authority.mint({ private: { a: 1 } } as object), key))), 'bad_claim')
  assert.equal((await guard.verify(await encrypt(authority.mint(), key))).private, undefined)
  const asked = authority.introspected.length
  assert.equal(await reason(guard.verify(await encrypt(inner, decryptionKey('X25519')))), 'not_decryptable')
  assert.equal(await reason(guard.verify(await encrypt(await encrypt(authority.mint(), key), key))), 'malformed')
  assert.equal(authority.introspected.length, asked, 'of what cannot be opened nobody is asked')
  await stop()
})

test('a mistake in subjects or decryption keys stops the start, and tells no secret', () => {
  const good = { issuer: ISSUER, audience: 'web', feed: { url: ISSUER, credential: 'cfg_x' } }
  const [okp, ec] = [decryptionKey('X25519'), decryptionKey('P-256')]
  const { d: _, ...open } = okp
  const { y: __, ...half } = ec
  const wrong: JWK[] = [
    open, half, { ...okp, kid: '' }, { ...okp, kid: 'a.b' }, { ...okp, alg: 'ECDH-ES+A128KW' }, { ...okp, use: 'sig' }, { ...okp, crv: 'Ed25519' },
    { ...okp, kty: 'EC' }, { ...okp, x: open.x?.slice(1) ?? '' }, { ...okp, x: decryptionKey('X25519').x ?? '' }, { ...okp, y: okp.x ?? '' },
    { ...okp, d: `${okp.d}=` }, { ...ec, crv: 'P-384' }, { ...ec, d: decryptionKey('P-256').d ?? '' }, { ...ec, d: 'A'.repeat(43) },
    { ...ec, x: ec.y ?? '' }, { ...ec, kty: 'oct' }, { kty: 'oct', k: 'AAAA', kid: 'k' }, {} as JWK,
  ]
  for (const key of wrong) {
    assert.throws(() => createGuard({ ...good, decryptionKeys: [key] }), (error) => {
      assert.ok(error instanceof TypeError, JSON.stringify(key))
      return key.d === undefined || !error.message.includes(key.d)
    })
  }
  assert.throws(() => createGuard({ ...good, decryptionKeys: [okp, { ...ec, kid: okp.kid ?? '' }] }), TypeError)
  for (const subjects of ['user', '', null, 1]) assert.throws(() => createGuard({ ...good, subjects } as never), TypeError)
})
