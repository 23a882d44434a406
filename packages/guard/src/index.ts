/**
 * Verify Counterfoil access tokens offline, and still refuse a revoked one.
 *
 * ```js
 * const guard = createGuard({ issuer, audience, feed: { url, credential } })
 * const claims = await guard.verify(token)   // or a Refusal with a stable `code`
 * ```
 */

export { RECHECK_MS } from './asking_guard.js'
export type { Claims, Confirmation, StatusReference } from './claims.js'
export type { ClientEvent, Fetch } from './client.js'
export type { Clock, Instant } from './clock.js'
export { type Auth, authenticate, type RequestView } from './credential.js'
export { ACCESS_COOKIE, cookieValues } from './cookie.js'
export { Origins, type Provenance } from './cross_site.js'
export { Proof } from './dpop.js'
export { DecryptionKeys } from './encryption.js'
export { endingWith } from './fetch.js'
export { createGuard, type Guard, type GuardOptions, type OnEnd } from './guard.js'
export { KeySet, KeySetError, type KeySetFault } from './jwks.js'
export { isLocalPath, LoginPage, type Navigation, type PageOptions } from './login.js'
export { authenticateNode, endWith } from './node.js'
export { Problem, type ProblemCode, problemOf } from './problem.js'
export { type Reason, Refusal, type RefusalCode } from './refusal.js'
export { requirement, type Requirement } from './require.js'
export type { Actor, Subjects } from './subject.js'
export { Verifier } from './verify.js'
