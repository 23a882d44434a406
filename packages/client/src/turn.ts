/** Sign-in, sign-out and refresh, one at a time in this tab: a late answer could put an earlier session back. */

import { AuthError } from './error.js'

export interface Turns {
  /** Aborts what is under way, waits until it is over, then works. What is no refresh is a sign-in or sign-out, or a step of one. */
  take<T>(work: (signal: AbortSignal) => Promise<T>, isRefresh?: boolean): Promise<T>
  /** Aborts a refresh that is under way: what it brings is of a session that is no more. */
  interruptRefresh(): void
  /** The end of what is under way, if anything is. It never rejects. */
  over(): Promise<unknown> | undefined
}

interface Turn {
  readonly isRefresh: boolean
  abort(): void
  readonly over: Promise<unknown>
}

export function createTurns(): Turns {
  let running: Turn | undefined
  return {
    take(work, isRefresh = false) {
      const before = running
      before?.abort()
      const controller = new AbortController()
      const { signal } = controller
      const done = (async () => {
        await before?.over
        signal.throwIfAborted()
        return work(signal)
      })()
      const leave = (): void => {
        if (running === turn) running = undefined
      }
      // How it went is for whoever has begun it.
      const turn: Turn = { isRefresh, abort: () => controller.abort(new AuthError('aborted')), over: done.then(leave, leave) }
      running = turn
      return done
    },
    interruptRefresh() {
      if (running?.isRefresh) running.abort()
    },
    over: () => running?.over,
  }
}
