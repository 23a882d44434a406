/** What a route asks beyond a good token. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Auth } from '../src/credential.js'
import { Problem } from '../src/problem.js'
import { requirement, type Requirement } from '../src/require.js'

function outcome(wanted: Requirement, claims: object): string {
  const auth = { claims: { acr: 'aal1', auth_time: 940, roles: ['editor'], ...claims }, source: 'bearer', at: 1000 } as unknown as Auth
  try {
    requirement(wanted)(auth)
    return 'passes'
  } catch (error) {
    assert.ok(error instanceof Problem)
    return error.headers()['www-authenticate'] ?? error.code
  }
}

const challenge = (rest: string): string => `Bearer error="insufficient_user_authentication", ${rest}`

test('STEP-1: the challenge says what would be enough', () => {
  assert.equal(outcome({}, {}), 'passes')
  assert.equal(outcome({ acr: 'aal1' }, {}), 'passes')
  assert.equal(outcome({ acr: 'aal1' }, { acr: 'aal2' }), 'passes', 'stronger is enough')
  assert.equal(outcome({ acr: 'aal2' }, {}), challenge('acr_values="aal2"'))
  assert.equal(outcome({ acr: 'aal1' }, { acr: '' }), challenge('acr_values="aal1"'))
  assert.equal(outcome({ acr: 'urn:x' }, { acr: 'urn:x' }), 'passes')
  assert.equal(outcome({ acr: 'urn:x' }, { acr: 'aal2' }), challenge('acr_values="urn:x"'), 'of others no order is known')
  assert.equal(outcome({ maxAge: 60 }, {}), 'passes')
  assert.equal(outcome({ maxAge: 59 }, {}), challenge('max_age="59"'))
  assert.equal(outcome({ maxAge: 0 }, { auth_time: 1000 }), 'passes')
  assert.equal(outcome({ acr: 'aal2', maxAge: 60 }, {}), challenge('acr_values="aal2", max_age="60"'))
})

test('a missing role is forbidden, whatever else is wanting', () => {
  assert.equal(outcome({ role: 'editor' }, {}), 'passes')
  assert.equal(outcome({ role: ['admin', 'editor'] }, {}), 'passes')
  assert.equal(outcome({ role: 'admin', acr: 'aal2' }, {}), 'forbidden')
  assert.equal(outcome({ role: [] }, {}), 'forbidden')
  assert.equal(outcome({ role: 'edit' }, {}), 'forbidden')
})

test('BEAR-1: a scope that was not granted is named in the challenge', () => {
  const lacking = (scope: string): string => `Bearer error="insufficient_scope", scope="${scope}"`
  const granted = { scope: 'orders:read b' }
  assert.equal(outcome({ scope: 'b' }, granted), 'passes')
  assert.equal(outcome({ scope: ['b', 'orders:read'] }, granted), 'passes')
  assert.equal(outcome({ scope: [] }, {}), 'passes')
  assert.equal(outcome({ scope: 'orders:read' }, {}), lacking('orders:read'))
  assert.equal(outcome({ scope: ['b', 'c', 'b'] }, granted), lacking('b c'), 'all that is needed, once each')
  for (const part of ['read', 'orders', 'B', 'orders:rea', 'orders:read:all']) {
    assert.equal(outcome({ scope: part }, granted), lacking(part), 'ATK-27: whole tokens only')
  }
})

test('what was granted counts before roles, and roles before proofs', () => {
  assert.equal(outcome({ scope: 'a', role: 'admin', acr: 'aal2' }, {}), 'Bearer error="insufficient_scope", scope="a"')
  assert.equal(outcome({ scope: 'a', role: 'admin', acr: 'aal2' }, { scope: 'a' }), 'forbidden')
  assert.equal(outcome({ scope: 'a', role: 'editor', acr: 'aal2' }, { scope: 'a' }), challenge('acr_values="aal2"'))
})

test('RFC 6750: what is lacking is told in a 403 of its own code', () => {
  const problem = new Problem('insufficient_scope', { challenge: { scope: 'a b' } })
  assert.equal(problem.status, 403)
  assert.equal(problem.headers()['www-authenticate'], 'Bearer error="insufficient_scope", scope="a b"')
  assert.equal(new Problem('forbidden').headers()['www-authenticate'], undefined)
})

test('a requirement that could not be said in a challenge is refused when the route is made', () => {
  for (const wrong of [{ acr: 'a"b' }, { acr: 'a b' }, { acr: '' }, { maxAge: -1 }, { maxAge: 1.5 }, { maxAge: Number.NaN }, { scope: '' }, { scope: 'a b' }, { scope: ['a', 'b"'] }, { scope: 'a\\b' }, { scope: 'ä' }]) {
    assert.throws(() => requirement(wrong), TypeError)
  }
})
