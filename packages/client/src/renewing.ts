/** Keeps the tokens good, by one renewal at a time for all callers of this tab, and knows what a refusal means for who is here. */

import type { Body } from './answer.js'
import type { Message } from './channel.js'
import { type Clock, type Instant, spread } from './clock.js'
import type { Credentials } from './credentials.js'
import { asAuthError, AuthError } from './error.js'
import type { Presence } from './presence.js'
import { createRenewal } from './renewal.js'
import type { Turns } from './turn.js'
import type { Wire } from './wire.js'

/** Refusals of a renewal after which there is no session, or none of this browser's. */
const ENDED = /^refresh_(missing|invalid|reuse)$/

/** There is no cookie with the request. */
const MISSING = /_missing$/

export interface Renewing {
  /** It is done when it resolves, or the session is over; it rejects where that is not known. `pressed`: a person wants it now. */
  renew(pressed?: boolean): Promise<void>
  /** What went wrong last, if it is too early to ask again. Somebody who presses a button need not wait, except where the server says so. */
  tooEarly(pressed: unknown): AuthError | undefined
  /** Takes the tokens of an answer. */
  adopt(body: Body, since: Instant): void
  /** The authority has said that there is no session; or there is no cookie, and never was: then it throws. */
  end(error: AuthError): void
  /** Nobody is signed in any more. */
  out(reason: string | undefined): void
  /** Somebody else is here, or nobody: what was asked before says nothing of it. `keeps`: whether the browser is known to keep cookies. */
  changed(keeps?: boolean): void
  /** How often that was so. */
  person(): number
  /** It is not known who is here. Gives the error as people are told of it. */
  fail(error: AuthError): AuthError
  /** Everything is well. */
  well(): void
  /** Nothing is asked again by itself any more. */
  close(): void
}

/** Whether this browser says of itself that it keeps cookies; where it says nothing, it does. */
export function cookiesEnabled(): boolean {
  return globalThis.navigator?.cookieEnabled !== false
}

/** `tell`: to the other tabs. `again`: asks again who is here, if that is not known and somebody wants to hear it. */
export function createRenewing(
  wire: Wire, clock: Clock, graceSeconds: number, credentials: Credentials, presence: Presence, turns: Turns,
  tell: (type: Message['type'], expiresIn: unknown) => void, again: () => void,
): Renewing {
  const renewal = createRenewal(wire, clock, graceSeconds)
  /** What went wrong last, as long as it is too early to ask again. */
  let resting: AuthError | undefined
  let failures = 0
  let wake = (): void => {}
  let closed = false
  /** Whether cookies are known to be kept: where tokens come in bodies, only once a renewal has succeeded. */
  let kept = true
  let person = 0
  let renewing: Promise<void> | undefined

  function adopt({ expires_in, access_token }: Body, since: Instant): void {
    renewal.forget()
    well()
    credentials.adopt(expires_in, access_token, since)
    tell('refreshed', expires_in)
  }

  function changed(keeps = true): void {
    person += 1
    kept = keeps
    // What it brings is of a session that is no more.
    turns.interruptRefresh()
    renewal.forget()
    well()
    credentials.drop()
  }

  function out(reason: string | undefined): void {
    changed()
    presence.signedOut(reason)
  }

  function end(error: AuthError): void {
    const { code, problem } = error
    if (MISSING.test(code) && !(kept && cookiesEnabled())) throw fail(error)
    out(code === 'refresh_reuse' ? 'suspected_theft' : problem?.['reason'] as string | undefined)
  }

  function fail(why: AuthError): AuthError {
    // Where there should be a cookie, the browser has not kept it.
    const error = MISSING.test(why.code) ? new AuthError('cookies_blocked') : why
    // Where it may pass, it is asked again by itself, as long as anybody wants to hear.
    if (error.temporary && !closed) rest(error)
    // The token that is left is of no use where a proof is wanted first.
    if (error.code === 'reauthentication_required') credentials.drop()
    presence.unknown(error)
    return error
  }

  /** Longer each time, and never less than the server wishes. */
  function rest(error: AuthError): void {
    const LONGEST_REST_S = 60
    // Timers of browsers go no further than 24 days, and then call back at once.
    const DAY_S = 86_400
    wake()
    resting = error
    const seconds = error.retryAfter ?? Math.min(2 ** failures++, LONGEST_REST_S)
    wake = clock.after(spread(Math.min(seconds, DAY_S) * 1000), () => {
      resting = undefined
      again()
    })
  }

  function well(): void {
    wake()
    resting = undefined
    failures = 0
  }

  const tooEarly = (pressed: unknown): AuthError | undefined => pressed && !resting?.retryAfter ? undefined : resting

  async function untilSettled(pressed: boolean): Promise<void> {
    if (tooEarly(pressed)) throw resting
    const before = person
    for (;;) {
      // Nothing may come between the last look and the turn of its own: it would abort a sign-in or sign-out that has begun meanwhile.
      while (turns.over()) await turns.over()
      if (before !== person && (presence.isOut() || !credentials.due())) return
      try {
        return await turns.take(async (signal) => {
          // Told to end, also in the pause between two tries, it has no outcome of its own.
          const [body, since] = await renewal.run(signal).finally(() => signal.throwIfAborted())
          adopt(body, since)
          kept = true
          // The failure is over, and with it the timer that would have asked.
          again()
        }, true)
      } catch (caught) {
        const error = asAuthError(caught)
        // A sign-in or sign-out took over. What that comes to decides; if it comes to nothing, what was sent is asked for again at once.
        if (error.code === 'aborted') continue
        if (error.status === 401 && ENDED.test(error.code)) return end(error)
        throw fail(error)
      }
    }
  }

  return {
    renew: (pressed = false) => renewing ??= untilSettled(pressed).finally(() => {
      renewing = undefined
    }),
    tooEarly, adopt, end, out, changed, fail,
    person: () => person,
    well,
    close() {
      closed = true
      well()
    },
  }
}
