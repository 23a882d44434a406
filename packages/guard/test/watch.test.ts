/** Watches: told once when a token stops counting. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Claims } from '../src/claims.js'
import { Refusal } from '../src/refusal.js'
import { Watches } from '../src/watch.js'
import { id, type Pair, pair, readyPair, settle, until } from './support.js'

interface Watched {
  readonly ends: string[]
  readonly stop: () => void
}

/** Watches a token and notes why it ended. */
function watched({ guard }: Pair, token: string): Watched {
  const ends: string[] = []
  const stop = guard.watch(token, (why) => ends.push(why.reason))
  return { ends, stop }
}

/** The same, once the token has been judged: from then on a timer runs until it expires. */
async function watching(made: Pair, token: string): Promise<Watched> {
  const before = made.clock.armed
  const watch = watched(made, token)
  await until(() => made.clock.armed > before, 'a watch that runs')
  return watch
}

test('a watch fires once, on revocation', async () => {
  const made = await readyPair()
  const { clock, authority, stop } = made
  const hit = await watching(made, authority.mint())
  const other = await watching(made, authority.mint({ sid: id(8), jti: id(9) }))
  await settle()
  authority.revoke('sessions', id(2), 2_000_000_000)
  await until(() => hit.ends.length > 0)
  clock.advance(600_000)
  assert.deepEqual(hit.ends, ['revoked'])
  assert.deepEqual(other.ends, ['verifier_stale'], 'the lease has ended for the other one')
  await stop()
})

test('a watch fires when the token expires', async () => {
  const made = await readyPair()
  const { clock, authority, stop } = made
  const { ends } = await watching(made, authority.mint({ exp: Math.floor(clock.wall / 1000) + 3 }))
  await settle()
  clock.advance(2999 - (clock.wall % 1000))
  assert.deepEqual(ends, [])
  clock.advance(1)
  assert.deepEqual(ends, ['expired'])
  await stop()
})

test('a watch fires when the lease ends, also after sleep and before the next answer renews it', async () => {
  const made = await readyPair()
  const { clock, authority, stop } = made
  const { ends } = await watching(made, authority.mint())
  await settle()
  clock.suspend(60_000)
  authority.release()
  await until(() => ends.length > 0)
  assert.deepEqual(ends, ['verifier_stale'])
  assert.equal(made.guard.alive(), false, 'what was asked before the sleep gives no lease after it')
  await settle()
  clock.advance(250)
  await until(() => made.guard.alive())
  await stop()
})

test('a watch of a token that does not count fires at once; one that was taken away never', async () => {
  const made = await readyPair()
  const { clock, authority, stop } = made
  const bad = watched(made, 'not.a.token')
  const gone = watched(made, authority.mint())
  gone.stop()
  await until(() => bad.ends.length > 0)
  await settle()
  const later = await watching(made, authority.mint())
  later.stop()
  const after = await watching(made, authority.mint())
  authority.revoke('sessions', id(2), 2_000_000_000)
  await until(() => after.ends.length > 0)
  clock.advance(600_000)
  assert.deepEqual([bad.ends, gone.ends, later.ends, after.ends], [['malformed'], [], [], ['revoked']])
  await stop()
})

test('a call-back that fails does not keep the others open', (t) => {
  const later: (() => void)[] = []
  t.mock.method(globalThis, 'queueMicrotask', (callback: () => void) => later.push(callback))
  const watches = new Watches()
  const ended: string[] = []
  const claims = {} as Claims
  watches.add({ claims, kid: 'k', end: () => { throw new Error('from the test') } })
  watches.add({ claims, kid: 'k', end: (why) => ended.push(why.reason) })
  watches.sweep(() => new Refusal('revoked'))
  assert.deepEqual(ended, ['revoked'])
  assert.throws(() => later[0]?.(), /from the test/, 'and it is not swallowed')
})

test('closing the guard ends every watch', async () => {
  const made = await readyPair()
  const { ends } = await watching(made, made.authority.mint())
  await settle()
  made.guard.close()
  assert.deepEqual(ends, ['verifier_stale'])
  await made.stop()
})

test('an introspecting guard asks again every five seconds about a token that is watched', async () => {
  const made = await pair({ mode: 'introspect' })
  const { clock, authority, stop } = made
  const yes = (): Record<string, unknown> => ({ active: true, token_type: 'Bearer', sub: id(1), sid: id(2), aud: 'web', exp: clock.wall / 1000 + 300 })
  authority.introspection = yes
  const { ends } = watched(made, 'a.b.c')
  const gone = watched(made, 'd.e.f')
  await until(() => authority.introspected.length === 2)
  await settle()
  gone.stop()
  clock.advance(5000)
  await until(() => authority.introspected.length === 3)
  await settle()
  assert.deepEqual(ends, [])
  const leaving = watched(made, 'g.h.i')
  await until(() => authority.introspected.length === 4)
  await settle()
  // It leaves while the authority is being asked about it.
  authority.introspection = (token) => {
    if (token === 'g.h.i') leaving.stop()
    return yes()
  }
  clock.advance(5000)
  await until(() => authority.introspected.length === 6)
  await settle()
  authority.introspection = () => ({ active: false, reason: 'session_revoked' })
  clock.advance(5000)
  await until(() => ends.length > 0)
  assert.deepEqual([ends, gone.ends], [['revoked'], []])
  clock.advance(60_000)
  await settle()
  assert.equal(authority.introspected.length, 7, 'nobody is asked about what nobody watches')
  await stop()
})
