/**
 * Judges by status lists: which are fetched, when, and how often at most. Nothing runs but what a request has asked for, which is how
 * edge runtimes want it; what fails is tried again later and later, and meanwhile the list that is held counts until its end.
 */

import type { Claims } from './claims.js'
import { type Answer, request } from './client.js'
import type { Instant } from './clock.js'
import { Closing } from './closing.js'
import type { Origins } from './cross_site.js'
import { checkBinding, type Proof, UsedProofs } from './dpop.js'
import type { Guard } from './guard.js'
import { KeySet, type VerifyingKey } from './jwks.js'
import type { Settings } from './options.js'
import { Refusal } from './refusal.js'
import { MAX_LIST_TOKEN_BYTES, MOST_LISTS, readStatusList, StatusLists } from './status_list.js'
import { checkTimes, Verifier, verifierOf } from './verify.js'
import { type OnEnd, watchByLooking, Watches } from './watch.js'

/** After this the key set is fetched anew, in the background. */
const KEYS_DUE = 5 * 60_000
/** Without a new one nothing is accepted after this: a revoked key is one that the authority publishes no more. */
const KEYS_OVER = 10 * 60_000
/** For an unknown name of a key, at most one fetch in so many milliseconds, for all callers together (ATK-10). */
const KEYS_INTERVAL = 2000
const KEYS_TIMEOUT = 2000
const MAX_KEYS_BODY = 2 ** 20
/** Whoever asks waits for it. */
const LIST_TIMEOUT = 5000
/** After a first failure, doubled with each further one. */
const FIRST_PAUSE = 250
const LONGEST_PAUSE = 30_000
/** A request of which nothing has come after this is given up: a runtime may have ended it with the request that had begun it. */
const LOST_AFTER = 8000
/** How often a watched token is looked at again. */
const RECHECK_MS = 1000

/** The type that a status list comes as (TSL-8.2). */
const STATUS_LIST = 'application/statuslist+jwt'

/** Asking for one thing: one request at a time, and after a failure none for a while. */
interface Asking {
  flight: Promise<void> | undefined
  since: number
  failures: number
  notBefore: number
  /** Of what is held. */
  tag: string | undefined
}

/** Fetches lists and keys when they are needed. Follows nothing, and has no credential. */
export class StatusListGuard implements Guard {
  readonly origins: Origins
  readonly at: string
  readonly #settings: Settings
  readonly #verifier: Verifier
  readonly #lists: StatusLists
  readonly #proofs = new UsedProofs(() => this.now())
  readonly #askingGuard: ((proofs: UsedProofs) => Guard) | undefined
  readonly #watches = new Watches()
  readonly #closing = new Closing()
  readonly #turns = new Map<string, Asking>()
  readonly #keysTurn: Asking = newTurn()
  #keys: KeySet | undefined
  #keysAt: Instant = { mono: -Infinity, wall: -Infinity }
  #asking: Guard | undefined

