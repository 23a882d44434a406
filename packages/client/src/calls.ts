/** `fetch` for the page's own calls: with what the own origins want to see, one renewal and one more try, and nothing for strangers. */

import { jsonOf } from './answer.js'
import type { Credentials } from './credentials.js'
import { asAuthError, type AuthError } from './error.js'
import type { Fetch } from './wire.js'

/** A 401 with one of these (`token_missing`, `token_expired`, `token_stale`, `token_invalid`; `session_revoked`) may be cured by a renewal; or the renewal says why the session is over. */
const RENEWABLE = /^(token_|session_revoked)/

export function isRenewable({ status, code }: AuthError): boolean {
  return status === 401 && RENEWABLE.test(code)
}

/** What a call needs of the client. */
export interface Surroundings {
  readonly credentials: Credentials
  /** The authority's origin; empty for the page's own. */
  readonly authority: string
  /** Further origins that get the access token. */
  readonly apis: readonly string[]
  /** Whether nobody is signed in: then there is nothing to renew. */
  isOut(): boolean
  /** Rejects if it is not known how it went. */
  renew(): Promise<unknown>
}

export function createCall(fetch: Fetch, { credentials, authority, apis, isOut, renew }: Surroundings): Fetch {
  const listed = apis.map((api) => new URL(api).origin)

  return async (input, init) => {
    const request = new Request(input, init)
    const { origin } = new URL(request.url)
    const own = globalThis.location?.origin
    const trusted = [authority || own, ...listed].includes(origin)
    if (!trusted && origin !== own) return fetch(request)

    const tried = !isOut() && credentials.due()
    // Ahead of its end a token still counts: that it could not be renewed need not concern this call.
    const error = tried ? await renew().then(() => undefined, asAuthError) : undefined

    let epoch = 0
    const send = (): Promise<Response> => {
      epoch = credentials.epoch()
      // The request itself stays unread for a second time.
      const copy = new Request(request.clone(), origin === authority && request.credentials === 'same-origin' ? { credentials: 'include' } : {})
      copy.headers.set('X-Requested-With', 'counterfoil')
      if (trusted) credentials.authorize(copy.headers)
      return fetch(copy)
    }
    const response = await send()
    const problem = response.status === 401 && await jsonOf(response.clone())
    if (!problem || !RENEWABLE.test(String(problem['code']))) return response
    if (error) throw error
    // Somebody else may have renewed them while this was under way.
    if (epoch === credentials.epoch() && !tried && !isOut()) await renew()
    return epoch === credentials.epoch() || isOut() ? response : send()
  }
}
