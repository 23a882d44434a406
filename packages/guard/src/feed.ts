/**
 * The guard's side of the revocation feed (docs/reference/feed.md): when to trust the copy of the log, and until when.
 *
 * A state machine: no input or output, no clock, no randomness. Whoever drives it brings the time and a fresh nonce, sends
 * what {@link Feed.poll} gives, and hands the answer to {@link Feed.receive}.
 */

import type { Instant } from './clock.js'
import { isId, isKid } from './id.js'
import type { RevocationIndex } from './revocation.js'

/** What to ask, and how long to wait for the answer. */
export interface Poll {
  readonly instance: string
  readonly nonce: string
  /** How long the authority may hold the request, in milliseconds. */
  readonly wait: number
  /** Everything up to here is in force at this instance. */
  readonly after: string | undefined
  /** When to give up, in milliseconds. */
  readonly timeout: number
}

/** What became of an answer. */
export type Received = 'ignored' | 'nothing_new' | 'news'

/** How long the authority may be silent, until the authority has said so itself. */
const DEFAULT_STALENESS = 5000
const LONGEST_STALENESS = 5 * 60_000

interface Pending {
  readonly nonce: string
  readonly after: string | undefined
  readonly sent: Instant
}

interface Lease {
  /** The lease ends at the first of the two. */
  readonly endMono: number
  readonly endWall: number
  /** The authority's clock when it answered, and when that answer was taken in here. */
  readonly authority: number
  readonly taken: Instant
}

/** Follows the revocation log of one authority. */
export class Feed {
  readonly #instance: string
  readonly #index: RevocationIndex
  #staleness = DEFAULT_STALENESS
  #cursor: string | undefined
  #pending: Pending | undefined
  #lease: Lease | undefined
  #keysTag: string | undefined
  #tidied = 0

  /** `instance`: 16 random bytes, base64url, of this follower alone: its cursor acknowledges for this index only. */
  constructor(instance: string, index: RevocationIndex) {
    this.#instance = instance
    this.#index = index
  }

