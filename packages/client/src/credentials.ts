/**
 * What is known of the tokens: for how long, and, in the profile `hybrid`, the access token itself. It stands in a variable of one function,
 * which nothing outside can name: not `window`, not a loop over properties, not `JSON.stringify`.
 */

import { type Clock, elapsed, type Instant } from './clock.js'

export interface Credentials {
  /** How often they have changed. Whoever was refused with earlier ones need only try again. */
  epoch(): number
  /** Takes what an answer brings. Its life is counted from when it was asked for, by this machine's clocks. */
  adopt(expiresIn: unknown, token: unknown, since: Instant): void
  /** Nothing is held any more. */
  drop(): void
  /** Whether it is time for new ones. Where nothing is known of a cookie, the server will say so. */
  due(): boolean
  /** Adds them to a request, where they are not a cookie. Only the caller knows where that goes. */
  authorize(headers: Headers): void
}

export function createCredentials(clock: Clock, inBody: boolean): Credentials {
  // No earlier than this before it runs out is a token renewed, and no earlier than in the last fifth of its life.
  const MARGIN_MS = 30_000
  let epoch = 0
  let token: unknown
  let since: Instant | undefined
  let life = 0
  const due = (): boolean =>
    since ? elapsed(since, clock.now()) >= life - Math.min(MARGIN_MS, life / 5) : inBody
  return {
    epoch: () => epoch,
    adopt(expiresIn, accessToken, at) {
      epoch += 1
      token = accessToken
      since = at
      life = Number(expiresIn) * 1000
    },
    drop() {
      epoch += 1
      token = since = undefined
    },
    due,
    authorize(headers) {
      if (inBody && token && !headers.has('authorization')) headers.set('Authorization', `Bearer ${token}`)
    },
  }
}
