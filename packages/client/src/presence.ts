/** Who is here, as far as is known, and whoever wants to hear of it. */

import type { Body } from './answer.js'
import { AuthError } from './error.js'
import type { Identity, State } from './types.js'

export type Listener = (state: State) => void

export interface Presence {
  state(): State
  isOut(): boolean
  /** Whether somebody wants to hear what has been asked and is not known. */
  wanted(): boolean
  subscribe(listener: Listener): () => void
  signedIn(answer: Body): void
  signedOut(reason: string | undefined): void
  /** It is not known; who was here last is kept. */
  unknown(error: AuthError): void
}

export function createPresence(): Presence {
  /** Each in a box of its own: the same function may be there twice. */
  const listeners = new Set<readonly [Listener]>()
  let last: Identity | undefined
  let state: State
  unknown(new AuthError('not_asked'))

  function unknown({ kind: cause, message, retryAfter, problem }: AuthError): void {
    set({ status: 'unknown', cause, message, last, retryAfter, problem })
  }

  function set(next: State): void {
    state = next
    for (const [listener] of [...listeners]) listener(next)
  }

  return {
    state: () => state,
    isOut: () => state.status === 'signed_out',
    wanted: () => listeners.size > 0 && state.status === 'unknown' && state.cause !== 'not_asked',
    subscribe(listener) {
      const box = [listener] as const
      listeners.add(box)
      return () => listeners.delete(box)
    },
    signedIn(answer) {
      last = identityOf(answer)
      set({ status: 'signed_in', ...last })
    },
    signedOut(reason) {
      last = undefined
      // It is asked again, and there is not even a cookie any more: the reason is known already.
      if (reason || state.status !== 'signed_out') set({ status: 'signed_out', reason })
    },
    unknown,
  }
}

/** Whom an answer names; another server's JSON names nobody. */
export function identityOf({ user, session }: Body): Identity {
  if (!user || !session) throw new AuthError()
  return { user, session } as unknown as Identity
}
