/**
 * The guard for runtimes that are not Node: by status lists or by introspection, without `node:` modules and `Buffer`. Only `fetch`,
 * WebCrypto and, for the lists, `DecompressionStream` are needed. Following a feed is not for runtimes that end with their request.
 *
 * ```js
 * import { createGuard } from '@counterfoil/guard/edge'
 *
 * const guard = createGuard({ issuer: 'https://auth.example.com', audience: 'web' })
 * const { claims } = await authenticate(guard, request)   // or a Refusal or Problem
 * ```
 */

import { AskingGuard } from './asking_guard.js'
import { type Auth, authenticate as judge } from './credential.js'
import { viewOfFetch } from './fetch.js'
import type { Guard } from './guard.js'
import { type GuardOptions, settingsOf } from './options.js'
import { StatusListGuard } from './status_list_guard.js'

export type { Claims, Confirmation, StatusReference } from './claims.js'
export type { Auth } from './credential.js'
export { endingWith } from './fetch.js'
export type { Guard, OnEnd } from './guard.js'
export { Problem, type ProblemCode, problemOf } from './problem.js'
export { type Reason, Refusal, type RefusalCode } from './refusal.js'
export { requirement, type Requirement } from './require.js'

/** Everything but a lease, and keys to decrypt with, which need Node. */
export type EdgeOptions = Omit<GuardOptions, 'mode' | 'onLeaseEnd' | 'decryptionKeys' | 'cacheSize'> & {
  /**
   * `status-list` (the default) judges by the authority's status lists: late by the `ttl` of the list. `introspect` asks about every
   * token, every time, and needs `feed`: where to ask, and the credential to ask with.
   */
  readonly mode?: 'status-list' | 'introspect'
}

/** A guard that fetches nothing before the first request and sets no timer between two, but where a token is watched. */
export function createGuard({ mode = 'status-list', ...options }: EdgeOptions): Guard {
  // Whoever has no types learns it at the start too.
  if (mode !== 'status-list' && mode !== 'introspect') throw new TypeError('mode must be "status-list" or "introspect" here; others need Node')
  const settings = settingsOf({ ...options, mode })
  if (mode === 'introspect') return new AskingGuard(settings)
  return new StatusListGuard(settings, settings.credential === '' ? undefined : (proofs) => new AskingGuard(settings, proofs))
}

/** Judges a request of the Fetch API. Rejects with a {@link Refusal} or a {@link Problem}; see `problemOf`. */
export function authenticate(guard: Guard, request: Request): Promise<Auth> {
  return judge(guard, viewOfFetch(request))
}
