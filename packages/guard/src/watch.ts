/** Tokens in use by something that outlives a request: a WebSocket, a stream. Each is told once when its token stops counting. */

import type { Claims } from './claims.js'
import type { Refusal } from './refusal.js'

/** Called once, with why the token no longer counts. */
export type OnEnd = (why: Refusal) => void

/** A token that somebody watches. */
export interface Watch {
  readonly claims: Claims
  readonly kid: string | undefined
  readonly end: OnEnd
}

/** All watches of one guard. */
export class Watches {
  readonly #watches = new Set<Watch>()

  add(watch: Watch): void {
    this.#watches.add(watch)
  }

  delete(watch: Watch): void {
    this.#watches.delete(watch)
  }

  has(watch: Watch): boolean {
    return this.#watches.has(watch)
  }

  /** Ends those for which `judge` finds a reason. */
  sweep(judge: (watch: Watch) => Refusal | undefined): void {
    for (const watch of [...this.#watches]) {
      const why = judge(watch)
      if (why === undefined) continue
      this.#watches.delete(watch)
      try {
        watch.end(why)
      } catch (error) {
        // One call-back that fails must not keep the others open; it fails as any event handler would.
        queueMicrotask(() => {
          throw error
        })
      }
    }
  }
}
