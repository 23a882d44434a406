/** What went wrong, with a stable code and words for a person. */

/** Why it is not known whether somebody is signed in. */
export type Cause = keyof typeof MESSAGES

const MESSAGES = {
  not_asked: 'Not asked yet.',
  unreachable: 'The server cannot be reached.',
  unavailable: 'The server is not available.',
  rate_limited: 'Too many requests. Wait a moment.',
  not_counterfoil: 'The answer is not from Counterfoil.',
  cookies_blocked: 'Cookies are blocked. Allow them for this site.',
  cross_site: 'Counterfoil takes no requests from this page.',
  proof_required: 'The key of the session was not shown.',
  reauthentication_required: 'Prove again that it is you.',
  refused: 'Refused.',
} as const

/** What an error carries beside its code. */
export interface AuthErrorDetails {
  readonly status?: number
  readonly problem?: Problem | undefined
  readonly retryAfter?: number | undefined
}

/** The members of a problem (RFC 9457), as the authority has sent it: `detail`, `reason`, … */
export type Problem = Readonly<Record<string, unknown>>

/** A request that did not succeed. It never holds a token, a password or a code. */
export class AuthError extends Error {
  /** A cause, a code of Counterfoil's, or `aborted`, and the passkeys' own. */
  declare readonly code: string
  /** The same in one of the words of a state that is not known. */
  declare readonly kind: Cause
  /** The answer's status; 0 where none came. */
  declare readonly status: number
  /** What the authority has said, if it was the authority. */
  declare readonly problem: Problem | undefined
  /** In how many seconds the server wants to hear of it again. */
  declare readonly retryAfter: number | undefined
  /** Whether it may succeed by itself later; an answer that was withheld may as well have been lost. Nobody is signed out by such an answer, or by none. */
  declare readonly temporary: boolean

  /** Without a code, where it is no answer of Counterfoil's. */
  constructor(code?: unknown, { status = 0, problem, retryAfter }: AuthErrorDetails = {}) {
    const known = MESSAGES[code as Cause]
    const kind = known ? code as Cause : status === 429 ? 'rate_limited' : status > 499 ? 'unavailable' : code ? 'refused' : 'not_counterfoil'
    super((known ?? problem?.['detail'] ?? problem?.['title'] ?? (code || MESSAGES[kind])) as string)
    Object.assign(this, { name: 'AuthError', status, problem, retryAfter, kind, code: code ?? kind, temporary: /^(un|ra|not_c|cr)/.test(kind) })
  }

}

/** A fault of a page's own code must not be taken for an answer of the network's: it is thrown on. */
export function asAuthError(error: unknown): AuthError {
  if (error instanceof AuthError) return error
  throw error
}
