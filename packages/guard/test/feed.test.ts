/** The feed as a state machine: no socket, no clock. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Claims } from '../src/claims.js'
import { Feed } from '../src/feed.js'
import { RevocationIndex } from '../src/revocation.js'
import { id } from './support.js'

const INSTANCE = id(7)
const at = (time: number, wall = time): { mono: number; wall: number } => ({ mono: time, wall })
const claims = (more: Partial<Claims> = {}): Claims => ({ sid: id(2), jti: id(3), cv: 0, ...more }) as Claims

function made(): { feed: Feed; index: RevocationIndex; ask: (time: number) => void; answer: (time: number, more?: object) => string } {
  const index = new RevocationIndex()
  const feed = new Feed(INSTANCE, index)
  let nonce = ''
  let count = 0
  const ask = (time: number): void => {
    count += 1
    nonce = `n${count}`
    feed.poll(at(time), nonce)
  }
  const answer = (time: number, more: object = {}): string => feed.receive({
    instance: INSTANCE, nonce, cursor: 'A.1.h', snapshot: true, held_ms: 0, now: 1_000_000, max_staleness_ms: 5000,
    margin_ms: 50, keys_etag: '"e"', sessions: [], tokens: [], stale: [], keys: [], ...more,
  }, at(time))
  return { feed, index, ask, answer }
}

test('S2: the lease runs from the moment of asking, less the margin', () => {
  const { feed, ask, answer } = made()
  assert.equal(feed.alive(at(0)), false, 'nothing before the first answer')
  ask(100)
  assert.equal(answer(900), 'nothing_new')
  assert.equal(feed.alive(at(100 + 4949)), true)
  assert.equal(feed.alive(at(100 + 4950)), false)
  assert.equal(feed.remaining(at(100)), 4950)
})

test('S2: what the authority held the request for counts, but no more than has passed, and it may be negative', () => {
  const { feed, ask, answer } = made()
  ask(100)
  answer(1100, { held_ms: 812 })
  assert.equal(feed.remaining(at(100)), 4950 + 812)
  ask(2000)
  answer(2300, { held_ms: 100_000 })
  assert.equal(feed.remaining(at(2000)), 4950 + 300)
  ask(3000)
  answer(3300, { held_ms: -40 })
  assert.equal(feed.remaining(at(3000)), 4950 - 40)
})

test('S2: either clock ends the lease', () => {
  const { feed, ask, answer } = made()
  ask(0)
  answer(10)
  assert.equal(feed.alive(at(100, 4950)), false, 'the machine slept')
  assert.equal(feed.alive(at(4950, 100)), false, 'the wall clock was set back')
  assert.equal(feed.alive(at(100, 100)), true)
})

test('the authority carries its clock; of two clocks here the one that went further counts', () => {
  const { feed, ask, answer } = made()
  ask(0)
  answer(10)
  assert.equal(feed.now(at(10)), 1_000_000)
  assert.equal(feed.now(at(310)), 1_000_300)
  assert.equal(feed.now(at(310, 2010)), 1_002_000)
  assert.equal(feed.now(at(310, -5000)), 1_000_300)
})

test('ATK-31: a foreign, late or repeated answer is ignored', () => {
  const { feed, ask, answer } = made()
  assert.equal(answer(0), 'ignored', 'nobody has asked')
  ask(0)
  assert.equal(answer(1, { nonce: 'n9' }), 'ignored')
  assert.equal(answer(1, { instance: id(8) }), 'ignored')
  assert.equal(answer(1, { nonce: undefined }), 'ignored')
  assert.equal(feed.alive(at(1)), false)
  ask(10)
  assert.equal(answer(11, { nonce: 'n1' }), 'ignored', 'the answer to an earlier question')
  assert.equal(answer(12), 'nothing_new')
  assert.equal(answer(4000), 'ignored', 'a second time')
  assert.equal(feed.alive(at(4960)), false, 'what was ignored extends nothing')
})

test('ATK-31: a list of changes follows only what is here already', () => {
  const { feed, ask, answer } = made()
  ask(0)
  assert.equal(answer(1, { snapshot: false }), 'ignored', 'before any snapshot')
  ask(2)
  answer(3)
  ask(4)
  assert.equal(answer(5, { snapshot: false, cursor: 'B.9.h', sessions: [id(2), 2000] }), 'ignored', 'of another log')
  assert.equal(feed.poll(at(6), 'x').after, 'A.1.h')
})

test('the cursor never goes back within a log, and a snapshot of another log is merged in', () => {
  const { feed, index, ask, answer } = made()
  ask(0)
  answer(1, { cursor: 'A.5.h', sessions: [id(2), 2000] })
  ask(2)
  answer(3, { cursor: 'A.4.h' })
  assert.equal(feed.poll(at(4), 'x').after, 'A.5.h')
  assert.throws(() => index.check(claims(), 'k'), { reason: 'revoked' })
  ask(5)
  answer(6, { cursor: 'B.1.h', tokens: [id(4), 2000] })
  assert.equal(feed.poll(at(7), 'x').after, 'B.1.h')
  assert.throws(() => index.check(claims(), 'k'), { reason: 'revoked' }, 'entries are only added')
  assert.throws(() => index.check(claims({ sid: id(9), jti: id(4) }), 'k'), { reason: 'revoked' })
})

test('half an answer is none', () => {
  const wrong: object[] = [
    { sessions: [id(2)] }, { sessions: ['x', 1] }, { sessions: [id(2), '1'] }, { sessions: undefined }, { tokens: {} },
    { stale: [id(2), 1] }, { stale: [id(2), 1.5, 2] }, { keys: ['../x'] }, { keys: [1] }, { cursor: '' }, { cursor: 1 },
    { snapshot: 'yes' }, { held_ms: '0' }, { held_ms: 0.5 }, { now: null }, { max_staleness_ms: 0 }, { margin_ms: -1 },
    { max_staleness_ms: 400_000 }, { max_staleness_ms: 1000, margin_ms: 1000 }, { keys_etag: undefined },
  ]
  for (const more of wrong) {
    const { feed, index, ask, answer } = made()
    ask(0)
    assert.equal(answer(1, { keys: ['k1'], ...more }), 'ignored', JSON.stringify(more))
    assert.equal(feed.alive(at(1)), false)
    assert.equal(index.size, 0, 'nothing of it is taken in')
  }
  const { feed } = made()
  feed.poll(at(0), 'n')
  for (const body of [undefined, null, 'x', 1, []]) assert.equal(feed.receive(body, at(1)), 'ignored')
})

test('a poll waits a fifth of S and gives up after three tenths', () => {
  const { feed, ask, answer } = made()
  assert.deepEqual(feed.poll(at(0), 'n'), { instance: INSTANCE, nonce: 'n', wait: 0, after: undefined, timeout: 1500 })
  ask(1)
  answer(2, { max_staleness_ms: 60_000 })
  assert.deepEqual(feed.poll(at(3), 'm'), { instance: INSTANCE, nonce: 'm', wait: 12_000, after: 'A.1.h', timeout: 18_000 })
  assert.equal(feed.poll(at(60_000), 'o').wait, 0, 'without a lease there is no time to wait')
})

test('entries leave when no token they hit can be alive; those of keys never', () => {
  const { index, ask, answer } = made()
  ask(0)
  answer(1, { sessions: [id(2), 1001], tokens: [id(3), 1001], stale: [id(2), 1, 1001], keys: ['k1'] })
  assert.equal(index.size, 4)
  ask(2)
  answer(3, { now: 1_011_000 })
  assert.equal(index.size, 1)
  assert.throws(() => index.check(claims(), 'k1'), { reason: 'key_revoked' })
})
