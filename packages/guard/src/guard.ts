/** The guard: may this token be believed now? */

import { AskingGuard } from './asking_guard.js'
import { encode } from './base64url.js'
import { VerifiedTokens } from './cache.js'
import type { Claims } from './claims.js'
import { Client } from './client.js'
import { Closing } from './closing.js'
import type { Origins } from './cross_site.js'
import { checkBinding, type Proof, UsedProofs } from './dpop.js'
import { DecryptionKeys } from './encryption.js'
import { Feed } from './feed.js'
import { Introspector } from './introspect.js'
import { type GuardOptions, type Settings, settingsOf } from './options.js'
import { Refusal } from './refusal.js'
import { RevocationIndex } from './revocation.js'
import { StatusListGuard } from './status_list_guard.js'
import { checkTimes, Verifier, verifierOf } from './verify.js'
import { armExpiry, type OnEnd, refusalOf, startWatch, type Watch, Watches } from './watch.js'

export type { GuardOptions } from './options.js'
export type { OnEnd } from './watch.js'

export interface Guard {
  /** Believes the token, or rejects with a {@link Refusal}. One that is bound to a key is refused here (`proof_required`). */
  verify(token: string): Promise<Claims>
  /**
   * The same for a token that comes with a proof (RFC 9449), which must be fresh, for this token, and new to this guard. Only such a
   * token passes that is bound to the proof's key.
   */
  verifyBound(token: string, proof: Proof): Promise<Claims>
  /**
   * Calls back once, when the token stops counting: revoked, expired, outdated, or nobody can tell any more. At once, if it
   * does not count now. Who presents it is not asked again. Returns what takes the call-back away.
   */
  watch(token: string, onEnd: OnEnd): () => void
  /** Resolves when tokens can be judged; rejects when the guard is closed before. */
  ready(): Promise<void>
  /** Whether tokens can be judged at this moment, for health checks. */
  alive(): boolean
  /** The authority's clock in milliseconds, as well as it is known here. */
  now(): number
  /** From where requests that rest on a cookie may come. */
  readonly origins: Origins
  /** Under which origin clients know this server: proofs are made for it and the request's path. */
  readonly at: string
  /** The same guard in mode `introspect`, for the few routes where seconds are too long. It closes with this one. */
  asking(): Guard
  /** Stops asking; everything is refused from here on, and every watch ends. */
  close(): void
}

/** Makes a guard and starts following the authority. */
export function createGuard(options: GuardOptions): Guard {
  const settings = settingsOf(options, DecryptionKeys.fromJwks(options.decryptionKeys ?? []))
  switch (settings.mode) {
    case 'introspect': return new AskingGuard(settings)
    case 'status-list': return new StatusListGuard(settings, settings.credential === '' ? undefined : (proofs) => new AskingGuard(settings, proofs))
    case 'pushed': return new PushedGuard(settings)
  }
}

/** What was learnt of a token when it was verified. */
interface Known {
  readonly claims: Claims
  readonly kid: string
  /** The head of the index at which it was found not revoked. */
  head: number
}

/** Judges from a copy of the revocation log, for as long as the lease on it lasts. */
class PushedGuard implements Guard {
  readonly origins: Origins
  readonly at: string
  readonly #settings: Settings
  readonly #proofs = new UsedProofs(() => this.now())
  readonly #index = new RevocationIndex()
  // An instance for each follower, not for each process: an acknowledgement speaks for this index only.
  readonly #feed = new Feed(encode(crypto.getRandomValues(new Uint8Array(16))), this.#index)
  readonly #tokens: VerifiedTokens<Known>
  readonly #verifier: Verifier
  readonly #introspector: Introspector
  readonly #client: Client
  readonly #watches = new Watches()
  readonly #closing = new Closing()
  #waiting: { resolve: () => void; reject: (error: Error) => void }[] = []
  #asking: AskingGuard | undefined
  #cancelLease: () => void = () => {}

