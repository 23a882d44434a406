/** Sign-in, sign-out and refresh, one at a time in this tab: a late answer could put an earlier session back. */

import { AuthError } from './error.js'

/** What a turn is for. */
export type Kind = 'refresh' | 'change'

export interface Turns {
  /** Aborts what is under way, waits until it is over, then works. */
  take<T>(kind: Kind, work: (signal: AbortSignal) => Promise<T>): Promise<T>
  /** Aborts a refresh that is under way: what it brings is of a session that is no more. */
  interruptRefresh(): void
  /** Waits while anybody signs in or out here. */
  idle(): Promise<void>
}

interface Turn {
  readonly kind: Kind
  readonly controller: AbortController
  readonly over: Promise<unknown>
}

export function createTurns(): Turns {
  let running: Turn | undefined
  return {
    take(kind, work) {
      const before = running
      before?.controller.abort()
      const controller = new AbortController()
      const { signal } = controller
      const done = (async () => {
        await before?.over
        if (signal.aborted) throw new AuthError('aborted')
        return work(signal)
      })()
      const leave = (): void => {
        if (running === turn) running = undefined
      }
      // How it went is for whoever has begun it.
      const turn: Turn = { kind, controller, over: done.then(leave, leave) }
      running = turn
      return done
    },
    interruptRefresh() {
      if (running?.kind === 'refresh') running.controller.abort()
    },
    async idle() {
      while (running) await running.over
    },
  }
}
