/**
 * A world for scenarios, without anything of Node's, so that it runs in a browser as well: a clock that is turned by hand, an authority with
 * the rules of the real one, a cookie jar, tabs, and a network that can be made to misbehave.
 */

import { createClient } from '../src/index.js'
import type { Channel, Client, ClientOptions, Clock, Fetch, Instant, Message } from '../src/index.js'

export const AUTHORITY = 'https://auth.example.test'
export const GRACE_MS = 30_000
export const LIFE_S = 300

export function check(good: unknown, what: string): asserts good {
  if (!good) throw new Error(what)
}

export function equal(actual: unknown, expected: unknown, what: string): void {
  const [a, b] = [JSON.stringify(actual), JSON.stringify(expected)]
  check(a === b, `${what}: ${a} instead of ${b}`)
}

/** What a promise rejects with. */
export async function rejection(promise: Promise<unknown>): Promise<{ readonly code: string, readonly message: string }> {
  const value = await promise.then((found) => ({ found }), (error: unknown) => error)
  check(value instanceof Error, `resolved, with ${JSON.stringify(value)}`)
  return value as Error & { readonly code: string }
}

/** Both clocks stand still until they are moved. */
export class TestClock implements Clock {
  mono: number = 1000
  wall: number = 1_795_260_600_000
  #timers: { due: number, callback: () => void }[] = []

  now(): Instant {
    return { mono: this.mono, wall: this.wall }
  }

  after(milliseconds: number, callback: () => void): () => void {
    const timer = { due: this.mono + milliseconds, callback }
    this.#timers.push(timer)
    return () => {
      this.#timers = this.#timers.filter((each) => each !== timer)
    }
  }

  /** Lets so much time pass, and everything happen that happens in it. */
  async advance(milliseconds: number): Promise<void> {
    const end = this.mono + milliseconds
    await settle()
    while (await this.#next(end)) await settle()
    this.#move(end - this.mono)
    await settle()
  }

  /** Lets time pass until `promise` is settled. */
  async until<T>(promise: Promise<T>): Promise<T> {
    let over = false
    const done = promise.finally(() => {
      over = true
    })
    done.catch(() => undefined)
    await settle()
    while (!over && await this.#next(Infinity)) await settle()
    await settle()
    check(over, 'it waits for something that never comes')
    return done
  }

  /** The machine sleeps: the monotonic clock stands still, and so do timers; the wall clock goes on. */
  sleep(milliseconds: number): void {
    this.wall += milliseconds
  }

  async #next(end: number): Promise<boolean> {
    const [timer] = this.#timers.filter(({ due }) => due <= end).sort((a, b) => a.due - b.due)
    if (!timer) return false
    this.#timers = this.#timers.filter((each) => each !== timer)
    this.#move(Math.max(0, timer.due - this.mono))
    timer.callback()
    return true
  }

  #move(milliseconds: number): void {
    this.mono += milliseconds
    this.wall += milliseconds
  }
}

/** How many bodies are being read by the browser's own means, which take their time. */
let reading = 0

/** Lets everything go on that waits for no clock. Streams take several turns. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 6 || reading > 0; turn = reading > 0 ? 0 : turn + 1) {
    await new Promise<void>((resolve) => {
      const { port1, port2 } = new MessageChannel()
      port1.onmessage = () => {
        port1.close()
        resolve()
      }
      port2.postMessage(0)
    })
  }
}

/** What the network does to one request: nothing in particular, or something else than what the authority says. */
export type Fate = undefined | Response | 'unsent' | 'lost' | 'silent' | { readonly after: number, readonly stubborn?: boolean }

export interface Sent {
  readonly method: string
  readonly url: string
  readonly path: string
  readonly at: number
  readonly headers: Headers
  readonly body: string
  readonly credentials: string
  readonly referrer: string
}

export interface WorldOptions extends ClientOptions {
  /** Whether the browser keeps cookies. */
  readonly cookies?: boolean
  readonly channels?: boolean
  readonly life?: number
}

/** One browser, and one authority. */
export class World {
  readonly clock: TestClock = new TestClock()
  readonly sent: Sent[] = []
  readonly messages: Message[] = []
  /** Decides what becomes of a request. */
  fate: (sent: Sent) => Fate = () => undefined
  /** The authority's own: what a sign-in needs besides a password, and why the session is over. */
  second: string = ''
  ended: string | undefined
  /** The jar: the generation of the refresh token, and until when the access cookie is there. */
  refreshCookie: number | undefined
  accessUntil: number = 0
  generation: number = 0
  rotatedAt: number = -Infinity
  user: string = 'ada'
  fresh: boolean = true
  tokens: number = 0
  /** Further origins' answers. */
  api: (sent: Sent) => Response = () => json(200, { fine: true })
  readonly #options: WorldOptions
  readonly #channels: (Channel & { closed: boolean })[] = []

