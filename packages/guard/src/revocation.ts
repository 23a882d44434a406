/** What has been revoked and may still be presented: a small index, because no access token outlives 15 minutes. */

import type { Claims } from './claims.js'
import { Refusal } from './refusal.js'
import { sessionsOf } from './subject.js'

/** The revocations in force. Entries are only added, and dropped when no token they hit can be alive. Times in ms. */
export class RevocationIndex {
  #head = 0
  readonly #sessions = new Map<string, number>()
  readonly #tokens = new Map<string, number>()
  readonly #stale = new Map<string, { least: number; until: number }>()
  readonly #keys = new Set<string>()

  /**
   * Grows whenever something new has come in: what was checked at this head needs no second look. A count of this
   * guard's own, because the feed's cursor is opaque.
   */
  get head(): number {
    return this.#head
  }

  /** Every token of a session. Repeating an entry changes nothing; order does not matter. */
  addSession(sid: string, until: number): void {
    this.#later(this.#sessions, sid, until)
  }

  /** One access token. */
  addToken(jti: string, until: number): void {
    this.#later(this.#tokens, jti, until)
  }

  /** Every token that a key has signed; for ever. */
  addKey(kid: string): void {
    if (this.#keys.has(kid)) return
    this.#keys.add(kid)
    this.#head += 1
  }

  /**
   * Tokens of a session whose claims version is lower than `least` carry outdated roles: a refresh gets a right one. A
   * version and not a time, because `iat` has whole seconds and several clocks.
   */
  addStale(sid: string, least: number, until: number): void {
    const known = this.#stale.get(sid)
    if (known === undefined || least > known.least) this.#head += 1
    this.#stale.set(sid, {
      least: Math.max(known?.least ?? 0, least),
      until: Math.max(known?.until ?? 0, until),
    })
  }

  /** Refuses what has been revoked: the token, its session or that of whoever acts, or the key that signed it. */
  check(claims: Claims, kid: string | undefined): void {
    if (this.#sessions.has(claims.sid) || this.#tokens.has(claims.jti)) throw new Refusal('revoked')
    // All of the chain must be in good standing. Roles are the subject's alone: an actor's being outdated says nothing here.
    for (const sid of sessionsOf(claims.act)) if (this.#sessions.has(sid)) throw new Refusal('revoked')
    const stale = this.#stale.get(claims.sid)
    if (stale !== undefined && claims.cv < stale.least) throw new Refusal('stale')
    if (kid !== undefined && this.#keys.has(kid)) throw new Refusal('key_revoked')
  }

  /** Drops entries past which no token they hit can be alive. A key entry never leaves. */
  forgetBefore(now: number): void {
    for (const entries of [this.#sessions, this.#tokens]) {
      for (const [id, until] of entries) if (until <= now) entries.delete(id)
    }
    for (const [sid, { until }] of this.#stale) if (until <= now) this.#stale.delete(sid)
  }

  /** How many entries are in force. */
  get size(): number {
    return this.#sessions.size + this.#tokens.size + this.#stale.size + this.#keys.size
  }

  #later(entries: Map<string, number>, id: string, until: number): void {
    const known = entries.get(id)
    if (known === undefined) this.#head += 1
    if (known === undefined || until > known) entries.set(id, until)
  }
}
