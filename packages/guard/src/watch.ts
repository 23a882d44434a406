/** Tokens in use by something that outlives a request: a WebSocket, a stream. Each is told once when its token stops counting. */

import type { Claims } from './claims.js'
import type { Clock } from './clock.js'
import { Refusal } from './refusal.js'

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

/**
 * The life of one watch: `begin` judges the token and arms what may end it; `onStop` says how to disarm. Whatever happens
 * first, the call-back comes at most once, and never after it was taken away.
 */
export function startWatch(onEnd: OnEnd, begin: (end: OnEnd, onStop: (disarm: () => void) => void) => Promise<void>): () => void {
  let over = false
  let disarm: (() => void) | undefined
  const stop = (): void => {
    over = true
    disarm?.()
  }
  const end = (why: Refusal): void => {
    if (over) return
    stop()
    onEnd(why)
  }
  const onStop = (how: () => void): void => {
    disarm = how
    // Taken away while the token was being judged.
    if (over) how()
  }
  begin(end, onStop).catch((error: unknown) => end(refusalOf(error)))
  return stop
}

/** Ends the watch when the authority's clock has reached `exp`. */
export function armExpiry(claims: Claims, end: OnEnd, clock: Clock, now: () => number): () => void {
  let cancel = (): void => {}
  const look = (): void => {
    const left = claims.exp * 1000 - now()
    // Looks again rather than trust one long timer: what is known of the authority's clock may change.
    if (left <= 0) end(new Refusal('expired'))
    else cancel = clock.after(Math.max(left, 1), look)
  }
  look()
  return () => cancel()
}

/** A fault of our own is no reason to go on trusting. */
export function refusalOf(error: unknown): Refusal {
  return error instanceof Refusal ? error : new Refusal('verifier_stale')
}

/** A watch that looks at its token again and again, every `every` milliseconds. */
export function watchByLooking(
  onEnd: OnEnd,
  { judge, again, every, watches, clock, now }: {
    /** Judges the token. */
    judge: () => Promise<Claims>
    /** Looks again; rejects with why it counts no more. */
    again: (claims: Claims) => Promise<unknown>
    every: number
    watches: Watches
    clock: Clock
    now: () => number
  },
): () => void {
  return startWatch(onEnd, async (end, onStop) => {
    const claims = await judge()
    const watch: Watch = { claims, kid: undefined, end }
    watches.add(watch)
    const cancelExpiry = armExpiry(claims, end, clock, now)
    let cancelRecheck = (): void => {}
    const arm = (): void => {
      // Gone while it was being looked at: nobody waits any more.
      if (watches.has(watch)) cancelRecheck = clock.after(every, recheck)
    }
    const recheck = (): void => {
      again(claims).then(arm, (error: unknown) => end(refusalOf(error)))
    }
    arm()
    onStop(() => {
      cancelExpiry()
      cancelRecheck()
      watches.delete(watch)
    })
  })
}