  constructor(options: WorldOptions = {}) {
    this.#options = options
  }

  tab(more: ClientOptions = {}): Client {
    const { cookies, channels = true, life, ...options } = this.#options
    const channel = channels ? this.#channel() : null
    return createClient({ authority: AUTHORITY, ...options, ...more }, { fetch: this.fetch, clock: this.clock, channel })
  }

  /** A tab in which somebody is signed in. */
  async signedInTab(more: ClientOptions = {}): Promise<Client> {
    const client = this.tab(more)
    await this.clock.until(client.signIn({ email: 'ada@example.test', password: 'right' }))
    this.sent.length = 0
    return client
  }

  requests(path: string, method?: string): Sent[] {
    return this.sent.filter((each) => each.path === path && (!method || each.method === method))
  }

  get refreshes(): Sent[] {
    return this.requests('/api/auth/refresh', 'POST')
  }

  readonly fetch: Fetch = async (input, init) => {
    const request = new Request(input, init)
    const { signal } = request
    const { pathname, origin } = new URL(request.url)
    const sent: Sent = {
      method: request.method, url: request.url, path: pathname, at: this.clock.mono, headers: request.headers,
      body: await textOf(request), credentials: request.credentials, referrer: request.referrer,
    }
    this.sent.push(sent)
    const fate = this.fate(sent)
    const gone = new Promise<never>((_, reject) => {
      const abort = (): void => reject(new DOMException('aborted', 'AbortError'))
      if (signal.aborted) abort()
      signal.addEventListener('abort', abort)
    })
    gone.catch(() => undefined)
    // The client's own question whether anything is there at all. Its limit of time is the browser's.
    const probe = pathname === '/.well-known/jwks.json'
    if (fate === 'unsent' || (probe && fate === 'silent')) throw new TypeError('Failed to fetch')
    if (fate === 'silent') return gone
    if (fate instanceof Response) return Object.defineProperty(fate.clone(), 'redirected', { value: fate.redirected })
    const [answer, keep] = origin === AUTHORITY ? this.#answer(sent) : [this.api(sent), () => {}]
    if (fate === 'lost') throw new TypeError('Failed to fetch')
    // A stubborn one is over only then, also where it has been aborted.
    const later = new Promise<void>((resolve) => void (fate && this.clock.after(fate.after, resolve)))
    if (fate) await (fate.stubborn ? later : Promise.race([gone, later]))
    if (signal.aborted) return gone
    // A browser that refuses cookies does not keep them.
    if (this.#options.cookies ?? true) keep()
    return answer
  }

  // ---- The authority ------------------------------------------------------------------------

  #answer(sent: Sent): readonly [Response, () => void] {
    const { path, method } = sent
    const none = (): void => {}
    if (path === '/.well-known/jwks.json') return [json(200, {}), none]
    if (path === '/api/auth/refresh' && method === 'POST') return this.#refresh()
    if (path === '/api/auth/refresh' || path.startsWith('/api/auth/logout')) return this.#signOut()
    if (path === '/api/auth/login') {
      if (JSON.parse(sent.body).password !== 'right') return [problem(401, 'invalid_credentials'), none]
      return this.second ? [json(200, { next: this.second, options: [this.second] }), none] : this.#begin()
    }
    if (path.endsWith('/verify')) return JSON.parse(sent.body).code === '123456' ? this.#begin() : [problem(401, 'invalid_code'), none]
    if (path === '/api/auth/legacy') return this.#legacy(JSON.parse(sent.body).token)
    const refused = this.refusal(sent)
    if (refused) return [refused, none]
    if (path === '/api/auth/me') return [json(200, this.#me()), none]
    if (path.startsWith('/api/auth/step-up/')) {
      this.fresh = true
      return this.#tokens(this.generation)
    }
    return [json(200, { fine: true }), none]
  }

  /** What an API of the own house says to a request, if it refuses it. */
  refusal({ headers }: Sent): Response | undefined {
    const bearer = headers.get('authorization')?.replace(/^Bearer /, '')
    const good = this.#options.profile === 'hybrid' ? bearer && this.clock.wall < Number(bearer.split('-')[2]) : this.clock.wall < this.accessUntil
    if (!good) return problem(401, bearer ? 'token_expired' : 'token_missing')
    return this.ended === undefined ? undefined : problem(401, 'session_revoked')
  }

  #me(): object {
    return { user: { id: this.user, email: `${this.user}@example.test`, roles: [] }, session: { id: `session-of-${this.user}`, acr: 'aal1' } }
  }

  /** From the authority's clock, which may be off as it likes: only durations leave it. */
  #tokens(generation: number, more: object = {}): readonly [Response, () => void] {
    const life = this.#options.life ?? LIFE_S
    const until = this.clock.wall + life * 1000
    this.tokens += 1
    const inBody = this.#options.profile === 'hybrid' ? { access_token: `secret-${this.tokens}-${until}`, token_type: 'Bearer' } : {}
    return [json(200, { expires_in: life, ...inBody, ...more }), () => {
      this.refreshCookie = generation
      this.accessUntil = until
    }]
  }

