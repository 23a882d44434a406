/** Status lists as both guards read them, what is kept of them, and a guard that rests on them. */

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { generateKeyPairSync, sign } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, test } from 'node:test'
import { deflateSync } from 'node:zlib'
import { Hono } from 'hono'
import type { Claims } from '../src/claims.js'
import type { Instant } from '../src/clock.js'
import * as edge from '../src/edge.js'
import { createGuard, type Guard, type GuardOptions } from '../src/guard.js'
import { authenticate } from '../src/hono.js'
import { type Json, parseStrict } from '../src/json.js'
import { KeySet } from '../src/jwks.js'
import { authenticate as onNext } from '../src/next.js'
import { Refusal } from '../src/refusal.js'
import { MAX_LIST_TOKEN_BYTES, MOST_LISTS, readStatusList, type StatusList, StatusLists, Statuses } from '../src/status_list.js'
import { read } from './published.js'
import { id, ISSUER, reason, settle, START, TestClock, until } from './support.js'

interface Case {
  name: string
  list?: string
  made?: { repeat: string; times: number }
  uri?: string
  held?: string
  statuses?: Record<string, number | null>
  ttl?: number
  until?: number
  older?: boolean
  refusal?: string
}
interface Lists {
  issuer: string
  uri: string
  now: number
  jwks: unknown
  cases: Case[]
}

const json = (value: unknown): Json | undefined => parseStrict(Buffer.from(JSON.stringify(value)))
const found = (statuses: Statuses, expected: Record<string, number | null>): Record<string, number | null> =>
  Object.fromEntries(Object.keys(expected).map((index) => [index, statuses.status(Number(index)) ?? null]))

test('TSL-8.3a: every list of guard/status_list is read or refused as written', async (t) => {
  const { issuer, now, jwks, cases, ...file } = read<Lists>('guard/status_list')
  const keys = await KeySet.fromJwks(JSON.stringify(jwks))
  const at = { mono: 0, wall: now * 1000 }
  for (const { name, list, made, uri = file.uri, held, statuses, ttl, until: end, older = false, refusal } of cases) {
    await t.test(name, async () => {
      const token = list ?? (made?.repeat ?? '').repeat(made?.times ?? 0)
      const reading = (text: string): Promise<StatusList> =>
        readStatusList(text, { uri, issuer, now: at.wall }, async (kid) => keys.get(kid))
      const result = await reading(token).catch((error: unknown) => error)
      if (!(result instanceof Object && 'statuses' in result)) {
        assert.equal(result instanceof Refusal ? result.reason : result, refusal)
        return
      }
      const taken = result as StatusList
      assert.equal(refusal, undefined)
      assert.deepEqual([taken.ttl / 1000, taken.expiresAt, taken.uri], [ttl, end, uri])
      assert.deepEqual(found(taken.statuses, statuses ?? {}), statuses)
      const lists = new StatusLists(issuer)
      if (held !== undefined) assert.equal(lists.receive(await reading(held), at), true)
      assert.equal(lists.receive(taken, at), !older)
    })
  }
  assert.ok(cases.length >= 150, String(cases.length))
})

interface Encoding {
  name: string
  size: number
  status_list: { bits: number; lst: string }
  expected: Record<string, number>
  out_of_bounds_index: number
}

test('TSL-4.1: the published lists say what they should, and nothing beyond their end', async () => {
  const files = read<Encoding[]>('status-list/encoding')
  for (const { name, size, status_list: { bits, lst }, expected, out_of_bounds_index } of files) {
    const statuses = await Statuses.decode(json(bits), lst)
    for (let index = 0; index < size; index += 1) assert.equal(statuses.status(index), expected[index] ?? 0, `${name} ${index}`)
    assert.equal(statuses.status(out_of_bounds_index), undefined, name)
  }
  assert.equal(files.length, 6)
})

