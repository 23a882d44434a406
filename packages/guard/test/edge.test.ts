/** A guard for runtimes that are not Node, where it asks about every token. How it judges by lists is in `status_list.test.ts`. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { authenticate, createGuard, type EdgeOptions } from '../src/edge.js'
import type { Guard } from '../src/guard.js'
import { id, ISSUER, pair, reason } from './support.js'

test('on the edge a guard can ask about every token, and keeps nothing', async () => {
  const { authority, clock, stop } = await pair()
  const token = authority.mint()
  const good = { active: true, token_type: 'Bearer', iss: ISSUER, sub: id(1), aud: 'web', sid: id(2), exp: 2_000_000_000 }
  authority.introspection = (asked) => (asked === token ? good : { active: false })
  const before = authority.introspected.length
  const options: EdgeOptions = { issuer: ISSUER, audience: 'web', feed: { url: authority.url, credential: 'cfg_test' }, clock }
  const guard = createGuard({ ...options, mode: 'introspect' })
  const ask = (sent: string): Promise<string> =>
    reason(authenticate(guard, new Request(`${ISSUER}/me`, { headers: { authorization: `Bearer ${sent}` } })))
  assert.deepEqual([await ask(token), await ask(token), await ask('a.b.c')], ['accepted', 'accepted', 'inactive'])
  assert.deepEqual(authority.introspected.slice(before).map(({ authorization }) => authorization), Array(3).fill('Bearer cfg_test'))
  authority.introspection = () => ({ active: false, reason: 'session_revoked' })
  assert.equal(await ask(token), 'revoked')
  authority.introspection = () => 503
  assert.equal(await ask(token), 'verifier_stale')
  guard.close()
  const lists: Guard = createGuard(options)
  authority.introspection = () => good
  assert.equal((await lists.asking().verify(token)).sub, id(1), 'for single routes, where there is a credential')
  lists.close()
  await stop()
})

test('on the edge a configuration that cannot be is refused', () => {
  const options = { issuer: ISSUER, audience: 'web' }
  assert.throws(() => createGuard({ ...options, mode: 'introspect' }), /feed is needed/)
  assert.throws(() => createGuard({ ...options, mode: 'pushed' as never, feed: { url: ISSUER, credential: 'cfg_a' } }), /mode must be "status-list" or "introspect"/)
  assert.throws(() => createGuard(options).asking(), /needs feed.credential/)
})