  #begin(): readonly [Response, () => void] {
    this.ended = undefined
    this.generation += 100
    return this.#tokens(this.generation, this.#me())
  }

  /** The rules of rotation, as far as an honest client meets them. */
  #refresh(): readonly [Response, () => void] {
    const none = (): void => {}
    const [presented, now] = [this.refreshCookie, this.clock.wall]
    if (presented === undefined) return [problem(401, 'refresh_missing'), none]
    if (this.ended !== undefined) return [problem(401, 'refresh_invalid', { reason: this.ended }), none]
    if (presented === this.generation) {
      this.generation += 1
      this.rotatedAt = now
      return this.#tokens(this.generation)
    }
    if (presented === this.generation - 1 && now - this.rotatedAt <= (this.#options.grace ?? GRACE_MS / 1000) * 1000) return this.#tokens(this.generation)
    this.ended = 'suspected_theft'
    return [problem(401, 'refresh_reuse'), () => {
      this.refreshCookie = undefined
    }]
  }

  #signOut(): readonly [Response, () => void] {
    if (this.refreshCookie !== undefined) this.ended = 'signed_out'
    return [new Response(null, { status: 204 }), () => {
      this.refreshCookie = undefined
      this.accessUntil = 0
    }]
  }

  #legacy(token: string): readonly [Response, () => void] {
    if (token === 'used') return [problem(409, 'legacy_token_used'), () => {}]
    if (token === 'closed') return [problem(410, 'legacy_closed'), () => {}]
    return token === 'good' ? this.#begin() : [problem(401, 'legacy_token_invalid'), () => {}]
  }

  // ---- Between tabs -------------------------------------------------------------------------

  #channel(): Channel {
    const all = this.#channels
    const { messages } = this
    const channel = {
      closed: false,
      onmessage: null as Channel['onmessage'],
      postMessage(message: Message): void {
        if (channel.closed) throw new DOMException('The channel is closed.', 'InvalidStateError')
        messages.push(message)
        for (const other of all) if (other !== channel && !other.closed) other.onmessage?.(new MessageEvent('message', { data: message }))
      },
      close(): void {
        channel.closed = true
      },
    }
    all.push(channel)
    return channel
  }
}

export function json(status: number, body: object, headers: Record<string, string> = {}): Response {
  return answer(JSON.stringify(body), status, { 'content-type': 'application/json', ...headers })
}

export function problem(status: number, code: string, more: object = {}, headers: Record<string, string> = {}): Response {
  return json(status, { title: `About ${code}.`, status, code, ...more }, { 'content-type': 'application/problem+json', ...headers })
}

/** An answer to which a redirect has led. */
export function redirected(response: Response): Response {
  return Object.defineProperty(response, 'redirected', { value: true })
}

export function html(status: number, headers: Record<string, string> = {}): Response {
  return answer('<!doctype html><title>proxy</title>', status, { 'content-type': 'text/html', ...headers })
}

/** A body that is a stream of the page's own is read in turns of the page's own. */
export function answer(text: string, status: number, headers: Record<string, string>): Response {
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(new TextEncoder().encode(text))
      controller.close()
    },
  })
  return new Response(body, { status, headers })
}

async function textOf(request: Request): Promise<string> {
  reading += 1
  try {
    return await request.text()
  } finally {
    reading -= 1
  }
}