test('TSL-5.1a: the published token is read, by its key and for its address', async () => {
  const file = read<{ status_list_token_jwt: string; public_jwk: object; claims: { iss: string; sub: string; iat: number; exp: number }; expected_status_of_idx: Record<string, number> }>('status-list/token')
  const keys = await KeySet.fromJwks(JSON.stringify({ keys: [file.public_jwk] }))
  const { iss: issuer, sub: uri, iat, exp } = file.claims
  const reading = (more: object): Promise<StatusList> =>
    readStatusList(file.status_list_token_jwt, { uri, issuer, now: iat * 1000, ...more }, async (kid) => keys.get(kid))
  const list = await reading({})
  assert.deepEqual(found(list.statuses, file.expected_status_of_idx), file.expected_status_of_idx)
  assert.equal(list.ttl, 3_600_000, 'half a day is too long')
  assert.equal(list.statuses.status(16), undefined)
  assert.equal(await reason(reading({ uri: 'https://example.com/statuslists/2' })), 'wrong_subject')
  assert.equal(await reason(reading({ issuer: 'https://example.org' })), 'wrong_issuer')
  assert.equal(await reason(reading({ now: exp * 1000 })), 'expired')
})

test('TSL-11: what inflates without end is not inflated to the end', async () => {
  // 1 GiB of zeros in 1 MiB.
  const bomb = deflateSync(Buffer.alloc(2 ** 30), { level: 9 }).toString('base64url')
  const before = process.memoryUsage().arrayBuffers
  let most = 0
  const watching = setInterval(() => { most = Math.max(most, process.memoryUsage().arrayBuffers - before) }, 1)
  assert.equal(await reason(Statuses.decode(json(1), bomb)), 'too_large')
  clearInterval(watching)
  assert.ok(most < 64 * 2 ** 20, String(most))
})

const at = (milliseconds: number): Instant => ({ mono: milliseconds, wall: START + milliseconds })
const uriOf = (name: string): string => `${ISSUER}/status-lists/${name}`
const claimsOf = (uri: string, idx = 0): Pick<Claims, 'status'> => ({ status: { idx, uri } })
/** Two bits each: 0, 1, 2, 3. */
const statuses = await Statuses.decode(json(2), 'eNp7AgAA5QDl')
const listOf = (name: string, age = 0): StatusList =>
  ({ uri: uriOf(name), issuedAt: START / 1000 - age, expiresAt: START / 1000 + 3600, ttl: 60_000, statuses })
function holding(): StatusLists {
  const lists = new StatusLists(ISSUER)
  assert.ok(lists.receive(listOf('1'), at(0)))
  return lists
}
const verdict = (lists: StatusLists, claims: Pick<Claims, 'status'>, when: Instant): unknown => {
  const said = lists.check(claims, when)
  return said instanceof Refusal ? said.reason : said
}

test('TSL-7.1: only the value zero counts, and an index beyond the end is none', () => {
  const lists = holding()
  const said = [0, 1, 2, 3, 4, 4294967295].map((index) => verdict(lists, claimsOf(uriOf('1'), index), at(1)))
  assert.deepEqual(said, ['valid', 'revoked', 'revoked', 'revoked', 'bad_claim', 'bad_claim'])
  assert.equal(verdict(lists, {}, at(1)), 'bad_claim')
})

test('TSL-11: a token makes nobody fetch from elsewhere', () => {
  const lists = holding()
  assert.deepEqual(verdict(lists, claimsOf(uriOf('2')), at(1)), { wanted: uriOf('2') })
  for (const name of ['', '/', '../1', '1/2', '1?a', '1#a', '%2e', '1 ', '1\n', '\u00e9', '.', '1.', 'a'.repeat(65)]) {
    assert.equal(verdict(lists, claimsOf(uriOf(name)), at(1)), 'bad_claim', name)
  }
  for (const uri of [
    `${ISSUER}.evil.example/status-lists/1`, `${ISSUER}@evil.example/status-lists/1`, 'http://app.example.com/status-lists/1',
    `${ISSUER}:443/status-lists/1`, 'https://APP.example.com/status-lists/1', `${ISSUER}//status-lists/1`, `${ISSUER}/status-lists`,
    'https://169.254.169.254/status-lists/1', '',
  ]) assert.equal(verdict(lists, claimsOf(uri), at(1)), 'bad_claim', uri)
})

