/**
 * The wire: one long poll after another, and the key set. All judgement is in `feed.ts`; here is only when to ask, and when
 * to stop waiting. Failures are not thrown anywhere: the lease runs out, and that is what callers see.
 */

import { encode } from './base64url.js'
import { readWithin } from './bytes.js'
import type { Clock } from './clock.js'
import { Closing } from './closing.js'
import type { Feed, Received } from './feed.js'
import { KeySet, type VerifyingKey } from './jwks.js'

/** As much of `fetch` as is used. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>

/** What happened on the wire, for logs. Never holds a token or a credential. */
export type ClientEvent =
  | { readonly what: 'poll_failed'; readonly status: number | undefined }
  | { readonly what: 'keys_failed'; readonly status: number | undefined }
  | { readonly what: 'keys_loaded'; readonly kids: readonly string[] }
  | { readonly what: 'list_failed'; readonly uri: string; readonly status: number | undefined; readonly reason: string | undefined }

export interface ClientOptions {
  /** The authority's address, without a slash at the end. */
  readonly base: string
  readonly credential: string
  readonly feed: Feed
  readonly clock: Clock
  readonly fetch: Fetch
  /** Just before an answer is taken in, and after each failure. */
  readonly onTurn: () => void
  readonly onReceived: (received: Received) => void
  readonly onKeys: (keys: KeySet) => void
  readonly onEvent: (event: ClientEvent) => void
}

/** After a failure at once, then at most four times a second. */
const PAUSE = 250
/** Nobody is kept from asking for longer than this by `Retry-After`. */
const LONGEST_PAUSE = 5000
/** For an unknown name of a key, at most one fetch in so many milliseconds, for all callers together (ATK-10). */
const KEYS_INTERVAL = 2000
const KEYS_TIMEOUT = 2000
/** A snapshot of a hundred thousand revocations has about four megabytes. */
const MAX_BODY = 64 * 2 ** 20
/** For an answer that is waited for as long as it goes on coming. */
const SNAPSHOT_TIMEOUT = 30_000
/** Without a lease there is none to lose: time for a new connection, and for an authority that has much to tell. */
const WITHOUT_LEASE_TIMEOUT = 3000
const MAX_KEYS_BODY = 2 ** 20

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: Uint8Array
}

/** Keeps a feed and, after its first answer, a key set current until closed. */
export class Client {
  readonly #options: ClientOptions
  readonly #closing = new Closing()
  #keys: KeySet | undefined
  #etag: string | undefined
  /** What the feed had announced when the key set was last fetched. */
  #keysTag: string | undefined
  #fetching: Promise<void> | undefined
  #keysAskedAt = -Infinity
  #wake: (() => void) | undefined

  constructor(options: ClientOptions) {
    this.#options = options
  }

  /** The key set, once there is one. */
  get keys(): KeySet | undefined {
    return this.#keys
  }

  start(): void {
    void this.#follow()
  }

  close(): void {
    this.#closing.close()
    this.#wake?.()
  }

  /** The key of this name, a `kid` or a PASERK id; if it is unknown, after one look at the newest key set. */
  async keyFor(name: string): Promise<VerifyingKey | undefined> {
    const known = this.#keys?.get(name)
    if (known !== undefined) return known
    if (this.#fetching === undefined && this.#sinceKeysAsked() < KEYS_INTERVAL) return undefined
    await this.#refreshKeys()
    return this.#keys?.get(name)
  }

  get #closed(): boolean {
    return this.#closing.over
  }

  async #follow(): Promise<void> {
    let failures = 0
    while (!this.#closed) {
      const started = this.#options.clock.now().mono
      const { received, retryAfter } = await this.#poll()
      if (this.#closed) return
      failures = received === 'failed' ? failures + 1 : 0
      const spent = this.#options.clock.now().mono - started
      // An authority that answers at once with nothing must not be asked in a circle either.
      const hurried = received === 'nothing_new' && spent < PAUSE
      const least = failures > 1 || hurried ? PAUSE - spent : 0
      await this.#pause(Math.max(least, retryAfter))
    }
  }

