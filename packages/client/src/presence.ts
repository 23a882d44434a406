/** Who is here, as far as is known, and whoever wants to hear of it. */

import type { Body } from './answer.js'
import { AuthError } from './error.js'
import type { Identity, State } from './types.js'

export type Listener = (state: State) => void

export interface Presence {
  state(): State
  isOut(): boolean
  /** Whether anybody wants to hear of it. */
  watched(): boolean
  subscribe(listener: Listener): () => void
  signedIn(answer: Body): void
  signedOut(reason: string | undefined): void
  /** It is not known; who was here last is kept. */
  unknown(error: AuthError): void
}

export function createPresence(): Presence {
  const listeners = new Set<Listener>()
  let last: Identity | undefined
  let state: State = unknownState(new AuthError('not_asked'))

  function unknownState(error: AuthError): State {
    const { kind: cause, message, retryAfter, problem } = error
    return { status: 'unknown', cause, message, last, retryAfter, problem }
  }

  function set(next: State): void {
    state = next
    for (const listener of [...listeners]) listener(next)
  }

  return {
    state: () => state,
    isOut: () => state.status === 'signed_out',
    watched: () => listeners.size > 0,
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
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
    unknown: (error) => set(unknownState(error)),
  }
}

/** Whom an answer names; another server's JSON names nobody. */
export function identityOf({ user, session }: Body): Identity {
  if (!user || !session) throw new AuthError('not_counterfoil')
  return { user, session } as unknown as Identity
}