test('TSL-11: an older list does not replace a newer one', () => {
  const lists = holding()
  const token = claimsOf(uriOf('1'))
  assert.equal(lists.receive(listOf('1', 1), at(30_000)), false)
  assert.equal(verdict(lists, token, at(59_999)), 'valid')
  assert.deepEqual(verdict(lists, token, at(60_000)), { wanted: uriOf('1') }, 'nor has it renewed anything')
  assert.equal(lists.receive(listOf('1', 1), at(60_000)), false, 'also where what is held is over')
  assert.equal(lists.receive(listOf('1'), at(60_000)), true)
  assert.equal(lists.receive(listOf('1', -1), at(60_000)), true)
  assert.equal(lists.receive(listOf('2', 1), at(0)), true, 'each by itself')
  assert.equal(verdict(lists, token, at(100_000)), 'valid')
})

test('TSL-13: a list is over after its ttl by either clock, or at its end', () => {
  const lists = holding()
  const token = claimsOf(uriOf('1'))
  const wanted = { wanted: uriOf('1') }
  assert.deepEqual([44_999, 45_000].map((time) => lists.isDue(uriOf('1'), at(time))), [false, true])
  assert.ok(lists.isDue(uriOf('2'), at(0)))
  assert.ok(lists.isUsable(uriOf('1'), at(59_999)) && !lists.isUsable(uriOf('1'), at(60_000)))
  for (const [mono, wall] of [[60_000, 0], [0, 60_000], [0, -1], [1, -3_600_000]] as const) {
    assert.deepEqual(verdict(lists, token, { mono, wall: START + wall }), wanted, `${mono} ${wall}`)
  }
  lists.confirm(uriOf('1'), at(50_000))
  assert.equal(verdict(lists, token, at(109_999)), 'valid')
  assert.deepEqual(verdict(lists, token, at(110_000)), wanted)
  lists.confirm(uriOf('1'), at(3_590_000))
  assert.equal(verdict(lists, token, at(3_599_999)), 'valid')
  assert.deepEqual(verdict(lists, token, at(3_600_000)), wanted, 'however often it is confirmed')
})

test('the lists least recently used go', () => {
  const lists = holding()
  for (let name = 2; name < 1000; name += 1) {
    lists.receive(listOf(String(name)), at(0))
    assert.equal(verdict(lists, claimsOf(uriOf('1')), at(1)), 'valid')
    assert.ok(lists.size <= MOST_LISTS)
  }
  assert.deepEqual(verdict(lists, claimsOf(uriOf('2')), at(1)), { wanted: uriOf('2') })
  assert.equal(verdict(lists, claimsOf(uriOf('999')), at(1)), 'valid')
})

type Respond = (response: ServerResponse, headers: IncomingHttpHeaders) => void

/** An authority that serves one list, and can be made to misbehave. */
class Publisher {
  readonly clock = new TestClock()
  readonly key = generateKeyPairSync('ed25519')
  readonly asked: IncomingHttpHeaders[] = []
  readonly keysAsked: IncomingHttpHeaders[] = []
  readonly elsewhere: string[] = []
  readonly events: string[] = []
  url = ''
  keys: Respond = (response) => {
    response.end(JSON.stringify({ keys: [{ ...this.key.publicKey.export({ format: 'jwk' }), kid: 'k1', alg: 'EdDSA', use: 'sig' }] }))
  }
  list: Respond = (response) => void response.writeHead(503).end()
  #server: Server | undefined