  /** What to ask now. Forgets an earlier question: its answer is ignored from here on. */
  poll(at: Instant, nonce: string): Poll {
    this.#pending = { nonce, after: this.#cursor, sent: at }
    // A fifth of S and three tenths: two lost answers in a row are survived. Without a lease there is no time to wait for
    // news: after sleep, the first answer may have been asked for too long ago to give one.
    const wait = this.alive(at) ? Math.floor(this.#staleness / 5) : 0
    const timeout = Math.floor((this.#staleness * 3) / 10)
    return { instance: this.#instance, nonce, wait, after: this.#cursor, timeout }
  }

  /** Takes an answer in, all of it or nothing. */
  receive(body: unknown, at: Instant): Received {
    const pending = this.#pending
    const answer = readAnswer(body)
    if (pending === undefined || answer === undefined) return 'ignored'
    if (answer.instance !== this.#instance || answer.nonce !== pending.nonce) return 'ignored'
    // Only a snapshot can follow nothing, or another log: a list of changes would leave out what came before.
    if (!answer.snapshot && (pending.after === undefined || logOf(pending.after) !== logOf(answer.cursor))) return 'ignored'
    // An older state of the same log says nothing that is not known, and its lease would count from a reading before it.
    if (goesBack(this.#cursor, answer.cursor)) return 'ignored'
    this.#pending = undefined
    const before = this.#index.head
    this.#merge(answer)
    this.#extend(answer, pending.sent, at)
    return this.#index.head === before ? 'nothing_new' : 'news'
  }

  /** Whether the copy of the log may be trusted. */
  alive(at: Instant): boolean {
    return this.#lease !== undefined && at.mono < this.#lease.endMono && at.wall < this.#lease.endWall
  }

  /** How long the lease still runs, in milliseconds; 0 when it has ended or there is none. */
  remaining(at: Instant): number {
    if (this.#lease === undefined) return 0
    return Math.max(0, Math.min(this.#lease.endMono - at.mono, this.#lease.endWall - at.wall))
  }

  /**
   * The authority's clock, by which `exp` is judged: what it said last, plus the time since. That is early by at most the
   * way of one answer. Of two clocks here the one that went further counts: one stands still in sleep.
   */
  now(at: Instant): number {
    if (this.#lease === undefined) return at.wall
    const { authority, taken } = this.#lease
    return authority + Math.max(0, at.mono - taken.mono, at.wall - taken.wall)
  }

  /** The entity tag of the key set as the authority announced it last. */
  get keysTag(): string | undefined {
    return this.#keysTag
  }

  /** For how long the authority lets guards go without an answer (S), in milliseconds. */
  get staleness(): number {
    return this.#staleness
  }

  #merge(answer: Answer): void {
    for (const [sid, until] of answer.sessions) this.#index.addSession(sid, until * 1000)
    for (const [jti, until] of answer.tokens) this.#index.addToken(jti, until * 1000)
    for (const [sid, least, until] of answer.stale) this.#index.addStale(sid, least, until * 1000)
    for (const kid of answer.keys) this.#index.addKey(kid)
    if (answer.now - this.#tidied >= 10_000 || answer.now < this.#tidied) {
      this.#tidied = answer.now
      this.#index.forgetBefore(answer.now)
    }
    this.#cursor = answer.cursor
    this.#keysTag = answer.keysTag
  }

  #extend(answer: Answer, sent: Instant, at: Instant): void {
    this.#staleness = answer.staleness
    // The grant cannot be younger than the answer; what claims to be is cut to it.
    const held = Math.min(answer.held, Math.max(0, at.mono - sent.mono))
    const span = held + answer.staleness - answer.margin
    this.#lease = { endMono: sent.mono + span, endWall: sent.wall + span, authority: answer.now, taken: at }
  }
}

interface Answer {
  readonly instance: unknown
  readonly nonce: unknown
  readonly cursor: string
  readonly snapshot: boolean
  readonly held: number
  readonly now: number
  readonly staleness: number
  readonly margin: number
  readonly keysTag: string
  readonly sessions: readonly [string, number][]
  readonly tokens: readonly [string, number][]
  readonly stale: readonly [string, number, number][]
  readonly keys: readonly string[]
}

/** `undefined` unless every member is there and of its kind: half an answer would be half a truth. */
function readAnswer(body: unknown): Answer | undefined {
  if (typeof body !== 'object' || body === null) return undefined
  const raw = body as Record<string, unknown>
  const { cursor, snapshot, held_ms: held, now, max_staleness_ms: staleness, margin_ms: margin, keys_etag: keysTag } = raw
  if (typeof cursor !== 'string' || cursor.length === 0 || cursor.length > 512) return undefined
  if (typeof snapshot !== 'boolean' || typeof keysTag !== 'string') return undefined
  if (!isWhole(held) || !isWhole(now) || !isWhole(staleness) || !isWhole(margin)) return undefined
  if (staleness < 1000 || staleness > LONGEST_STALENESS || margin < 0 || margin >= staleness) return undefined
  const sessions = tuples(raw['sessions'], 2, ([id, until]) => isId(id) && isWhole(until))
  const tokens = tuples(raw['tokens'], 2, ([id, until]) => isId(id) && isWhole(until))
  const stale = tuples(raw['stale'], 3, ([id, least, until]) => isId(id) && isWhole(least) && isWhole(until))
  const keys = tuples(raw['keys'], 1, ([kid]) => isKid(kid))
  if (sessions === undefined || tokens === undefined || stale === undefined || keys === undefined) return undefined
  return {
    instance: raw['instance'], nonce: raw['nonce'], cursor, snapshot, held, now, staleness, margin, keysTag,
    sessions: sessions as [string, number][],
    tokens: tokens as [string, number][],
    stale: stale as [string, number, number][],
    keys: keys.flat() as string[],
  }
}

/** A flat list, cut into pieces of `size` that all pass. */
function tuples(list: unknown, size: number, passes: (tuple: unknown[]) => boolean): unknown[][] | undefined {
  if (!Array.isArray(list) || list.length % size !== 0) return undefined
  const cut: unknown[][] = []
  for (let at = 0; at < list.length; at += size) {
    const tuple = list.slice(at, at + size)
    if (!passes(tuple)) return undefined
    cut.push(tuple)
  }
  return cut
}

function isWhole(value: unknown): value is number {
  return Number.isSafeInteger(value)
}

function logOf(cursor: string): string | undefined {
  return cursor.split('.', 1)[0]
}

function goesBack(from: string | undefined, to: string): boolean {
  if (from === undefined || logOf(from) !== logOf(to)) return false
  return Number(to.split('.')[1]) < Number(from.split('.')[1])
}
