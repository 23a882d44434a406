/** Asking the authority about one token (RFC 7662), where a pushed copy of the log is not wanted or not there. */

import { decode } from './base64url.js'
import { type Claims, freeze, readConfirmation, readPrivate } from './claims.js'
import { parse, request } from './client.js'
import type { Fetch } from './client.js'
import type { Clock } from './clock.js'
import type { Closing } from './closing.js'
import { isId } from './id.js'
import { parseStrict } from './json.js'
import { Refusal, type Reason } from './refusal.js'
import { isScope } from './scope.js'
import { isSubject, readActor } from './subject.js'
import type { Opened, Verifier } from './verify.js'

/** An answer that takes longer is no answer: what it says was true before it was sent. */
export const INTROSPECTION_TIMEOUT: number = 2000
const MAX_BODY = 64 * 1024

// RFC 6750 b64token: what may follow `Bearer`.
const TOKEN = /^[A-Za-z0-9._~+/-]+=*$/

/** What belongs in a call of an API (INT-2): a refresh token and a session token are active too. */
const ACCESS: ReadonlySet<unknown> = new Set(['Bearer', 'DPoP'])

/** Why a token is inactive, where the authority says so. */
const REASONS: ReadonlyMap<unknown, Reason> = new Map<unknown, Reason>([
  ['expired', 'expired'],
  ['token_expired', 'expired'],
  ['revoked', 'revoked'],
  ['session_revoked', 'revoked'],
  ['stale', 'stale'],
  ['token_stale', 'stale'],
])

export interface IntrospectorOptions {
  readonly base: string
  readonly credential: string
  readonly issuer: string
  readonly verifier: Verifier
  readonly clock: Clock
  readonly fetch: Fetch
  readonly closing: Closing
}

/** Keeps nothing: each call asks. */
export class Introspector {
  readonly #options: IntrospectorOptions

  constructor(options: IntrospectorOptions) {
    this.#options = options
  }

  /**
   * What the authority says of the token, or a {@link Refusal}; `verifier_stale` when it says nothing. Whether whoever presents it may
   * do so is left to `checkBinding`.
   */
  async ask(token: string): Promise<Claims> {
    const { issuer, verifier } = this.#options
    // The authority cannot open what is encrypted to this audience.
    const opened = await verifier.open(token)
    const said = await this.#said(opened.token)
    if (said['active'] === false) throw new Refusal(REASONS.get(said['reason']) ?? 'inactive')
    if (said['active'] !== true) throw new Refusal('verifier_stale')
    if (!ACCESS.has(said['token_type'])) throw new Refusal('wrong_type')
    const claims = claimsOf(said, issuer, opened)
    if (claims === undefined) throw new Refusal('bad_claim')
    // The authority knows who asks, but need not know which audiences this process answers for.
    verifier.checkParties(claims)
    return claims
  }

  /** The answer as it came. */
  async #said(token: string): Promise<Record<string, unknown>> {
    if (!TOKEN.test(token)) throw new Refusal('malformed')
    const { base, credential, closing } = this.#options
    const init = {
      method: 'POST',
      headers: { authorization: `Bearer ${credential}`, accept: 'application/json' },
      body: new URLSearchParams({ token }),
    }
    const limits = { timeout: INTROSPECTION_TIMEOUT, whole: INTROSPECTION_TIMEOUT, limit: MAX_BODY, closing }
    const answer = await request(this.#options, `${base}/oauth/introspect`, init, limits)
    const body = answer?.status === 200 ? parse(answer.body) : undefined
    if (typeof body !== 'object' || body === null) throw new Refusal('verifier_stale')
    return body as Record<string, unknown>
  }
}

/** What the answer leaves out gets the value that allows least; whoever and whatever it names must be of its kind. */
function claimsOf(said: Record<string, unknown>, issuer: string, opened: Opened): Claims | undefined {
  const { iss = issuer, sub, aud, sid, exp, scope } = said
  const audience: unknown = Array.isArray(aud) && aud.length === 1 ? aud[0] : aud
  if (typeof iss !== 'string' || typeof audience !== 'string' || !isSubject(sub) || !isId(sid)) return undefined
  if (!Number.isSafeInteger(exp)) return undefined
  if (scope !== undefined && !(typeof scope === 'string' && isScope(scope))) return undefined
  const [act, cnf, hidden] = [readActor(said['act']), readConfirmation(said['cnf']), hiddenIn(opened)]
  if ((said['act'] !== undefined && act === undefined) || hidden === 'refused') return undefined
  // Bound, but not to anything that could be proven here.
  if ((said['cnf'] !== undefined || said['token_type'] === 'DPoP') && cnf === undefined) return undefined
  return freeze({
    iss, sub, sid, aud: audience, exp: exp as number,
    client_id: textOr(said['client_id'], ''),
    iat: wholeOr(said['iat'], 0),
    jti: textOr(said['jti'], ''),
    auth_time: wholeOr(said['auth_time'], 0),
    acr: textOr(said['acr'], ''),
    amr: textsOf(said['amr']),
    roles: textsOf(said['roles']),
    cv: wholeOr(said['cv'], 0),
    ...(scope === undefined ? {} : { scope }),
    ...(act === undefined ? {} : { act }),
    ...(cnf === undefined ? {} : { cnf }),
    ...(hidden === undefined ? {} : { private: hidden }),
  })
}

/**
 * What is private in a token that the authority has just vouched for: it never says so itself. As when the token is verified
 * here, it may only come encrypted.
 */
function hiddenIn({ token, encrypted }: Opened): Readonly<Record<string, string>> | 'refused' | undefined {
  const bytes = decode(token.split('.', 2)[1] ?? '')
  const payload = bytes && parseStrict(bytes)
  if (!(payload instanceof Map) || !payload.has('private')) return undefined
  return (encrypted ? readPrivate(payload.get('private') ?? null) : undefined) ?? 'refused'
}

function textOr(value: unknown, otherwise: string): string {
  return typeof value === 'string' ? value : otherwise
}

function wholeOr(value: unknown, otherwise: number): number {
  return Number.isSafeInteger(value) ? (value as number) : otherwise
}

function textsOf(value: unknown): string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string') ? [...value] : []
}