  async start(): Promise<this> {
    this.#server = createServer(({ url, headers }, response) => {
      if (url === '/.well-known/jwks.json') {
        this.keysAsked.push(headers)
        return this.keys(response, headers)
      }
      if (url !== '/status-lists/1') {
        this.elsewhere.push(url ?? '')
        return void response.writeHead(404).end()
      }
      this.asked.push(headers)
      return this.list(response, headers)
    })
    await new Promise<void>((resolve) => this.#server?.listen(0, '127.0.0.1', resolve))
    this.url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
    return this
  }

  async stop(): Promise<void> {
    this.#server?.closeAllConnections()
    await new Promise((resolve) => this.#server?.close(resolve))
  }

  get now(): number {
    return Math.floor(this.clock.wall / 1000)
  }

  sign(typ: string, claims: object): string {
    const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
    const input = `${part({ alg: 'EdDSA', kid: 'k1', typ })}.${part(claims)}`
    return `${input}.${sign(null, Buffer.from(input), this.key.privateKey).toString('base64url')}`
  }

  token(idx: number, more: object = {}): string {
    return this.sign('at+jwt', {
      iss: ISSUER, sub: id(1), aud: 'web', client_id: 'web', exp: this.now + 600, iat: this.now, jti: id(3), sid: id(2), auth_time: this.now - 600,
      acr: 'aal1', amr: ['pwd'], status: { status_list: { idx, uri: uriOf('1') } }, ...more,
    })
  }

  /** Eight tokens, of which these bits are set. */
  made(bits: number, { age = 0, ttl = 60 } = {}): string {
    const lst = deflateSync(Buffer.of(bits)).toString('base64url')
    return this.sign('statuslist+jwt', {
      iss: ISSUER, sub: uriOf('1'), iat: this.now - age, exp: this.now + 3600, ttl, status_list: { bits: 1, lst },
    })
  }

  publish(list: string, etag: string = '"1"', type: string = 'application/statuslist+jwt'): void {
    this.list = (response, headers) => {
      if (headers['if-none-match'] === etag) return void response.writeHead(304, { etag }).end()
      response.writeHead(200, { 'content-type': type, etag }).end(list)
    }
  }

  options(): GuardOptions {
    const onEvent = (event: object): void => void this.events.push(JSON.stringify(event))
    return { issuer: ISSUER, audience: 'web', mode: 'status-list', authority: this.url, clock: this.clock, onEvent }
  }
}

const open: { publisher: Publisher; guard: Guard }[] = []
afterEach(async () => {
  for (const { publisher, guard } of open.splice(0)) {
    guard.close()
    await publisher.stop()
  }
})

async function published(list?: (publisher: Publisher) => string): Promise<{ publisher: Publisher; guard: Guard }> {
  const publisher = await new Publisher().start()
  if (list !== undefined) publisher.publish(list(publisher))
  const guard = createGuard(publisher.options())
  open.push({ publisher, guard })
  return { publisher, guard }
}

test('a list is fetched once for all who need it, without a credential', async () => {
  const { publisher, guard } = await published((made) => made.made(0b10))
  const said = await Promise.all(Array.from({ length: 50 }, (_, index) => reason(guard.verify(publisher.token(index % 2)))))
  assert.deepEqual(new Set(said.filter((_, index) => index % 2 === 0)), new Set(['accepted']))
  assert.deepEqual(new Set(said.filter((_, index) => index % 2 === 1)), new Set(['revoked']))
  assert.equal(await reason(guard.verify(publisher.token(8))), 'bad_claim')
  assert.equal(await reason(guard.verify(publisher.token(0, { status: undefined }))), 'bad_claim')
  assert.equal(await reason(guard.verify(publisher.token(0, { status: { status_list: { idx: 0, uri: 'https://evil.example/status-lists/1' } } }))), 'bad_claim')
  const bound = publisher.token(0, { cnf: { jkt: Buffer.alloc(32, 4).toString('base64url') } })
  assert.equal(await reason(guard.verify(bound)), 'proof_required', 'DPOP-7b')
  assert.deepEqual([publisher.asked.length, publisher.keysAsked.length, publisher.elsewhere.length], [1, 1, 0])
  assert.equal(publisher.asked[0]?.accept, 'application/statuslist+jwt')
  assert.equal(publisher.asked[0]?.authorization, undefined)
  assert.ok(guard.alive())
})

