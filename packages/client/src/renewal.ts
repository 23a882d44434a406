/**
 * One renewal of the session: one try, and one more soon after. A refresh token is used once, and a spent one that comes back later than the
 * grace is taken for theft. So a try is given up after a third of the grace, and the second begins within half of it, counted from the first
 * time that the token was sent, also by a renewal before this one. A grace of less than three times `SHORTEST_TRY_MS`, or none, leaves no time
 * for that: an answer that is only slow, given up, would cost the session. There it is waited for as long as for any other.
 */

import type { Body } from './answer.js'
import { type Clock, elapsed, type Instant, pause, spread } from './clock.js'
import { AuthError, asAuthError } from './error.js'
import type { Wire } from './wire.js'

/** What a renewal brings, and when it was asked for. */
export type Renewed = readonly [body: Body, since: Instant]

export interface Renewal {
  /** Rejects with what the last try came to. */
  run(signal: AbortSignal): Promise<Renewed>
  /** The jar holds another token by now, or none. */
  forget(): void
}

export function createRenewal(wire: Wire, clock: Clock, graceSeconds: number): Renewal {
  const PAUSE_MS = 300
  // In less, one packet that is lost and sent again may be the whole delay.
  const SHORTEST_TRY_MS = 3000
  const grace = graceSeconds * 1000
  const timeout = grace < 3 * SHORTEST_TRY_MS ? undefined : grace / 3
  /** When the token in the jar was first sent, if no answer has come to it. */
  let firstSent: Instant | undefined
  const tooLate = (wait: number): boolean => !!firstSent && elapsed(firstSent, clock.now()) + wait >= grace / 2

  /** Waits where a further try may come to something else: one where the answer was lost, one with a newer cookie or proof. */
  async function mayTryAgain({ code, temporary, retryAfter = 0 }: AuthError, tries: number, signal: AbortSignal): Promise<boolean> {
    const wait = spread(Math.max(PAUSE_MS, retryAfter * 1000))
    // The newer cookie is on its way; the proof is made by the browser itself.
    const worthIt = temporary ? tries < 2 : tries < 3 && /superseded|^proof/.test(code)
    if (!worthIt || tooLate(wait)) return false
    await pause(clock, wait, signal)
    // The timer may have slept with the machine, or in a tab that was frozen.
    return !signal.aborted && !tooLate(0)
  }

  const forget = (): void => {
    firstSent = undefined
  }

  return {
    async run(signal) {
      for (let tries = 1; ; tries += 1) {
        const since = clock.now()
        firstSent ??= since
        try {
          const body = await wire('POST', '/api/auth/refresh', signal, undefined, timeout)
          // No answer of ours: what was sent may have been spent.
          if (!(body['expires_in'] as number > 0)) throw new AuthError()
          return [body, since]
        } catch (caught) {
          const error = asAuthError(caught)
          if (error.status === 401 || error.status === 409) forget()
          if (!(await mayTryAgain(error, tries, signal))) throw error
        }
      }
    },
    forget,
  }
}
