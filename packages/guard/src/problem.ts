/** The one error answer: `application/problem+json` (RFC 9457) with a stable code, in the authority's own words. */

import { ALGORITHMS } from './jwks.js'
import { Refusal, type RefusalCode } from './refusal.js'

/** The codes that a guard answers with. They never change their meaning. */
export type ProblemCode =
  | RefusalCode
  | 'ambiguous_credentials'
  | 'reauthentication_required'
  | 'cross_site'
  | 'insufficient_scope'
  | 'forbidden'

const PROBLEMS: Readonly<Record<ProblemCode, readonly [status: number, title: string]>> = {
  ambiguous_credentials: [400, 'The request carries more than one credential.'],
  token_missing: [401, 'The request carries no credential.'],
  token_expired: [401, 'The access token has expired; refresh it.'],
  token_invalid: [401, 'The token is not valid.'],
  token_stale: [401, 'Roles have changed since the token was made; refresh it.'],
  session_revoked: [401, 'The session has ended.'],
  proof_required: [401, 'The session or the token is bound to a key, and the proof of it is missing.'],
  invalid_dpop_proof: [401, 'The proof of possession is not one, or not for this request.'],
  reauthentication_required: [401, 'Sign in again to do this.'],
  cross_site: [403, "The request does not come from this application's own pages."],
  insufficient_scope: [403, 'The token was not granted what this needs.'],
  forbidden: [403, 'You may not do this.'],
  verifier_stale: [503, 'This server cannot tell at the moment whether the token still counts; try again.'],
}

/** What a challenge says in `error`, where it is not `invalid_token`. */
const ERRORS: Readonly<Partial<Record<ProblemCode, string>>> = {
  reauthentication_required: 'insufficient_user_authentication',
  insufficient_scope: 'insufficient_scope',
  invalid_dpop_proof: 'invalid_dpop_proof',
}

/** What is answered with the challenge of RFC 9449 section 7.1, and not with that of RFC 6750. */
const PROOFS: ReadonlySet<ProblemCode> = new Set<ProblemCode>(['proof_required', 'invalid_dpop_proof'])

/** What a problem may have beyond its code. */
export interface ProblemOptions {
  /** What was wrong in this case, and what is allowed. Never anything secret. */
  readonly detail?: string
  /** Parameters of the challenge (RFC 9470; RFC 6750 for `scope`), already checked to need no escaping. */
  readonly challenge?: Readonly<Record<string, string>>
}

// As that of `Refusal`: for copies of this module.
const PROBLEM: unique symbol = Symbol.for('@counterfoil/guard/Problem')

/** An error as the client sees it. */
export class Problem extends Error {
  readonly code: ProblemCode
  readonly status: number
  readonly title: string
  readonly detail: string | undefined
  readonly #challenge: Readonly<Record<string, string>>

  static override [Symbol.hasInstance](value: unknown): boolean {
    return typeof value === 'object' && value !== null && PROBLEM in value
  }

  constructor(code: ProblemCode, { detail, challenge = {} }: ProblemOptions = {}) {
    super(code)
    this.name = 'Problem'
    this.code = code
    ;[this.status, this.title] = PROBLEMS[code]
    this.detail = detail
    this.#challenge = challenge
  }

  /** How strong a proof is asked for, where one is. */
  get acr(): string | undefined {
    return this.#challenge['acr_values']
  }

  /** The answer's headers. */
  headers(): Record<string, string> {
    const headers: Record<string, string> = { 'content-type': 'application/problem+json', 'cache-control': 'no-store' }
    if (this.status === 401 || this.code === 'insufficient_scope') headers['www-authenticate'] = this.#wwwAuthenticate()
    if (this.status === 503) headers['retry-after'] = '1'
    return headers
  }

  /** The answer's body. */
  body(): string {
    const { code, status, title, detail } = this
    return JSON.stringify({ type: `urn:counterfoil:error:${code}`, title, status, code, ...(detail ? { detail } : {}) })
  }

  /** For frameworks that speak fetch. */
  response(): Response {
    return new Response(this.body(), { status: this.status, headers: this.headers() })
  }

  /** RFC 6750 section 3: no error word when no credential was sent (BEAR-1). */
  #wwwAuthenticate(): string {
    if (this.code === 'token_missing') return 'Bearer'
    const error = ERRORS[this.code] ?? 'invalid_token'
    const [scheme, more] = PROOFS.has(this.code) ? ['DPoP', { algs: ALGORITHMS.join(' ') }] : ['Bearer', this.#challenge]
    const parameters = Object.entries({ error, ...more })
    return `${scheme} ${parameters.map(([name, value]) => `${name}="${value}"`).join(', ')}`
  }
}

Object.defineProperty(Problem.prototype, PROBLEM, { value: true })

/** The answer for what went wrong; `undefined` when it is no refusal of ours, but a fault for the framework to report. */
export function problemOf(error: unknown): Problem | undefined {
  if (error instanceof Problem) return error
  if (error instanceof Refusal) return new Problem(error.code)
  return undefined
}
