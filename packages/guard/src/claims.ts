/** The claims of an access token (RFC 9068 section 2.2), typed as they are read. */

import { isId } from './id.js'
import { type Json, JsonNumber, type JsonObject } from './json.js'

/** What a verified access token says. No personal data ever stands here (T2). Frozen: requests share it. */
export interface Claims {
  /** Issuer: the authority's public URL. */
  readonly iss: string
  /** The user. */
  readonly sub: string
  /** The one audience. */
  readonly aud: string
  /** The application signed in to. */
  readonly client_id: string
  /** Expiry, seconds since the epoch. */
  readonly exp: number
  /** Minted at, seconds since the epoch. */
  readonly iat: number
  /** Not valid before, if given. */
  readonly nbf?: number
  /** This token's id. */
  readonly jti: string
  /** The session on which the token hangs; what a revocation names. */
  readonly sid: string
  /** When the user last proved themselves, seconds since the epoch. A refresh does not change it. */
  readonly auth_time: number
  /** How strongly (RFC 9470). */
  readonly acr: string
  /** By which methods (RFC 8176). */
  readonly amr: readonly string[]
  /** Roles, where the application's claim list has them. */
  readonly roles: readonly string[]
  /** How often the user's roles have changed (0 when absent); see `stale` in the feed. */
  readonly cv: number
  /** Granted scope, where one was asked for: space-separated tokens. */
  readonly scope?: string
}

/** A claim that is there must be of its kind; `null` is of no kind. */
class BadClaim extends Error {}

const I64_MIN = -(2n ** 63n)
const I64_MAX = 2n ** 63n - 1n
const EXACT = 2 ** 53

/** The claims of a payload that has been read strictly; `undefined` when one is missing, of the wrong type or forbidden. */
export function readClaims(payload: Json): Claims | undefined {
  // A security event is never an access token (SSF-4.1c); a binding we cannot check is not ignored (CNF-3).
  if (!(payload instanceof Map) || payload.has('events') || payload.has('cnf')) return undefined
  try {
    return freeze(read(payload))
  } catch (error) {
    if (error instanceof BadClaim) return undefined
    throw error
  }
}

function read(payload: JsonObject): Claims {
  const required = <T>(name: string, kind: (value: Json) => T): T => {
    const value = payload.get(name)
    if (value === undefined) throw new BadClaim()
    return kind(value)
  }
  const optional = <T>(name: string, kind: (value: Json) => T): T | undefined =>
    payload.has(name) ? required(name, kind) : undefined
  const nbf = optional('nbf', numericDate)
  const scope = optional('scope', text)
  return {
    iss: required('iss', text),
    sub: required('sub', id),
    aud: required('aud', oneAudience),
    client_id: required('client_id', text),
    exp: required('exp', numericDate),
    iat: required('iat', numericDate),
    ...(nbf === undefined ? {} : { nbf }),
    jti: required('jti', id),
    sid: required('sid', id),
    auth_time: required('auth_time', numericDate),
    acr: required('acr', text),
    amr: required('amr', texts),
    roles: optional('roles', texts) ?? [],
    cv: optional('cv', version) ?? 0,
    ...(scope === undefined ? {} : { scope }),
  }
}

/** So that no handler can change what the next request with the same token sees. */
export function freeze(claims: Claims): Claims {
  Object.freeze(claims.amr)
  Object.freeze(claims.roles)
  return Object.freeze(claims)
}

function text(value: Json): string {
  if (typeof value !== 'string') throw new BadClaim()
  return value
}

function texts(value: Json): string[] {
  if (!Array.isArray(value)) throw new BadClaim()
  return value.map(text)
}

function id(value: Json): string {
  if (!isId(value)) throw new BadClaim()
  return value
}

/** `aud` as a string, or as an array holding exactly one (ATK-25: a token for us and another is refused). */
function oneAudience(value: Json): string {
  if (!Array.isArray(value)) return text(value)
  const [only, ...others] = value
  if (only === undefined || others.length > 0) throw new BadClaim()
  return text(only)
}

/**
 * Seconds since the epoch out of a JSON number (RFC 7519 section 2: fractions allowed, strings not). Whole numbers may
 * have 64 bits, as in the Rust guard; beyond 2^53 they are rounded, which no check against a clock can notice.
 */
function numericDate(value: Json): number {
  if (!(value instanceof JsonNumber)) throw new BadClaim()
  const seconds = Number(value.text)
  if (value.isInteger) {
    if (value.text.length > 20) throw new BadClaim()
    const exact = BigInt(value.text)
    if (exact < I64_MIN || exact > I64_MAX) throw new BadClaim()
    return seconds
  }
  if (Math.abs(seconds) >= EXACT) throw new BadClaim()
  return Math.floor(seconds) + 0
}

function version(value: Json): number {
  if (!(value instanceof JsonNumber) || !value.isInteger) throw new BadClaim()
  const count = Number(value.text)
  if (count < 0 || count > 0xffff_ffff) throw new BadClaim()
  return count
}