  async #poll(): Promise<{ received: Exclude<Received, 'ignored'> | 'failed'; retryAfter: number }> {
    const { base, credential, feed, clock, onTurn, onReceived, onEvent } = this.#options
    const poll = feed.poll(clock.now(), encode(crypto.getRandomValues(new Uint8Array(16))))
    const query = new URLSearchParams({ instance: poll.instance, nonce: poll.nonce, wait: String(poll.wait) })
    if (poll.after !== undefined) query.set('after', poll.after)
    const headers = { authorization: `Bearer ${credential}`, accept: 'application/json', 'cache-control': 'no-store' }
    // With a lease, another attempt may still keep it alive; without one, a long snapshot may come as slowly as it likes.
    const alive = feed.alive(clock.now())
    const limits = alive
      ? { timeout: poll.timeout, whole: poll.timeout, limit: MAX_BODY }
      : { timeout: Math.max(poll.timeout, WITHOUT_LEASE_TIMEOUT), whole: SNAPSHOT_TIMEOUT, limit: MAX_BODY }
    const answer = await this.#get(`${base}/api/revocations?${query}`, headers, limits)
    if (this.#closed) return { received: 'failed', retryAfter: 0 }
    onTurn()
    const received = answer?.status === 200 ? feed.receive(parse(answer.body), clock.now()) : 'ignored'
    if (received === 'ignored') {
      onEvent({ what: 'poll_failed', status: answer?.status })
      // However long it is asked to wait: a lease that runs out meanwhile would stop every request.
      return { received: 'failed', retryAfter: Math.min(retryAfterOf(answer), Math.floor(feed.staleness / 5)) }
    }
    onReceived(received)
    if (feed.keysTag !== this.#keysTag) void this.#refreshKeys()
    return { received, retryAfter: 0 }
  }

  /** One fetch at a time; whoever comes meanwhile waits for the same one. */
  #refreshKeys(): Promise<void> {
    this.#fetching ??= this.#fetchKeys().finally(() => {
      this.#fetching = undefined
    })
    return this.#fetching
  }

  async #fetchKeys(): Promise<void> {
    const { base, feed, clock, onKeys, onEvent } = this.#options
    const announced = feed.keysTag
    this.#keysAskedAt = clock.now().mono
    // Past every cache on the way: the key set is asked for only when an old one would not do.
    const headers: Record<string, string> = { accept: 'application/json', 'cache-control': 'no-cache' }
    if (this.#etag !== undefined) headers['if-none-match'] = this.#etag
    const answer = await this.#get(`${base}/.well-known/jwks.json`, headers, { timeout: KEYS_TIMEOUT, whole: KEYS_TIMEOUT, limit: MAX_KEYS_BODY })
    if (this.#closed) return
    if (answer?.status === 304) {
      this.#keysTag = announced
      return
    }
    const keys = answer?.status === 200 ? await KeySet.fromJwks(answer.body).catch(() => undefined) : undefined
    if (keys === undefined) {
      onEvent({ what: 'keys_failed', status: answer?.status })
      return
    }
    this.#keys = keys
    this.#etag = answer?.headers.get('etag') ?? undefined
    this.#keysTag = announced
    onKeys(keys)
    onEvent({ what: 'keys_loaded', kids: keys.kids() })
  }

  #sinceKeysAsked(): number {
    return this.#options.clock.now().mono - this.#keysAskedAt
  }

  /** The answer, or `undefined` when there was none in time. */
  #get(url: string, headers: Record<string, string>, limits: Omit<Limits, 'closing'>): Promise<Answer | undefined> {
    return request(this.#options, url, { headers }, { ...limits, closing: this.#closing })
  }

  async #pause(milliseconds: number): Promise<void> {
    if (milliseconds <= 0 || this.#closed) return
    await new Promise<void>((resolve) => {
      const cancel = this.#options.clock.after(milliseconds, resolve)
      this.#wake = () => {
        cancel()
        resolve()
      }
    })
    this.#wake = undefined
  }
}

export interface Limits {
  /** For the head, and for each further piece. */
  readonly timeout: number
  /** For all of it. */
  readonly whole: number
  readonly limit: number
  readonly closing: Closing
}

/** One request with a time-out for each piece and one for all of it. Redirects are failures: they would carry credentials away. */
export async function request(
  { clock, fetch }: { clock: Clock; fetch: Fetch },
  url: string,
  init: RequestInit,
  { timeout, whole, limit, closing }: Limits,
): Promise<Answer | undefined> {
  const over = new AbortController()
  const abort = (): void => over.abort()
  const cancelWhole = clock.after(whole, abort)
  let cancel = clock.after(timeout, abort)
  const goOn = (): void => {
    cancel()
    cancel = clock.after(timeout, abort)
  }
  const forget = closing.onClose(abort)
  try {
    // Not `error`, which some runtimes do not know: a status that is none of ours is a failure to every caller.
    const response = await fetch(url, { ...init, redirect: 'manual', signal: over.signal })
    const body = response.body === null ? new Uint8Array() : await readWithin(response.body, limit, goOn)
    return body && { status: response.status, headers: response.headers, body }
  } catch {
    return undefined
  } finally {
    cancel()
    cancelWhole()
    forget()
  }
}

/** Not the strict reader: this comes from the authority, over a channel it has authenticated, and may have megabytes. */
export function parse(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(body))
  } catch {
    return undefined
  }
}

function retryAfterOf(answer: Answer | undefined): number {
  const seconds = Number(answer?.headers.get('retry-after') ?? 0)
  return Number.isFinite(seconds) && seconds > 0 ? Math.min(seconds * 1000, LONGEST_PAUSE) : 0
}