test('a list in use is renewed before its end, a 304 is as good as a list, and a new one is in force', async () => {
  const { publisher, guard } = await published((made) => made.made(0))
  const token = publisher.token(1)
  await guard.verify(token)
  publisher.clock.advance(44_999)
  await guard.verify(token)
  await settle()
  assert.equal(publisher.asked.length, 1)
  publisher.clock.advance(1)
  assert.equal(await reason(guard.verify(token)), 'accepted', 'nobody waits for it')
  await until(() => publisher.asked.length === 2)
  assert.equal(publisher.asked[1]?.['if-none-match'], '"1"')
  await settle()
  publisher.clock.advance(44_999)
  assert.equal(await reason(guard.verify(token)), 'accepted', 'a minute and a half after the list itself')
  publisher.publish(publisher.made(0b10), '"2"')
  publisher.clock.advance(1)
  await guard.verify(token)
  await until(() => publisher.asked.length === 3)
  // Read on other threads, which no clock of ours drives.
  let said = 'accepted'
  for (let turn = 0; said === 'accepted' && turn < 100; turn += 1) {
    await settle()
    said = await reason(guard.verify(token))
  }
  assert.equal(said, 'revoked')
  assert.equal(publisher.asked.length, 3)
})

test('TSL-11: an older list is refused, and the one that is held counts until its end', async () => {
  const { publisher, guard } = await published((made) => made.made(0b10))
  const token = publisher.token(1)
  assert.equal(await reason(guard.verify(token)), 'revoked')
  publisher.publish(publisher.made(0, { age: 10 }), '"0"')
  publisher.clock.advance(45_000)
  assert.equal(await reason(guard.verify(token)), 'revoked')
  await until(() => publisher.events.some((event) => event.includes('older')))
  publisher.clock.advance(14_999)
  assert.equal(await reason(guard.verify(token)), 'revoked')
  publisher.clock.advance(1)
  assert.equal(await reason(guard.verify(token)), 'verifier_stale')
})

test('TSL-8.3b: a list that cannot be had counts until its end, then nothing does, and nobody storms', async () => {
  const { publisher, guard } = await published((made) => made.made(0))
  const token = publisher.token(0)
  await guard.verify(token)
  publisher.list = (response) => void response.writeHead(503).end()
  publisher.clock.advance(59_999)
  assert.equal(await reason(guard.verify(token)), 'accepted')
  await until(() => publisher.asked.length === 2)
  await settle()
  publisher.clock.advance(1)
  const before = publisher.asked.length
  // A minute in which somebody asks every 50 ms: pauses of 0.25, 0.5 … 16 s.
  for (let time = 0; time < 60_000; time += 50) {
    assert.equal(await reason(guard.verify(token)), 'verifier_stale')
    publisher.clock.advance(50)
  }
  const asked = publisher.asked.length - before
  assert.ok(asked >= 5 && asked <= 8, String(asked))
  publisher.publish(publisher.made(0), '"2"')
  publisher.clock.advance(30_000)
  assert.equal(await reason(guard.verify(token)), 'accepted')
})

test('what is no list of the authority is refused, and not asked for again at once', async () => {
  const list = 'application/statuslist+jwt'
  let [written, hungUp] = [0, false]
  const endless = (response: ServerResponse): void => {
    const piece = Buffer.alloc(65536, 'a')
    const more = (): void => {
      do written += piece.length
      while (!response.destroyed && response.write(piece))
    }
    response.writeHead(200, { 'content-type': list }).on('drain', more).on('close', () => { hungUp = true })
    more()
  }
  for (const [name, respond] of Object.entries<(publisher: Publisher) => Respond>({
    'of another type': (made) => (response) => void response.writeHead(200, { 'content-type': 'application/jwt' }).end(made.made(0)),
    'an access token': (made) => (response) => void response.writeHead(200, { 'content-type': list }).end(made.token(0)),
    'gone': () => (response) => void response.writeHead(404).end(),
    'unchanged from nothing': () => (response) => void response.writeHead(304).end(),
    'elsewhere': (made) => (response) => void response.writeHead(307, { location: `${made.url}/moved` }).end(),
    'cut off': (made) => (response) => { response.writeHead(200, { 'content-type': list, 'content-length': 9999 }).write(made.made(0)); setTimeout(() => response.destroy(), 5) },
    'endless': () => endless,
  })) {
    const { publisher, guard } = await published()
    publisher.list = respond(publisher)
    const token = publisher.token(0)
    assert.equal(await reason(guard.verify(token)), 'verifier_stale', name)
    assert.equal(await reason(guard.verify(token)), 'verifier_stale', name)
    assert.deepEqual([publisher.asked.length, publisher.elsewhere], [1, []], name)
    assert.ok(publisher.events.some((event) => event.includes('list_failed')), name)
    guard.close()
  }
  await until(() => hungUp)
  assert.ok(written >= MAX_LIST_TOKEN_BYTES && written < 2 * MAX_LIST_TOKEN_BYTES, String(written))
})

