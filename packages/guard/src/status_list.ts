/**
 * Token Status List (draft-ietf-oauth-status-list): the lists, and what a guard keeps of them. For verifiers that follow no feed, at the
 * price of a delay: a revocation reaches them within the `ttl` of the list, and the time it takes to publish it. By what edge runtimes
 * have: WebCrypto and `DecompressionStream`.
 */

import { decode } from './base64url.js'
import { readWithin } from './bytes.js'
import { BadClaim, type Claims, numericDate } from './claims.js'
import type { Instant } from './clock.js'
import { type Json, JsonNumber, parseStrict } from './json.js'
import { isStatusList } from './jwt.js'
import { Refusal } from './refusal.js'
import { type KeyFor, LEEWAY_SECONDS, readSigned } from './verify.js'

/** No list longer than this is looked at. As long as one of `MAX_LIST_BYTES` that cannot be compressed. */
export const MAX_LIST_TOKEN_BYTES: number = 8 * 2 ** 20

/** No list is inflated beyond this: 33 million tokens at one bit each. */
export const MAX_LIST_BYTES: number = 4 * 2 ** 20

/** In milliseconds. A shorter `ttl` counts as this one: no list makes a verifier fetch without end. */
export const SHORTEST_TTL: number = 1000

/** A longer `ttl` counts as this one: no list is believed for a year because it says so. */
export const LONGEST_TTL: number = 60 * 60_000

/** The `ttl` of a list that has none. */
export const DEFAULT_TTL: number = 5 * 60_000

/** In seconds, how long after its `iat` a list without `exp` is over: a cache on the way must not keep one for ever. */
export const WITHOUT_EXPIRY: number = 24 * 60 * 60

/** How many lists are held; of more, those used least recently go. */
export const MOST_LISTS: number = 64

const BITS: ReadonlySet<string> = new Set(['1', '2', '4', '8'])
/** What stands behind the issuer and `/status-lists/`: one name, no path, query, fragment or escape. */
const NAME = /^[A-Za-z0-9_-]{1,64}$/

/** The bits of a list. */
export class Statuses {
  readonly #bits: number
  readonly #bytes: Uint8Array

  private constructor(bits: number, bytes: Uint8Array) {
    this.#bits = bits
    this.#bytes = bytes
  }

  /** From `bits` and `lst` as they stand in a list: 1, 2, 4 or 8, and base64url of a zlib stream with nothing behind it (TSL-4.1). */
  static async decode(bits: Json | undefined, lst: Json | undefined): Promise<Statuses> {
    if (!(bits instanceof JsonNumber) || !BITS.has(bits.text) || typeof lst !== 'string') throw new Refusal('bad_claim')
    const compressed = decode(lst)
    if (compressed === undefined) throw new Refusal('bad_claim')
    return new Statuses(Number(bits.text), await inflate(compressed, MAX_LIST_BYTES))
  }

