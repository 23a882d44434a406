/** Requests to the authority: with what it wants to see, a limit of time, and an error that says what went wrong. */

import { type Body, bodyOf } from './answer.js'
import type { Clock } from './clock.js'
import type { Credentials } from './credentials.js'
import { AuthError } from './error.js'

/** `fetch`, as far as it is used here. */
export type Fetch = (input: RequestInfo | URL, init?: RequestInit) => Promise<Response>

/** Sends JSON and gives the JSON of the answer. Rejects with an `AuthError`; one time-out, no second try. */
export type Wire = (method: string, path: string, signal?: AbortSignal, body?: object, timeout?: number) => Promise<Body>

/** `authority` is an origin, or empty for the page's own. */
export function createWire(authority: string, fetch: Fetch, clock: Clock, credentials: Credentials): Wire {
  const TIMEOUT_MS = 30_000
  const PROBE_MS = 5000

  /**
   * A browser does not say whether an answer of another origin was withheld or none has come. What anybody may have tells it: the key set, in
   * an answer that cannot be read and need not be.
   */
  const whySilent = (): Promise<string> | string => !authority ? 'unreachable'
    : fetch(`${authority}/.well-known/jwks.json`, { mode: 'no-cors', signal: AbortSignal.timeout(PROBE_MS) }).then(() => 'cross_site', () => 'unreachable')

  return async (method, path, signal, body, timeout = TIMEOUT_MS) => {
    const headers = new Headers({ 'X-Requested-With': 'counterfoil' })
    if (body) headers.set('Content-Type', 'application/json')
    credentials.authorize(headers)
    const controller = new AbortController()
    const abort = (): void => controller.abort()
    const cancel = clock.after(timeout, abort)
    // What is under way for a turn is one thing at a time.
    if (signal) signal.onabort = abort
    try {
      return await bodyOf(await fetch(authority + path, {
        method,
        headers,
        // Of nothing it makes nothing.
        body: JSON.stringify(body),
        credentials: 'include',
        // A password must not follow to where something in between points.
        redirect: 'manual',
        signal: controller.signal,
      }))
    } catch (error) {
      if (error instanceof AuthError) throw error
      signal?.throwIfAborted()
      throw new AuthError(await whySilent())
    } finally {
      cancel()
    }
  }
}