  /** `asking` makes the guard of {@link asking}, where there is a credential to ask with. */
  constructor(settings: Settings, asking?: (proofs: UsedProofs) => Guard) {
    this.#settings = settings
    this.origins = settings.origins
    this.at = settings.at
    this.#verifier = verifierOf(settings)
    this.#lists = new StatusLists(settings.issuer)
    this.#askingGuard = asking
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

  watch(token: string, onEnd: OnEnd): () => void {
    const { clock } = this.#settings
    return watchByLooking(onEnd, {
      judge: () => this.#claims(token), again: (claims) => this.#stillGood(claims), every: RECHECK_MS, watches: this.#watches, clock, now: () => this.now(),
    })
  }

  async ready(): Promise<void> {
    for (;;) {
      if (this.#closed) throw new Error('the guard is closed')
      try {
        return await this.#currentKeys()
      } catch {
        await new Promise<void>((resolve) => this.#settings.clock.after(FIRST_PAUSE, resolve))
      }
    }
  }

  alive(): boolean {
    return !this.#closed && this.#keysAge() < KEYS_OVER
  }

  now(): number {
    return this.#settings.clock.now().wall
  }

  asking(): Guard {
    if (this.#askingGuard === undefined) throw new TypeError('asking() needs feed.credential')
    this.#asking ??= this.#askingGuard(this.#proofs)
    if (this.#closed) this.#asking.close()
    return this.#asking
  }

  close(): void {
    this.#asking?.close()
    this.#closing.close()
    this.#watches.sweep(() => new Refusal('verifier_stale'))
  }

  get #closed(): boolean {
    return this.#closing.over
  }

  /** All but who presents it: signature and times, and what its list says. */
  async #claims(token: string): Promise<Claims> {
    await this.#currentKeys()
    const { claims } = await this.#verifier.verifySigned(token, (name) => this.#keyFor(name))
    checkTimes(claims, this.now())
    await this.#checkStatus(claims)
    return this.#stillInTime(claims)
  }

  async #stillGood(claims: Claims): Promise<void> {
    await this.#currentKeys()
    await this.#checkStatus(claims)
    this.#stillInTime(claims)
  }

  /** Time has passed, if something was waited for. */
  #stillInTime(claims: Claims): Claims {
    if (this.#closed) throw new Refusal('verifier_stale')
    checkTimes(claims, this.now())
    return claims
  }

  async #checkStatus(claims: Claims): Promise<void> {
    const { clock } = this.#settings
    let verdict = this.#lists.check(claims, clock.now())
    if (typeof verdict === 'object' && 'wanted' in verdict) {
      const { wanted } = verdict
      await this.#ask(this.#turn(wanted), () => this.#fetchList(wanted))
      verdict = this.#lists.check(claims, clock.now())
    } else if (claims.status !== undefined && !(verdict instanceof Refusal && verdict.reason === 'bad_claim')) {
      const { uri } = claims.status
      // In the background: nobody waits for it.
      if (this.#lists.isDue(uri, clock.now())) void this.#ask(this.#turn(uri), () => this.#fetchList(uri))
    }
    if (verdict === 'valid') return
    throw verdict instanceof Refusal ? verdict : new Refusal('verifier_stale')
  }

  #turn(uri: string): Asking {
    const known = this.#turns.get(uri)
    if (known !== undefined) return known
    if (this.#turns.size >= MOST_LISTS) {
      for (const [old, { flight }] of this.#turns) {
        if (flight === undefined && !this.#lists.isUsable(old, this.#settings.clock.now())) this.#turns.delete(old)
      }
    }
    const made = newTurn()
    this.#turns.set(uri, made)
    return made
  }

  /** One request at a time: whoever comes meanwhile waits for the same one. Never rejects. */
  #ask(turn: Asking, fetchIt: () => Promise<boolean>): Promise<void> {
    const { mono } = this.#settings.clock.now()
    if (turn.flight !== undefined && mono - turn.since < LOST_AFTER) return this.#within(turn.flight)
    if (mono < turn.notBefore || this.#closed) return Promise.resolve()
    const flight = fetchIt().catch(() => false).then((fetched) => {
      if (turn.flight !== flight) return
      turn.flight = undefined
      turn.failures = fetched ? 0 : turn.failures + 1
      const pause = fetched ? 0 : Math.min(FIRST_PAUSE * 2 ** (turn.failures - 1), LONGEST_PAUSE)
      turn.notBefore = this.#settings.clock.now().mono + pause
    })
    turn.flight = flight
    turn.since = mono
    return this.#within(flight)
  }

  /** Waits, but not for what a runtime has ended with the request that had begun it. */
  #within(flight: Promise<void>): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#settings.clock.after(LOST_AFTER, resolve)
      void flight.then(() => {
        cancel()
        resolve()
      })
    })
  }

  async #fetchList(uri: string): Promise<boolean> {
    const { base, issuer, clock, onEvent } = this.#settings
    const turn = this.#turn(uri)
    const asked = clock.now()
    // That a list has not changed means something only as long as it is held.
    const tag = this.#lists.holds(uri) ? turn.tag : undefined
    const headers = { accept: STATUS_LIST, ...(tag === undefined ? {} : { 'if-none-match': tag }) }
    // The authority may be reached by another way than its public one.
    const answer = await this.#get(base + uri.slice(issuer.length), headers, { timeout: LIST_TIMEOUT, limit: MAX_LIST_TOKEN_BYTES })
    const failed = (reason?: string): false => {
      onEvent({ what: 'list_failed', uri, status: answer?.status, reason })
      return false
    }
    if (answer?.status === 304 && tag !== undefined) {
      this.#lists.confirm(uri, asked)
    } else if (answer?.status === 200) {
      if (answer.headers.get('content-type') !== STATUS_LIST) return failed('wrong_type')
      try {
        const token = new TextDecoder().decode(answer.body)
        const list = await readStatusList(token, { uri, issuer, now: clock.now().wall }, (name) => this.#keyFor(name))
        if (!this.#lists.receive(list, asked)) return failed('older')
      } catch (error) {
        return failed(error instanceof Refusal ? error.reason : undefined)
      }
      turn.tag = answer.headers.get('etag') ?? undefined
    } else {
      return failed()
    }
    // A list that is over helps nobody, and is not asked for in a circle.
    return this.#lists.isUsable(uri, clock.now()) || failed('expired')
  }

  /** Sees to it that the key set is not too old, or rejects. */
  async #currentKeys(): Promise<void> {
    if (this.#closed) throw new Refusal('verifier_stale')
    if (this.#keysAge() < KEYS_DUE) return
    const asked = this.#ask(this.#keysTurn, () => this.#fetchKeys())
    if (this.#keysAge() < KEYS_OVER) return
    await asked
    if (this.#keysAge() >= KEYS_OVER) throw new Refusal('verifier_stale')
  }

  #keysAge(): number {
    const { mono, wall } = this.#settings.clock.now()
    return Math.max(mono - this.#keysAt.mono, wall - this.#keysAt.wall)
  }

  /** The key of this name, a `kid` or a PASERK id; if it is unknown, after one look at the newest key set. */
  async #keyFor(name: string): Promise<VerifyingKey | undefined> {
    const known = this.#keys?.get(name)
    if (known !== undefined) return known
    const turn = this.#keysTurn
    if (turn.flight === undefined && this.#settings.clock.now().mono - turn.since < KEYS_INTERVAL) return undefined
    await this.#ask(turn, () => this.#fetchKeys())
    return this.#keys?.get(name)
  }

  async #fetchKeys(): Promise<boolean> {
    const { base, clock, onEvent } = this.#settings
    const { tag } = this.#keysTurn
    const asked = clock.now()
    // Past every cache on the way: the key set is asked for only when an old one would not do.
    const headers = { accept: 'application/json', 'cache-control': 'no-cache', ...(tag === undefined ? {} : { 'if-none-match': tag }) }
    const answer = await this.#get(`${base}/.well-known/jwks.json`, headers, { timeout: KEYS_TIMEOUT, limit: MAX_KEYS_BODY })
    if (answer?.status !== 304 || this.#keys === undefined) {
      const keys = answer?.status === 200 ? await KeySet.fromJwks(answer.body).catch(() => undefined) : undefined
      if (keys === undefined) {
        onEvent({ what: 'keys_failed', status: answer?.status })
        return false
      }
      this.#keys = keys
      this.#keysTurn.tag = answer?.headers.get('etag') ?? undefined
      onEvent({ what: 'keys_loaded', kids: keys.kids() })
    }
    this.#keysAt = asked
    return true
  }

  #get(url: string, headers: Record<string, string>, { timeout, limit }: { timeout: number; limit: number }): Promise<Answer | undefined> {
    return request(this.#settings, url, { headers }, { timeout, whole: timeout, limit, closing: this.#closing })
  }
}

function newTurn(): Asking {
  return { flight: undefined, since: -Infinity, failures: 0, notBefore: -Infinity, tag: undefined }
}
