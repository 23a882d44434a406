/** A whole guard against an authority that is made to misbehave, on a clock that is turned by hand. */

import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import { createGuard } from '../src/guard.js'
import { id, ISSUER, pair, poll, readyPair, reason, settle, until } from './support.js'

test('S2: a revoked session, token or key is refused at the next use, cached or not', async () => {
  for (const [kind, values, expected] of [
    ['sessions', [id(2), 2_000_000_000], 'revoked'],
    ['tokens', [id(3), 2_000_000_000], 'revoked'],
    ['keys', ['k1'], 'key_revoked'],
    ['stale', [id(2), 1, 2_000_000_000], 'stale'],
  ] as const) {
    const { authority, guard, stop } = await readyPair()
    const cached = authority.mint()
    assert.equal((await guard.verify(cached)).sub, id(1))
    authority.revoke(kind, ...values)
    await until(() => authority.polls.length === 3)
    assert.equal(await reason(guard.verify(cached)), expected)
    assert.equal(await reason(guard.verify(authority.mint({ exp: authority.jwks ? 1_795_260_700 : 0 }))), expected)
    assert.equal(await reason(guard.verify(authority.mint({ sid: id(8), jti: id(9) }))), kind === 'keys' ? 'key_revoked' : 'accepted')
    assert.equal(authority.polls[2]?.get('after'), 'logA.1.x', 'the cursor acknowledges')
    await stop()
  }
})

test('S2: nothing is accepted before the first answer', async () => {
  const { authority, guard, stop } = await pair({}, (made) => {
    made.instead = () => {}
  })
  await until(() => authority.polls.length === 1)
  assert.equal(guard.alive(), false)
  assert.equal(await reason(guard.verify(authority.mint())), 'verifier_stale')
  await stop()
})

test('S2: nothing is accepted after the lease, with an authority that has gone silent', async () => {
  const { clock, authority, guard, stop } = await readyPair()
  const token = authority.mint()
  await guard.verify(token)
  authority.instead = () => {}
  // Granted when the first poll was sent, a quarter of a second ago.
  clock.advance(4699)
  assert.equal(await reason(guard.verify(token)), 'accepted')
  clock.advance(1)
  assert.equal(await reason(guard.verify(token)), 'verifier_stale')
  assert.equal(guard.alive(), false)
  await stop()
})

test('S2: a lease that ends, or a revocation that comes, while a token is being verified still counts', async () => {
  for (const [happens, expected] of [['sleep', 'verifier_stale'], ['revocation', 'key_revoked']] as const) {
    const { clock, authority, guard, stop } = await readyPair()
    const key = generateKeyPairSync('ed25519').privateKey
    authority.jwks = { keys: [authority.jwk('k2', key)] }
    authority.tag = '"2"'
    clock.advance(2000)
    const token = authority.mint({}, 'k2', key)
    const polled = authority.polls.length
    authority.meanwhile = async () => {
      if (happens === 'sleep') return clock.suspend(60_000)
      authority.revoke('keys', 'k2')
      await until(() => authority.polls.length > polled, 'the acknowledgement')
    }
    assert.equal(await reason(guard.verify(token)), expected)
    await stop()
  }
})

test('S2: sleep ends the lease, although the monotonic clock stood still', async () => {
  const { clock, authority, guard, stop } = await readyPair()
  clock.suspend(5000)
  assert.equal(await reason(guard.verify(authority.mint())), 'verifier_stale')
  await stop()
})

test('two lost answers in a row are survived, and it asks at once after the first', async () => {
  const { clock, authority, guard, stop } = await readyPair()
  const before = authority.polls.length
  clock.advance(1500)
  await until(() => authority.polls.length === before + 1, 'a poll at once after a time-out')
  clock.advance(1500)
  await settle()
  clock.advance(250)
  await until(() => authority.polls.length === before + 2)
  assert.equal(guard.alive(), true)
  authority.release()
  await settle()
  clock.advance(2000)
  assert.equal(guard.alive(), true, 'the third answer has renewed the lease')
  await stop()
})

