/** Tokens verified a moment ago, so that the signature is checked once per token and not once per request. */

import * as crypto from 'node:crypto'

/**
 * A bounded set of verified tokens with what was learnt of each.
 *
 * Two generations: when the younger is full it becomes the older, and the older is dropped. A token in use moves up.
 * Memory is bounded by `2 * capacity` entries; nothing is scanned. The caller must check times and revocation on every
 * use: a hit says that the signature was good, not that the token still is.
 *
 * The map is keyed by the SHA-256 of the token: how long a look-up takes says nothing about a token nobody has shown yet,
 * and the cache holds no token that could leak from it.
 */
export class VerifiedTokens<T> {
  readonly #capacity: number
  #young = new Map<string, T>()
  #old = new Map<string, T>()

  /** For at most `2 * capacity` tokens. */
  constructor(capacity: number) {
    this.#capacity = Math.max(1, Math.floor(capacity))
  }

  /** What was learnt of this token when it was verified. */
  get(token: string): T | undefined {
    const key = digest(token)
    const young = this.#young.get(key)
    if (young !== undefined) return young
    const old = this.#old.get(key)
    if (old === undefined) return undefined
    this.#old.delete(key)
    this.#put(key, old)
    return old
  }

  /** Remembers a token whose signature has just been verified. */
  insert(token: string, value: T): void {
    this.#put(digest(token), value)
  }

  /** Forgets everything, as when the key set has changed. */
  clear(): void {
    this.#young.clear()
    this.#old.clear()
  }

  /** How many tokens are remembered. */
  get size(): number {
    return this.#young.size + this.#old.size
  }

  #put(key: string, value: T): void {
    if (this.#young.size >= this.#capacity && !this.#young.has(key)) {
      this.#old = this.#young
      this.#young = new Map()
    }
    this.#young.set(key, value)
  }
}

// `crypto.hash` (Node 20.12) makes no object for each token.
const digest: (token: string) => string =
  typeof crypto.hash === 'function'
    ? (token) => crypto.hash('sha256', token, 'base64')
    : (token) => crypto.createHash('sha256').update(token).digest('base64')
