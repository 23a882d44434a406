/** A clock that is turned by hand, and an authority that can be made to misbehave. */

import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach } from 'node:test'
import type { Clock, Instant } from '../src/clock.js'
import type { Claims } from '../src/claims.js'
import { createGuard, type Guard, type GuardOptions } from '../src/guard.js'

export const ISSUER = 'https://app.example.com'
export const START = 1_795_260_600_000
export const id = (byte: number): string => Buffer.alloc(16, byte).toString('base64url')

/** Both clocks stand still until `advance`. */
export class TestClock implements Clock {
  mono: number = 1000
  wall: number = START
  #timers = new Set<{ due: number; callback: () => void }>()

  now(): Instant {
    return { mono: this.mono, wall: this.wall }
  }

  after(milliseconds: number, callback: () => void): () => void {
    const timer = { due: this.mono + milliseconds, callback }
    this.#timers.add(timer)
    return () => this.#timers.delete(timer)
  }

  get armed(): number {
    return this.#timers.size
  }

  advance(milliseconds: number): void {
    const end = this.mono + milliseconds
    for (;;) {
      const [next] = [...this.#timers].filter(({ due }) => due <= end).sort((a, b) => a.due - b.due)
      if (next === undefined) break
      this.#timers.delete(next)
      this.#move(Math.max(0, next.due - this.mono))
      next.callback()
    }
    this.#move(end - this.mono)
  }

  /** The machine sleeps: Node's monotonic clock stands still, the wall clock does not. */
  suspend(milliseconds: number): void {
    this.wall += milliseconds
  }

  #move(milliseconds: number): void {
    this.mono += milliseconds
    this.wall += milliseconds
  }
}

/** Waits for what happens on sockets, which no clock of ours drives. */
export async function until(condition: () => boolean, what = 'the condition'): Promise<void> {
  const deadline = Date.now() + 5000
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`${what} did not come about`)
    await new Promise((resolve) => setImmediate(resolve))
  }
}

/** Gives what should *not* happen the time to happen: sockets and the thread pool are driven by no clock of ours. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 15; turn += 1) await new Promise((resolve) => setTimeout(resolve, 1))
}

type Kind = 'sessions' | 'tokens' | 'stale' | 'keys'
type Answer = Record<string, unknown>

/** An authority as docs/reference/feed.md describes it. It never waits: a poll with nothing new is held until released. */
export class Authority {
  readonly credential = 'cfg_test'
  readonly key: KeyObject = generateKeyPairSync('ed25519').privateKey
  readonly polls: URLSearchParams[] = []
  url = ''
  log = 'logA'
  staleness = 5000
  tag = '"1"'
  jwks: unknown = { keys: [this.jwk('k1', this.key)] }
  keyRequests: IncomingMessage['headers'][] = []
  introspected: { authorization: string | undefined; body: string }[] = []
  introspection: (token: string) => Answer | number = () => ({ active: false })
  /** What happens to a poll instead of an answer. */
  instead: ((response: ServerResponse, answer: Answer) => void) | undefined
  change: (answer: Answer) => Answer = (answer) => answer
  /** What happens while somebody waits for the key set. */
  meanwhile: () => void | Promise<void> = () => {}
  #entries: { kind: Kind; values: unknown[] }[] = []
  #held: (() => void)[] = []
  /** What `/moved` answers: the last answer, for whoever follows a redirect. */
  #last = ''
  #server: Server | undefined
  readonly #clock: TestClock

  constructor(clock: TestClock) {
    this.#clock = clock
  }

  get held(): number {
    return this.#held.length
  }