test('ATK-31: answers that are cut, foreign, repeated or refused extend nothing', async () => {
  const old: { answer?: Record<string, unknown> } = {}
  for (const [name, misbehave] of Object.entries<Parameters<typeof pair>[1] & object>({
    cut: (authority) => { authority.instead = (response) => { response.writeHead(200, { 'content-length': 999 }).write('{'); response.destroy() } },
    'a foreign nonce': (authority) => { authority.change = (answer) => ({ ...answer, nonce: 'x' }) },
    'a foreign instance': (authority) => { authority.change = (answer) => ({ ...answer, instance: id(9) }) },
    repeated: (authority) => { authority.change = (answer) => (old.answer ??= { ...answer, nonce: 'first' }) },
    'no JSON': (authority) => { authority.instead = (response) => response.end('<html>') },
    redirected: (authority) => { authority.instead = (response) => response.writeHead(307, { location: '/moved' }).end() },
    unknown: (authority) => { Object.assign(authority, { credential: 'cfg_other' }) },
    busy: (authority) => { authority.instead = (response) => response.writeHead(503, { 'retry-after': '1' }).end() },
  })) {
    const { clock, authority, guard, events, stop } = await readyPair()
    misbehave(authority)
    authority.release()
    for (let turn = 0; turn < 24; turn += 1) {
      await settle()
      authority.release()
      clock.advance(250)
    }
    assert.equal(guard.alive(), false, name)
    assert.ok(authority.polls.length <= 2 + 25, `${name}: at most four times a second, not ${authority.polls.length}`)
    assert.ok(events.some((event) => event.includes('poll_failed')), name)
    assert.ok(!events.join().includes('cfg_'), 'no credential in an event')
    await stop()
  }
})

test('Retry-After is heeded, but for no longer than a fifth of S', async () => {
  const { clock, authority, stop } = await readyPair()
  authority.instead = (response) => response.writeHead(503, { 'retry-after': '3' }).end()
  const before = authority.polls.length
  authority.release()
  await until(() => authority.polls.length === before)
  await settle()
  clock.advance(900)
  await settle()
  assert.equal(authority.polls.length, before)
  clock.advance(100)
  await until(() => authority.polls.length === before + 1)
  await stop()
})

test('after a restore the snapshot of the new log is merged; what was revoked stays so', async () => {
  const made = await readyPair()
  const { authority, guard, stop } = made
  const token = authority.mint()
  authority.revoke('sessions', id(2), 2_000_000_000)
  await poll(made)
  authority.restore('logB')
  authority.revoke('sessions', id(5), 2_000_000_000)
  await poll(made)
  assert.equal(authority.polls.at(-1)?.get('after'), 'logB.1.x')
  assert.equal(await reason(guard.verify(token)), 'revoked')
  assert.equal(await reason(guard.verify(authority.mint({ sid: id(5) }))), 'revoked')
  await stop()
})

test('ATK-10: an unknown kid fetches the key set once in two seconds, for all callers together', async () => {
  const made = await readyPair()
  const { clock, authority, guard, stop } = made
  const key = generateKeyPairSync('ed25519').privateKey
  const token = authority.mint({}, 'k2', key)
  const before = authority.keyRequests.length
  clock.advance(1000)
  assert.equal(await reason(guard.verify(token)), 'unknown_key')
  assert.equal(authority.keyRequests.length, before, 'it has only just been fetched')
  authority.jwks = { keys: [authority.jwk('k1', authority.key), authority.jwk('k2', key)] }
  authority.tag = '"2"'
  clock.advance(1000)
  const all = await Promise.all(Array.from({ length: 20 }, () => reason(guard.verify(token))))
  assert.deepEqual(new Set(all), new Set(['accepted']))
  assert.equal(authority.keyRequests.length, before + 1)
  // Of itself, fetch says so only when it sends an entity tag.
  for (const headers of authority.keyRequests) assert.equal(headers['cache-control'], 'no-cache')
  assert.equal(await reason(guard.verify(authority.mint({}, 'k3', key))), 'unknown_key')
  assert.equal(authority.keyRequests.length, before + 1)
  await stop()
})

test('K2: when the announced key set changes it is fetched, and nothing verified by the old one is remembered', async () => {
  const made = await readyPair()
  const { authority, guard, stop } = made
  const token = authority.mint()
  await guard.verify(token)
  const other = generateKeyPairSync('ed25519').privateKey
  authority.jwks = { keys: [authority.jwk('k1', other)] }
  authority.tag = '"2"'
  const before = authority.keyRequests.length
  authority.release()
  await until(() => authority.keyRequests.length === before + 1)
  assert.equal(authority.keyRequests.at(-1)?.['if-none-match'], '"1"')
  await settle()
  assert.equal(await reason(guard.verify(token)), 'bad_signature')
  await stop()
})

