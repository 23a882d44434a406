/** The claims of an access token (RFC 9068 section 2.2), typed as they are read. */

import { decode } from './base64url.js'
import { isId } from './id.js'
import { type Json, JsonNumber, type JsonObject, membersOf } from './json.js'
import { parseTime } from './rfc3339.js'
import { isScope } from './scope.js'
import { type Actor, isClient, isSubject, readActor } from './subject.js'

/** What a verified access token says. No personal data ever stands here (T2), but in `private`. Frozen: requests share it. */
export interface Claims {
  /** Issuer: the authority's public URL. */
  readonly iss: string
  /** The user, or `client:NAME`: a service in its own name. */
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
  /** When the user last proved themselves, seconds since the epoch. A refresh does not change it. 0 for a service. */
  readonly auth_time: number
  /** How strongly (RFC 9470). Empty for a service. */
  readonly acr: string
  /** By which methods (RFC 8176). */
  readonly amr: readonly string[]
  /** Roles, where the application's claim list has them. */
  readonly roles: readonly string[]
  /** How often the user's roles have changed (0 when absent); see `stale` in the feed. */
  readonly cv: number
  /** Granted scope, where one was asked for: space-separated tokens, none of them twice. */
  readonly scope?: string
  /** Who acts for the subject, if not the subject itself. */
  readonly act?: Actor
  /** The key that whoever presents the token must prove to hold (RFC 9449 section 6.1). */
  readonly cnf?: Confirmation
  /** Where its status is to be found, for verifiers that follow no feed (Token Status List). */
  readonly status?: StatusReference
  /** What only the audience may read of the user, such as an address. Only ever there in a token that came encrypted. */
  readonly private?: Readonly<Record<string, string>>
}

/** Which key a token is bound to: by the SHA-256 thumbprint of its JWK (RFC 7638), in base64url. */
export interface Confirmation {
  readonly jkt: string
}

/** The place of a token's status: which index, of which list (TSL-6.2). */
export interface StatusReference {
  readonly idx: number
  readonly uri: string
}

/** A claim that is there must be of its kind; `null` is of no kind. */
export class BadClaim extends Error {}

const I64_MIN = -(2n ** 63n)
const I64_MAX = 2n ** 63n - 1n
const EXACT = 2 ** 53

/** What may stand in a token of one kind, and how. */
export interface Kind {
  /** How times are written: as numbers of seconds (JWT), or as texts of RFC 3339 (PASETO). The other way is refused (ATK-22, PAS-5). */
  readonly dates: 'numbers' | 'texts'
  /** Whether it may say what is private: it came encrypted. */
  readonly private: boolean
}

/** The claims of a payload that has been read strictly; `undefined` when one is missing, of the wrong type or forbidden. */
export function readClaims(payload: Json, kind: Kind): Claims | undefined {
  // A security event is never an access token (SSF-4.1c).
  if (!(payload instanceof Map) || payload.has('events')) return undefined
  // What is private does not travel in the clear.
  if (payload.has('private') && !kind.private) return undefined
  try {
    return freeze(read(payload, kind.dates === 'texts' ? textualDate : numericDate))
  } catch (error) {
    if (error instanceof BadClaim) return undefined
    throw error
  }
}

function read(payload: JsonObject, date: (value: Json) => number): Claims {
  const required = <T>(name: string, kind: (value: Json) => T): T => {
    const value = payload.get(name)
    if (value === undefined) throw new BadClaim()
    return kind(value)
  }
  const optional = <T>(name: string, kind: (value: Json) => T): T | undefined =>
    payload.has(name) ? required(name, kind) : undefined
  const sub = required('sub', subject)
  // How and when a subject has proved itself is said of people only.
  const ofUser = <T>(name: string, kind: (value: Json) => T, otherwise: T): T =>
    (isClient(sub) ? optional(name, kind) ?? otherwise : required(name, kind))
  const [nbf, scope] = [optional('nbf', date), optional('scope', scopeOf)]
  const [act, cnf, hidden] = [optional('act', actor), optional('cnf', confirmation), optional('private', privateOf)]
  const status = optional('status', statusOf)
  return {
    iss: required('iss', text),
    sub,
    aud: required('aud', oneAudience),
    client_id: required('client_id', text),
    exp: required('exp', date),
    iat: required('iat', date),
    ...(nbf === undefined ? {} : { nbf }),
    jti: required('jti', id),
    sid: required('sid', id),
    auth_time: ofUser('auth_time', date, 0),
    acr: ofUser('acr', text, ''),
    amr: ofUser('amr', texts, []),
    roles: optional('roles', texts) ?? [],
    cv: optional('cv', version) ?? 0,
    ...(scope === undefined ? {} : { scope }),
    ...(act === undefined ? {} : { act }),
    ...(cnf === undefined ? {} : { cnf }),
    ...(status === undefined ? {} : { status }),
    ...(hidden === undefined ? {} : { private: hidden }),
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

function subject(value: Json): string {
  if (!isSubject(value)) throw new BadClaim()
  return value
}

function actor(value: Json): Actor {
  const read = readActor(value)
  if (read === undefined) throw new BadClaim()
  return read
}

function confirmation(value: Json): Confirmation {
  const read = readConfirmation(value)
  if (read === undefined) throw new BadClaim()
  return read
}

/**
 * A `cnf` claim, frozen: one key, by its thumbprint. A binding we cannot check is not ignored (CNF-3): `undefined` for any other. Takes
 * an object of either reader.
 */
export function readConfirmation(value: unknown): Confirmation | undefined {
  const members = membersOf(value)
  const jkt = members?.get('jkt')
  if (members?.size !== 1 || typeof jkt !== 'string' || decode(jkt)?.length !== 32) return undefined
  return Object.freeze({ jkt })
}

/** Of other ways to say a status we know nothing, and they may be there. */
function statusOf(value: Json): StatusReference | undefined {
  if (!(value instanceof Map)) throw new BadClaim()
  const list = value.get('status_list')
  if (list === undefined) return undefined
  const [idx, uri] = list instanceof Map ? [list.get('idx'), list.get('uri')] : []
  if (idx === undefined || uri === undefined) throw new BadClaim()
  return Object.freeze({ idx: version(idx), uri: text(uri) })
}

function scopeOf(value: Json): string {
  const scope = text(value)
  if (!isScope(scope)) throw new BadClaim()
  return scope
}

function privateOf(value: Json): Readonly<Record<string, string>> {
  const read = readPrivate(value)
  if (read === undefined) throw new BadClaim()
  return read
}

/** A `private` claim: texts by name; `undefined` for anything else. */
export function readPrivate(value: Json): Readonly<Record<string, string>> | undefined {
  if (!(value instanceof Map)) return undefined
  const entries = [...value].filter((entry): entry is [string, string] => typeof entry[1] === 'string')
  return entries.length === value.size ? Object.freeze(Object.fromEntries(entries)) : undefined
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
export function numericDate(value: Json): number {
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

function textualDate(value: Json): number {
  const seconds = parseTime(text(value))
  if (seconds === undefined) throw new BadClaim()
  return seconds
}

function version(value: Json): number {
  if (!(value instanceof JsonNumber) || !value.isInteger) throw new BadClaim()
  const count = Number(value.text)
  if (count < 0 || count > 0xffff_ffff) throw new BadClaim()
  return count
}
