/** The guard that asks the authority about every token, every time. It needs nothing of Node: on edge runtimes it is the exact one. */

import type { Claims } from './claims.js'
import { Closing } from './closing.js'
import type { Origins } from './cross_site.js'
import { checkBinding, type Proof, UsedProofs } from './dpop.js'
import type { Guard } from './guard.js'
import { Introspector } from './introspect.js'
import type { Settings } from './options.js'
import { Refusal } from './refusal.js'
import { verifierOf } from './verify.js'
import { type OnEnd, watchByLooking, Watches } from './watch.js'

/** How often an introspecting guard asks again about a token that is watched. */
export const RECHECK_MS: number = 5000

/** Keeps no lease, no keys and no cache. */
export class AskingGuard implements Guard {
  readonly origins: Origins
  readonly at: string
  readonly #settings: Settings
  readonly #proofs: UsedProofs
  readonly #introspector: Introspector
  readonly #watches = new Watches()
  readonly #closing = new Closing()

  /** With the proofs of the guard it belongs to, if it does: what has been used there is used here. */
  constructor(settings: Settings, proofs?: UsedProofs) {
    this.#settings = settings
    this.origins = settings.origins
    this.at = settings.at
    this.#proofs = proofs ?? new UsedProofs(() => this.now())
    this.#introspector = new Introspector({ ...settings, verifier: verifierOf(settings), closing: this.#closing })
  }

  asking(): Guard {
    return this
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
    if (!this.alive()) throw new Refusal('verifier_stale')
    return this.#introspector.ask(token)
  }

  watch(token: string, onEnd: OnEnd): () => void {
    const { clock } = this.#settings
    return watchByLooking(onEnd, {
      judge: () => this.#claims(token), again: () => this.#claims(token), every: RECHECK_MS, watches: this.#watches, clock, now: () => this.now(),
    })
  }

  ready(): Promise<void> {
    return this.alive() ? Promise.resolve() : Promise.reject(new Error('the guard is closed'))
  }

  alive(): boolean {
    return !this.#closing.over
  }

  now(): number {
    return this.#settings.clock.now().wall
  }

  close(): void {
    this.#closing.close()
    this.#watches.sweep(() => new Refusal('verifier_stale'))
  }
}