test('an answer that never comes is waited for five seconds', async () => {
  const { publisher, guard } = await published()
  publisher.list = () => {}
  const refused = reason(guard.verify(publisher.token(0)))
  await until(() => publisher.asked.length === 1)
  publisher.clock.advance(5000)
  assert.equal(await refused, 'verifier_stale')
})

test('K2: the key set is renewed after five minutes, and after ten nothing is accepted without a new one', async () => {
  const { publisher, guard } = await published((made) => made.made(0, { ttl: 3600 }))
  const keys = publisher.keys
  const token = publisher.token(0, { exp: publisher.now + 900 })
  await guard.verify(token)
  publisher.keys = (response) => void response.writeHead(500).end()
  publisher.clock.advance(5 * 60_000)
  assert.equal(await reason(guard.verify(token)), 'accepted')
  await until(() => publisher.keysAsked.length === 2)
  await settle()
  publisher.clock.advance(5 * 60_000)
  assert.equal(await reason(guard.verify(token)), 'verifier_stale')
  assert.equal(guard.alive(), false)
  publisher.keys = (response) => void response.end('{"keys":[]}')
  publisher.clock.advance(1000)
  assert.equal(await reason(guard.verify(token)), 'unknown_key')
  publisher.keys = keys
  publisher.clock.advance(2000)
  assert.equal(await reason(guard.verify(token)), 'accepted')
})

test('a watch ends when the list says so, and when the token does', async () => {
  const { publisher, guard } = await published((made) => made.made(0, { ttl: 1 }))
  const ended: string[] = []
  guard.watch(publisher.token(1), (why) => ended.push(why.reason))
  guard.watch(publisher.token(2, { exp: publisher.now + 30 }), (why) => ended.push(why.reason))
  await until(() => publisher.asked.length === 1)
  await settle()
  publisher.publish(publisher.made(0b10, { ttl: 1 }), '"2"')
  for (let second = 0; second < 3; second += 1) {
    publisher.clock.advance(1000)
    await settle()
  }
  assert.deepEqual(ended, ['revoked'])
  for (let second = 0; second < 30; second += 1) {
    publisher.clock.advance(1000)
    await settle()
  }
  assert.deepEqual(ended, ['revoked', 'expired'])
  const late = reason(guard.verify(publisher.token(0)))
  guard.close()
  assert.equal(await late, 'verifier_stale')
  assert.equal(await reason(guard.verify(publisher.token(0))), 'verifier_stale')
})

test('it is taken by the adapters as any guard', async () => {
  const { publisher, guard } = await published((made) => made.made(0b10))
  const app = new Hono().use(authenticate(guard)).get('/', (c) => c.text('in'))
  const route = onNext(guard, {}, async () => new Response('in'))
  const request = (idx: number): Request => new Request('https://app.example.com/', { headers: { authorization: `Bearer ${publisher.token(idx)}` } })
  for (const [idx, status, code] of [[0, 200, 'in'], [1, 401, 'session_revoked'], [8, 401, 'token_invalid']] as const) {
    for (const response of [await app.fetch(request(idx)), await route(request(idx), undefined)]) {
      assert.deepEqual([response.status, (await response.text()).includes(code)], [status, true])
    }
    const judged = reason(edge.authenticate(guard, request(idx)))
    assert.equal(await judged, idx === 0 ? 'accepted' : idx === 1 ? 'revoked' : 'bad_claim')
  }
  publisher.list = (response) => void response.writeHead(503).end()
  publisher.clock.advance(60_000)
  const stale = await app.fetch(request(0))
  assert.deepEqual([stale.status, stale.headers.get('retry-after') !== null], [503, true])
})