test('exp is judged by the authority, whose clock may differ from ours', async () => {
  const { clock, authority, guard, stop } = await pair({}, (made) => {
    made.change = (answer) => ({ ...answer, now: Number(answer['now']) + 100_000 })
  })
  await guard.ready()
  const now = clock.wall / 1000
  assert.equal(await reason(guard.verify(authority.mint({ exp: now + 100, iat: now }))), 'expired')
  const token = authority.mint({ exp: now + 101, iat: now })
  assert.equal(await reason(guard.verify(token)), 'accepted')
  clock.advance(1000)
  assert.equal(await reason(guard.verify(token)), 'expired', 'times are checked at every use')
  await stop()
})

test('introspection, when the lease has ended and the settings say so; silence still refuses', async () => {
  const { clock, authority, guard, stop } = await readyPair({ onLeaseEnd: 'introspect' })
  authority.instead = () => {}
  clock.advance(6000)
  const token = authority.mint()
  authority.introspection = () => ({ active: true, token_type: 'Bearer', sub: id(1), sid: id(2), aud: 'web', exp: 1_795_261_000, roles: ['admin'] })
  const claims = await guard.verify(token)
  assert.deepEqual([claims.sub, claims.roles, claims.acr, claims.auth_time], [id(1), ['admin'], '', 0])
  assert.deepEqual(authority.introspected, [{ authorization: 'Bearer cfg_test', body: `token=${token}` }])
  authority.introspection = () => 500
  assert.equal(await reason(guard.verify(token)), 'verifier_stale')
  await stop()
})

test('introspect mode asks every time and believes only a plain yes', async () => {
  const { authority, guard, stop } = await pair({ mode: 'introspect' })
  const yes = { active: true, token_type: 'Bearer', sub: id(1), sid: id(2), aud: 'web', exp: 1_795_261_000 }
  const cases: [Record<string, unknown> | number, string][] = [
    [yes, 'accepted'],
    [{ ...yes, aud: ['web'] }, 'accepted'],
    [{ ...yes, aud: 'api' }, 'wrong_audience'],
    [{ ...yes, aud: undefined }, 'bad_claim'],
    [{ ...yes, iss: 'https://evil.example' }, 'wrong_issuer'],
    [{ ...yes, iss: ISSUER }, 'accepted'],
    [{ ...yes, sid: undefined }, 'bad_claim'],
    [{ ...yes, exp: 'soon' }, 'bad_claim'],
    [{ ...yes, active: 'true' }, 'verifier_stale'],
    [{ ...yes, token_type: 'refresh_token' }, 'wrong_type'],
    [{ ...yes, token_type: undefined }, 'wrong_type'],
    [{ active: false }, 'inactive'],
    [{ active: false, reason: 'session_revoked' }, 'revoked'],
    [{ active: false, reason: 'expired' }, 'expired'],
    [{ active: false, reason: 'token_stale' }, 'stale'],
    [{ active: false, reason: '__proto__' }, 'inactive'],
    [{}, 'verifier_stale'],
    [401, 'verifier_stale'],
    [503, 'verifier_stale'],
  ]
  for (const [said, expected] of cases) {
    authority.introspection = () => said
    assert.equal(await reason(guard.verify('a.b.c')), expected, JSON.stringify(said))
  }
  assert.equal(authority.introspected.length, cases.length)
  assert.equal(await reason(guard.verify('x'.repeat(4097))), 'too_large')
  assert.equal(await reason(guard.verify('a b')), 'malformed')
  assert.equal(authority.introspected.length, cases.length, 'what cannot be a token is not sent')
  assert.equal(authority.polls.length, 0)
  await stop()
})

test('a closed guard refuses, and whoever waits for it learns so', async () => {
  const { clock, guard, authority, stop } = await pair({}, (made) => {
    made.instead = () => {}
  })
  const waiting = guard.ready()
  guard.close()
  await assert.rejects(waiting, /closed/)
  await assert.rejects(guard.ready(), /closed/)
  assert.equal(await reason(guard.verify(authority.mint())), 'verifier_stale')
  await settle()
  assert.equal(clock.armed, 0, 'no timer is left')
  await stop()
})

test('a mistake in the settings stops the start', () => {
  const good = { issuer: ISSUER, audience: 'web', feed: { url: ISSUER, credential: 'cfg_x' } }
  const wrong: object[] = [
    { issuer: 'app' }, { audience: '' }, { audience: [] }, { feed: { url: 'http://authority.internal', credential: 'x' } },
    { feed: { url: 'https://a:b@app.example', credential: 'x' } }, { feed: { url: ISSUER, credential: '' } },
    { feed: { url: ISSUER, credential: 'a\r\nb' } }, { mode: 'offline' }, { onLeaseEnd: 'accept' }, { cacheSize: 0 },
  ]
  for (const more of wrong) assert.throws(() => createGuard({ ...good, ...more } as never), TypeError, JSON.stringify(more))
})