  constructor(settings: Settings) {
    this.#settings = settings
    this.origins = settings.origins
    this.at = settings.at
    this.#tokens = new VerifiedTokens(settings.cacheSize)
    this.#verifier = verifierOf(settings)
    this.#introspector = new Introspector({ ...settings, verifier: this.#verifier, closing: this.#closing })
    this.#client = new Client({
      ...settings,
      feed: this.#feed,
      onTurn: () => this.#endIfLeaseEnded(),
      onReceived: (received) => this.#received(received === 'news'),
      onKeys: () => {
        // A name may mean another key now.
        this.#tokens.clear()
        this.#announceReady()
      },
    })
    this.#client.start()
  }

  async verify(token: string): Promise<Claims> {
    const claims = await this.#claims(token)
    checkBinding(claims)
    return claims
  }

  async verifyBound(token: string, proof: Proof): Promise<Claims> {
    const claims = await this.#claims(token)
    await this.#proofs.use(claims, token, proof)
    return claims
  }

  /** All but who presents it. */
  async #claims(token: string): Promise<Claims> {
    if (this.alive()) return (await this.#known(token)).claims
    if (this.#settings.onLeaseEnd === 'introspect' && !this.#closed) return this.#introspector.ask(token)
    throw new Refusal('verifier_stale')
  }

  asking(): Guard {
    this.#asking ??= new AskingGuard(this.#settings, this.#proofs)
    if (this.#closed) this.#asking.close()
    return this.#asking
  }

  /** Everything but the lease has been checked when this returns; the lease too, at the moment of judgement. */
  async #known(token: string): Promise<Known> {
    const remembered = this.#tokens.get(token)
    if (remembered !== undefined) return this.#judge(remembered)
    const keys = this.#client.keys
    const { claims, kid } = await this.#verifier.verifySigned(token, (name) => this.#client.keyFor(name))
    const known = { claims, kid, head: -1 }
    // Time has passed: the lease may have ended, the token been revoked.
    this.#judge(known)
    // A key set that came in meanwhile has emptied the cache for a reason.
    if (this.#client.keys === keys) this.#tokens.insert(token, known)
    return known
  }

  #judge(known: Known): Known {
    const at = this.#settings.clock.now()
    if (this.#closed || !this.#feed.alive(at)) throw new Refusal('verifier_stale')
    checkTimes(known.claims, this.#feed.now(at))
    if (known.head !== this.#index.head) {
      this.#index.check(known.claims, known.kid)
      known.head = this.#index.head
    }
    return known
  }

  watch(token: string, onEnd: OnEnd): () => void {
    return startWatch(onEnd, async (end, onStop) => {
      if (!this.alive()) throw new Refusal('verifier_stale')
      const { claims, kid } = await this.#known(token)
      const watch: Watch = { claims, kid, end }
      this.#watches.add(watch)
      const cancel = this.#armExpiry(claims, end)
      onStop(() => {
        cancel()
        this.#watches.delete(watch)
      })
    })
  }

  #armExpiry(claims: Claims, end: OnEnd): () => void {
    return armExpiry(claims, end, this.#settings.clock, () => this.now())
  }

  ready(): Promise<void> {
    if (this.alive()) return Promise.resolve()
    if (this.#closed) return Promise.reject(new Error('the guard is closed'))
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }))
  }

  alive(): boolean {
    return !this.#closed && this.#client.keys !== undefined && this.#feed.alive(this.#settings.clock.now())
  }

  now(): number {
    return this.#feed.now(this.#settings.clock.now())
  }

  close(): void {
    this.#asking?.close()
    this.#closing.close()
    this.#client.close()
    this.#cancelLease()
    for (const { reject } of this.#waiting.splice(0)) reject(new Error('the guard is closed'))
    this.#watches.sweep(() => new Refusal('verifier_stale'))
  }

  get #closed(): boolean {
    return this.#closing.over
  }

  #received(news: boolean): void {
    if (news) this.#watches.sweep(({ claims, kid }) => refusalIn(() => this.#index.check(claims, kid)))
    this.#armLease()
    this.#announceReady()
  }

  #armLease(): void {
    this.#cancelLease()
    const { clock } = this.#settings
    this.#cancelLease = clock.after(this.#feed.remaining(clock.now()), () => {
      // A timer may come a moment early.
      if (this.#feed.alive(clock.now())) this.#armLease()
      else this.#endIfLeaseEnded()
    })
  }

  /** Also looked at before an answer renews the lease: a gap, as after sleep, is an end. */
  #endIfLeaseEnded(): void {
    if (!this.#feed.alive(this.#settings.clock.now())) this.#watches.sweep(() => new Refusal('verifier_stale'))
  }

  #announceReady(): void {
    if (this.alive()) for (const { resolve } of this.#waiting.splice(0)) resolve()
  }
}

function refusalIn(check: () => void): Refusal | undefined {
  try {
    check()
    return undefined
  } catch (error) {
    return refusalOf(error)
  }
}