  /** The status at an index, the least significant bits first; `undefined` beyond the end. */
  status(index: number): number | undefined {
    const perByte = 8 / this.#bits
    const byte = this.#bytes[Math.floor(index / perByte)]
    return byte === undefined ? undefined : (byte >> ((index % perByte) * this.#bits)) & (0xff >> (8 - this.#bits))
  }
}

/** A list that has been verified. */
export interface StatusList {
  /** Where it was fetched from. */
  readonly uri: string
  /** Made at, seconds since the epoch. */
  readonly issuedAt: number
  /** Over at, seconds since the epoch. */
  readonly expiresAt: number
  /** How long after it was fetched it may be used, in milliseconds and in its bounds. */
  readonly ttl: number
  /** What it says. */
  readonly statuses: Statuses
}

/** Believes a list of this issuer that was fetched from `uri`, or rejects with a {@link Refusal} (TSL-8.3a). `now` in milliseconds. */
export async function readStatusList(
  token: string,
  { uri, issuer, now }: { uri: string; issuer: string; now: number },
  keyFor: KeyFor,
): Promise<StatusList> {
  const { payload } = await readSigned(token, { most: MAX_LIST_TOKEN_BYTES, isOfType: isStatusList }, keyFor)
  const claims = payload && parseStrict(payload)
  if (claims === undefined) throw new Refusal('malformed')
  const said = claimsOf(claims)
  // An issuer speaks for its own tokens, and a list for the place it was fetched from.
  if (said.iss !== issuer) throw new Refusal('wrong_issuer')
  if (said.sub !== uri) throw new Refusal('wrong_subject')
  const { iat, exp = iat + WITHOUT_EXPIRY } = said
  checkTimes(iat, exp, Math.floor(now / 1000))
  const statuses = await Statuses.decode(said.bits, said.lst)
  return { uri, issuedAt: iat, expiresAt: exp, ttl: bounded(said.ttl), statuses }
}

interface Said {
  readonly iss: string
  readonly sub: string
  readonly iat: number
  readonly exp: number | undefined
  readonly ttl: number | undefined
  readonly bits: JsonNumber
  readonly lst: string
}

function claimsOf(claims: Json): Said {
  const list = claims instanceof Map ? claims.get('status_list') : undefined
  if (!(claims instanceof Map) || !(list instanceof Map)) throw new Refusal('bad_claim')
  const [iss, sub, bits, lst] = [claims.get('iss'), claims.get('sub'), list.get('bits'), list.get('lst')]
  if (typeof iss !== 'string' || typeof sub !== 'string' || typeof lst !== 'string') throw new Refusal('bad_claim')
  if (!(bits instanceof JsonNumber) || !bits.isInteger || bits.text.startsWith('-')) throw new Refusal('bad_claim')
  const time = (name: string): number | undefined => (claims.has(name) ? date(claims.get(name) ?? null) : undefined)
  const iat = time('iat')
  if (iat === undefined) throw new Refusal('bad_claim')
  return { iss, sub, iat, exp: time('exp'), ttl: time('ttl'), bits, lst }
}

function date(value: Json): number {
  try {
    return numericDate(value)
  } catch (error) {
    throw error instanceof BadClaim ? new Refusal('bad_claim') : error
  }
}

function checkTimes(issuedAt: number, expiresAt: number, now: number): void {
  if (issuedAt < 0 || expiresAt <= issuedAt) throw new Refusal('bad_claim')
  if (issuedAt > now + LEEWAY_SECONDS) throw new Refusal('not_yet_valid')
  if (now >= expiresAt) throw new Refusal('expired')
}

/** In its bounds on both sides (TSL-11). */
function bounded(ttl: number | undefined): number {
  if (ttl === undefined) return DEFAULT_TTL
  if (ttl <= 0) throw new Refusal('bad_claim')
  return Math.min(Math.max(ttl * 1000, SHORTEST_TTL), LONGEST_TTL)
}

/** Inflates a zlib stream that has nothing behind it, piece by piece: what goes beyond `most` bytes is never asked for. */
async function inflate(compressed: Uint8Array, most: number): Promise<Uint8Array> {
  const bytes = await inflated(compressed, most)
  if (bytes === 'broken') throw new Refusal('bad_claim')
  if (bytes === 'too_large') throw new Refusal('too_large')
  // Some runtimes let more bytes stand behind the end. If that has come before the last byte, it can be done without.
  if ((await inflated(compressed.subarray(0, -1), most)) !== 'broken') throw new Refusal('bad_claim')
  return bytes
}

async function inflated(compressed: Uint8Array, most: number): Promise<Uint8Array | 'broken' | 'too_large'> {
  try {
    const stream = new Blob([compressed]).stream().pipeThrough(new DecompressionStream('deflate'))
    return (await readWithin(stream as ReadableStream<Uint8Array>, most)) ?? 'too_large'
  } catch {
    return 'broken'
  }
}

/** What the lists say of a token: it counts, or it does not and why, or nobody can say without the list of this address. */
export type Verdict = 'valid' | Refusal | { readonly wanted: string }

interface Held {
  readonly list: StatusList
  /** When it was asked for, or confirmed: its `ttl` counts from there, whichever clock ends it first. */
  asked: Instant
}

/** The lists of one issuer. Pure: whoever fetches hands lists in, and brings the time along. */
export class StatusLists {
  readonly #prefix: string
  /** Those used least recently first. */
  readonly #held = new Map<string, Held>()

  /** Of lists of this issuer, which all stand under `/status-lists/` of it: a token makes nobody fetch from anywhere else. */
  constructor(issuer: string) {
    this.#prefix = `${issuer}/status-lists/`
  }

  /** Whether the token counts, by the lists that are held. All else about it has been verified before (TSL-8.3a). */
  check({ status }: Pick<Claims, 'status'>, at: Instant): Verdict {
    if (status === undefined || !this.#isOurs(status.uri)) return new Refusal('bad_claim')
    const held = this.#held.get(status.uri)
    if (held === undefined || left(held, at) <= 0) return { wanted: status.uri }
    this.#held.delete(status.uri)
    this.#held.set(status.uri, held)
    const found = held.list.statuses.status(status.idx)
    // Suspended, and whatever else an application may mean by a status: only one value says that a token counts.
    return found === 0 ? 'valid' : new Refusal(found === undefined ? 'bad_claim' : 'revoked')
  }

  /**
   * Takes a verified list in that was asked for at `asked`. `false` if it is older than the one that is held, which stays: a revocation is
   * not undone by whoever repeats what was true before (TSL-11).
   */
  receive(list: StatusList, asked: Instant): boolean {
    const before = this.#held.get(list.uri)
    if (before !== undefined && before.list.issuedAt > list.issuedAt) return false
    this.#held.delete(list.uri)
    this.#held.set(list.uri, { list, asked })
    const [oldest] = this.#held.keys()
    if (this.#held.size > MOST_LISTS && oldest !== undefined) this.#held.delete(oldest)
    return true
  }

  /** Takes in that the list has not changed since: who was asked at `asked` said so. `exp` stands. */
  confirm(uri: string, asked: Instant): void {
    const held = this.#held.get(uri)
    if (held !== undefined) held.asked = asked
  }

  /** Whether a list that may still be used should be fetched anew: three quarters of its time are over. */
  isDue(uri: string, at: Instant): boolean {
    const held = this.#held.get(uri)
    return held === undefined || left(held, at) <= held.list.ttl / 4
  }

  /** Whether a list is held and may be used. */
  isUsable(uri: string, at: Instant): boolean {
    const held = this.#held.get(uri)
    return held !== undefined && left(held, at) > 0
  }

  /** Whether a list is held, over or not. */
  holds(uri: string): boolean {
    return this.#held.has(uri)
  }

  /** How many lists are held. */
  get size(): number {
    return this.#held.size
  }

  #isOurs(uri: string): boolean {
    return uri.startsWith(this.#prefix) && NAME.test(uri.slice(this.#prefix.length))
  }
}

/** For how long it may still be used, in milliseconds. A wall clock that was set back before the list was asked for says nothing. */
function left({ list, asked }: Held, at: Instant): number {
  if (at.wall < asked.wall) return 0
  const spent = Math.max(at.mono - asked.mono, at.wall - asked.wall)
  return Math.min(list.ttl - spent, list.expiresAt * 1000 - at.wall)
}