test('a configuration that cannot be is refused', () => {
  const options = { issuer: ISSUER, audience: 'web' }
  assert.throws(() => createGuard(options), /feed is needed/)
  assert.throws(() => createGuard({ ...options, mode: 'introspect' }), /feed is needed/)
  assert.throws(() => createGuard({ ...options, mode: 'status-list', authority: 'http://auth.example.com' }), /authority must be https/)
  assert.throws(() => createGuard({ ...options, mode: 'pushed', authority: ISSUER, feed: { url: ISSUER, credential: 'cfg_a' } }), /authority is for/)
  const guard = createGuard({ ...options, mode: 'status-list' })
  assert.throws(() => guard.asking(), /needs feed.credential/)
  guard.close()
  const both = createGuard({ ...options, mode: 'status-list', feed: { url: ISSUER, credential: 'cfg_a' } })
  assert.ok(both.asking().alive())
  both.close()
})

/** Every module that is loaded with these. */
function loaded(entries: readonly string[]): Map<string, string> {
  const texts = new Map<string, string>()
  const open = [...entries]
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (texts.has(name)) continue
    const text = readFileSync(new URL(`../src/${name}.js`, import.meta.url), 'utf8')
    texts.set(name, text)
    for (const [, from = ''] of text.matchAll(/^(?:import|export) .*from '([^']+)'/gm)) {
      if (from.startsWith('./')) open.push(from.slice(2, -3))
      else assert.equal(from, 'jose', `${name} needs ${from}`)
    }
  }
  return texts
}

test('what an edge runtime loads needs nothing of Node', () => {
  for (const [name, text] of loaded(['edge', 'hono', 'next'])) {
    const code = text.replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '')
    assert.ok(!/\b(?:Buffer|process|setImmediate|__dirname)\b/.test(code), name)
  }
})

test('it runs where there is no Buffer, no process and no timer that can be let go', async () => {
  const { publisher } = await published()
  const jwks = { keys: [{ ...publisher.key.publicKey.export({ format: 'jwk' }), kid: 'k1', alg: 'EdDSA', use: 'sig' }] }
  const given = { tokens: [publisher.token(0), publisher.token(1)], wall: START, jwks: JSON.stringify(jwks), list: publisher.made(0b10) }
  const program = `
    const { tokens, wall, jwks, list } = ${JSON.stringify(given)}
    const log = console.log, timer = setTimeout, { AbortController: Controller } = globalThis
    // Node's own Request and Response are made with a Buffer.
    const requests = tokens.map((token) => new Request('${ISSUER}/', { headers: { authorization: 'Bearer ' + token } }))
    // Workers refuse all of this before the first request.
    globalThis.setTimeout = globalThis.AbortController = globalThis.fetch = crypto.getRandomValues = () => { throw new Error('not before a request') }
    delete globalThis.Buffer
    delete globalThis.process
    const { createGuard, authenticate } = await import('${new URL('../src/edge.js', import.meta.url).href}')
    const { systemClock } = await import('${new URL('../src/clock.js', import.meta.url).href}')
    const fetch = async (url) => {
      const [type, body] = url === '${ISSUER}/status-lists/1' ? ['application/statuslist+jwt', list] : ['', jwks]
      return { status: 200, headers: new Map([['content-type', type]]), body: new Blob([body]).stream() }
    }
    const clock = { now: () => ({ mono: systemClock.now().mono, wall }), after: systemClock.after }
    const guard = createGuard({ issuer: '${ISSUER}', audience: 'web', clock, fetch })
    createGuard({ issuer: '${ISSUER}', audience: 'web', mode: 'introspect', feed: { url: '${ISSUER}', credential: 'cfg_test' } })
    globalThis.setTimeout = (...all) => timer(...all)[Symbol.toPrimitive]()
    globalThis.AbortController = Controller
    const said = []
    for (const request of requests) {
      said.push(await authenticate(guard, request).then((auth) => auth.claims.status.idx, (why) => why.code))
    }
    log(JSON.stringify(said))
  `
  const said = await new Promise<string>((resolve, reject) => {
    const done = (error: Error | null, out: string): void => (error === null ? resolve(out) : reject(error))
    execFile(process.execPath, ['--input-type=module', '--eval', program], done)
  })
  assert.deepEqual(JSON.parse(said), [0, 'session_revoked'])
})
