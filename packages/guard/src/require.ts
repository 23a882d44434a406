/** What a route asks beyond a good token: a granted scope, a role, a strength, a recent proof (RFC 9470). */

import type { Auth } from './credential.js'
import { Problem } from './problem.js'
import { hasScope, isScopeToken } from './scope.js'

/** All that is given must hold. */
export interface Requirement {
  /** At least this strong. `aal2` satisfies `aal1`; any other value must be met exactly. */
  readonly acr?: string
  /** Proven no longer ago than so many seconds. A refresh is no proof. */
  readonly maxAge?: number
  /** This role, or one of these. */
  readonly role?: string | readonly string[]
  /** This scope, or all of these. */
  readonly scope?: string | readonly string[]
}

/** A requirement, checked when the route is made rather than at the first request. */
export type Check = (auth: Auth) => void

/** The levels of NIST SP 800-63B that the authority knows, weakest first. */
const LEVELS = ['aal1', 'aal2', 'aal3']

// What may stand in a quoted string of a challenge without escaping, less the space that separates `acr_values`.
const ACR = /^[\x21\x23-\x5b\x5d-\x7e]{1,64}$/

/**
 * Answers 403 `insufficient_scope` when the token was granted too little (RFC 6750 section 3.1), 403 `forbidden` when the role is
 * missing (no sign-in would help), and otherwise 401 `reauthentication_required` with a challenge that says what would be enough.
 */
export function requirement({ acr, maxAge, role, scope }: Requirement): Check {
  if (acr !== undefined && !ACR.test(acr)) throw new TypeError('acr must be one printable word without quotes')
  if (maxAge !== undefined && !(Number.isSafeInteger(maxAge) && maxAge >= 0)) {
    throw new TypeError('maxAge must be a whole number of seconds')
  }
  const roles = role === undefined ? undefined : listOf(role)
  const scopes = [...new Set(listOf(scope ?? []))]
  if (!scopes.every(isScopeToken)) throw new TypeError('scope must be printable words without quotes, one in each text')
  return ({ claims, at }) => {
    if (!scopes.every((wanted) => hasScope(claims.scope, wanted))) {
      throw new Problem('insufficient_scope', { challenge: { scope: scopes.join(' ') } })
    }
    if (roles !== undefined && !roles.some((wanted) => claims.roles.includes(wanted))) throw new Problem('forbidden')
    const weak = acr !== undefined && !strongEnough(claims.acr, acr)
    const old = maxAge !== undefined && at - claims.auth_time > maxAge
    if (!weak && !old) return
    // Both are said even if only one is wanting: whoever signs in again should not come back for the other.
    throw new Problem('reauthentication_required', {
      challenge: {
        ...(acr === undefined ? {} : { acr_values: acr }),
        ...(maxAge === undefined ? {} : { max_age: String(maxAge) }),
      },
    })
  }
}

function listOf(one: string | readonly string[]): readonly string[] {
  return typeof one === 'string' ? [one] : [...one]
}

function strongEnough(has: string, wants: string): boolean {
  return has === wants || (LEVELS.includes(wants) && LEVELS.indexOf(has) > LEVELS.indexOf(wants))
}
