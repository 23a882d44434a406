/**
 * The guard for runtimes that are not Node: by status lists, without `node:` modules and `Buffer`. Only `fetch`, WebCrypto and
 * `DecompressionStream` are needed.
 *
 * ```js
 * import { createGuard } from '@counterfoil/guard/edge'
 *
 * const guard = createGuard({ issuer: 'https://auth.example.com', audience: 'web' })
 * const { claims } = await authenticate(guard, request)   // or a Refusal or Problem
 * ```
 */

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

/** Everything but a feed and keys to decrypt with, which need Node. */
export type EdgeOptions = Omit<GuardOptions, 'feed' | 'mode' | 'onLeaseEnd' | 'decryptionKeys' | 'cacheSize'>

/** A guard in mode `status-list`. It fetches nothing before the first request. */
export function createGuard(options: EdgeOptions): Guard {
  return new StatusListGuard(settingsOf({ ...options, mode: 'status-list' }))
}

/** Judges a request of the Fetch API. Rejects with a {@link Refusal} or a {@link Problem}; see `problemOf`. */
export function authenticate(guard: Guard, request: Request): Promise<Auth> {
  return judge(guard, viewOfFetch(request))
}