  async start(): Promise<this> {
    this.#server = createServer((request, response) => void this.#handle(request, response))
    await new Promise<void>((resolve) => this.#server?.listen(0, '127.0.0.1', resolve))
    this.url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
    return this
  }

  async stop(): Promise<void> {
    this.#server?.closeAllConnections()
    await new Promise((resolve) => this.#server?.close(resolve))
  }

  jwk(kid: string, key: KeyObject): Record<string, unknown> {
    return { ...createPublicKey(createPrivateKey(key.export({ format: 'pem', type: 'pkcs8' }))).export({ format: 'jwk' }), kid, alg: 'EdDSA', use: 'sig' }
  }

  mint(more: Partial<Claims> = {}, kid = 'k1', key: KeyObject = this.key): string {
    const now = Math.floor(this.#clock.wall / 1000)
    const claims = {
      iss: ISSUER, sub: id(1), aud: 'web', client_id: 'web', exp: now + 300, iat: now, jti: id(3), sid: id(2),
      auth_time: now - 600, acr: 'aal1', amr: ['pwd'], ...more,
    }
    const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
    const input = `${part({ alg: 'EdDSA', kid, typ: 'at+jwt' })}.${part(claims)}`
    return `${input}.${sign(null, Buffer.from(input), key).toString('base64url')}`
  }

  /** Writes an entry and answers whoever waits for one. */
  revoke(kind: Kind, ...values: unknown[]): void {
    this.#entries.push({ kind, values })
    this.release()
  }

  /** The log begins anew, as after a restore. */
  restore(log: string): void {
    this.log = log
    this.#entries = []
  }

  /** Answers the polls that wait: their time is over, or there is something new. */
  release(): void {
    for (const answer of this.#held.splice(0)) answer()
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? '', this.url)
    if (pathname === '/api/revocations') return this.#poll(request, response, searchParams)
    if (pathname === '/moved') return void response.end(this.#last)
    if (pathname === '/.well-known/jwks.json') return this.#keys(request, response)
    let body = ''
    for await (const chunk of request) body += String(chunk)
    this.introspected.push({ authorization: request.headers.authorization, body })
    const said = this.introspection(new URLSearchParams(body).get('token') ?? '')
    if (typeof said === 'number') return void response.writeHead(said).end()
    response.end(JSON.stringify(said))
  }

  #poll(request: IncomingMessage, response: ServerResponse, query: URLSearchParams): void {
    this.polls.push(query)
    if (request.headers.authorization !== `Bearer ${this.credential}`) {
      return void response.writeHead(401).end('{"code":"guard_unknown"}')
    }
    const [log, seq] = (query.get('after') ?? '').split('.')
    const from = log === this.log ? Number(seq) : undefined
    const answer = (): void => {
      const said = this.change(this.#answer(query, from))
      this.#last = JSON.stringify(said)
      if (this.instead !== undefined) this.instead(response, said)
      else response.end(JSON.stringify(said))
    }
    if (from === this.#entries.length && query.get('wait') !== '0' && this.instead === undefined) this.#held.push(answer)
    else answer()
  }

  #answer(query: URLSearchParams, from: number | undefined): Answer {
    const entries = this.#entries.slice(from ?? 0)
    const list = (kind: Kind): unknown[] => entries.filter((entry) => entry.kind === kind).flatMap(({ values }) => values)
    return {
      instance: query.get('instance'), nonce: query.get('nonce'), cursor: `${this.log}.${this.#entries.length}.x`,
      snapshot: from === undefined, held_ms: 0, now: this.#clock.wall, max_staleness_ms: this.staleness, margin_ms: 50,
      keys_etag: this.tag, sessions: list('sessions'), tokens: list('tokens'), stale: list('stale'), keys: list('keys'),
    }
  }

  async #keys(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.keyRequests.push(request.headers)
    await this.meanwhile()
    if (request.headers['if-none-match'] === this.tag) return void response.writeHead(304).end()
    response.writeHead(200, { etag: this.tag }).end(JSON.stringify(this.jwks))
  }
}

/** A guard of an authority, and what ends both. */
export interface Pair {
  readonly clock: TestClock
  readonly authority: Authority
  readonly guard: Guard
  readonly events: string[]
  stop(): Promise<void>
}

// A test that failed half-way must not leave sockets open: the run would never end.
const open: Pair[] = []
afterEach(() => Promise.all(open.splice(0).map((made) => made.stop())))

export async function pair(options: Partial<GuardOptions> = {}, prepare: (authority: Authority) => void = () => {}): Promise<Pair> {
  const clock = new TestClock()
  const authority = await new Authority(clock).start()
  prepare(authority)
  const events: string[] = []
  const guard = createGuard({
    issuer: ISSUER, audience: 'web', feed: { url: authority.url, credential: 'cfg_test' }, clock,
    onEvent: (event) => events.push(JSON.stringify(event)), ...options,
  })
  const stop = async (): Promise<void> => {
    guard.close()
    await authority.stop()
  }
  const made = { clock, authority, guard, events, stop }
  open.push(made)
  return made
}

/** As {@link pair}, once tokens can be judged and the next poll waits at the authority. */
export async function readyPair(options: Partial<GuardOptions> = {}): Promise<Pair> {
  const made = await pair(options)
  await made.guard.ready()
  await poll(made)
  return made
}

/** Lets the guard ask again: after an answer without news it waits a quarter of a second at most. */
export async function poll({ clock, authority }: Pick<Pair, 'clock' | 'authority'>): Promise<void> {
  await settle()
  if (authority.held === 0) clock.advance(250)
  await until(() => authority.held === 1, 'a poll that waits')
}

/** What a promise was refused with, as a word. */
export async function reason(promise: Promise<unknown>): Promise<string> {
  return promise.then(() => 'accepted', (error: unknown) => (error as { reason?: string }).reason ?? String(error))
}
