/** `fetch` for the page's own calls: with what the own origins want to see, one renewal and one more try, and nothing for strangers. */

import { jsonOf } from './answer.js'
import type { Credentials } from './credentials.js'
import { asAuthError, type AuthError } from './error.js'
import type { Fetch } from './wire.js'

/**
 * A 401 with one of these (`token_missing`, `token_expired`, `token_stale`, `token_invalid`, and what a newer server may add) may be cured by a
 * renewal; or the renewal says why the session is over.
 */
const RENEWABLE = /^(token_|session_revoked)/

export function isRenewable({ status, code }: AuthError): boolean {
  return status === 401 && RENEWABLE.test(code)
}

/**
 * `authority` is empty for the page's own origin; `apis` are further origins that get the access token. Where somebody `isOut` there is nothing to
 * renew; `renew` rejects if it is not known how it went.
 */
export function createCall(
  fetch: Fetch, credentials: Credentials, authority: string, apis: readonly string[], isOut: () => boolean, renew: () => Promise<void>,
): Fetch {
  const listed = apis.map((api) => new URL(api).origin)

  return async (input, init) => {
    const request = new Request(input, init)
    const { origin } = new URL(request.url)
    const own = globalThis.location?.origin
    const trusted = [authority || own, ...listed].includes(origin)
    if (!trusted && origin !== own) return fetch(request)

    const { signal } = request
    /** Others may wait for the same one, so that a call that is aborted only goes away from it. */
    const renewal = (): Promise<void> => Promise.race([renew(), new Promise<never>((_, reject) => {
      signal.onabort = () => reject(signal.reason)
    })])
    const tried = !isOut() && credentials.due()
    // Ahead of its end a token still counts: that it could not be renewed need not concern this call.
    const error = tried && await renewal().catch(asAuthError)

    let epoch = 0
    const send = (): Promise<Response> => {
      epoch = credentials.epoch()
      // The request itself stays unread for a second time.
      const { credentials: cookies, referrer, referrerPolicy } = request
      // Where anything is given, a referrer that is not given with it is lost.
      const more: RequestInit = origin === authority && cookies === 'same-origin' ? { credentials: 'include', referrer, referrerPolicy } : {}
      const copy = new Request(request.clone(), more)
      copy.headers.set('X-Requested-With', 'counterfoil')
      if (trusted) credentials.authorize(copy.headers)
      return fetch(copy)
    }
    const response = await send()
    // What was redirected may have done its work before it was led to where the answer is from. (To HEAD no answer says why it refuses.)
    const again = !response.redirected || request.method === 'GET'
    const problem = again && response.status === 401 && await jsonOf(response.clone())
    if (!problem || !RENEWABLE.test(problem['code'] as string)) return response
    if (error) throw error
    // Somebody else may have renewed them while this was under way, or have signed in, and no new ones are there yet.
    if (!isOut() && (epoch === credentials.epoch() ? !tried : credentials.due())) await renewal()
    return epoch === credentials.epoch() || isOut() ? response : send()
  }
}
