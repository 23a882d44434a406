/** Compact JWS (RFC 7515 section 7.1), the one shape of JWT that exists here: three parts, signed. */

import { decode } from './base64url.js'
import { isKid } from './id.js'
import { parseStrict } from './json.js'
import { Refusal } from './refusal.js'

/** No token longer than this is looked at (T2's hard cap; also keeps headers small). */
export const MAX_TOKEN_BYTES: number = 4096

/**
 * The three members a header may have; any other is refused. Among the others are `crit`, `b64`, `zip`, and the ones
 * that carry or point to key material: `jwk`, `jku`, `x5c`, `x5u` (ATK-08, ATK-09, ATK-12).
 */
export interface Header {
  /** The algorithm the token claims; believed only if the key says the same. */
  readonly alg: string
  /** Which key; a look-up, nothing else. */
  readonly kid: string
  /** The media type, as it stands in the token. */
  readonly typ: string
}

const PART = /^[A-Za-z0-9_-]+$/

/** Comes before any work, for every kind of token (ATK-21). */
export function checkSize(token: string, most: number = MAX_TOKEN_BYTES): void {
  if (token.length > most || new TextEncoder().encode(token).length > most) throw new Refusal('too_large')
}

/**
 * Splits a compact JWS into header, payload and signature, undecoded. Refuses what is too long, has other than three
 * parts, an empty part, or a character outside `[A-Za-z0-9_-]` (JWT-BCP-3.14, ATK-18).
 */
export function split(token: string, most: number = MAX_TOKEN_BYTES): [header: string, payload: string, signature: string] {
  checkSize(token, most)
  const [header, payload, signature, ...more] = token.split('.', 4)
  if (header === undefined || payload === undefined || signature === undefined || more.length > 0) {
    throw new Refusal('malformed')
  }
  if (!PART.test(header) || !PART.test(payload) || !PART.test(signature)) throw new Refusal('malformed')
  return [header, payload, signature]
}

/** Decodes and checks a header part. */
export function decodeHeader(part: string): Header {
  const bytes = decode(part)
  const header = bytes && parseStrict(bytes)
  if (header === undefined) throw new Refusal('malformed')
  // Well-formed JSON that is not ours is told apart from rubbish, for the log only.
  if (!(header instanceof Map) || header.size !== 3) throw new Refusal('header_not_allowed')
  const [alg, kid, typ] = [header.get('alg'), header.get('kid'), header.get('typ')]
  if (typeof alg !== 'string' || typeof kid !== 'string' || typeof typ !== 'string') {
    throw new Refusal('header_not_allowed')
  }
  if (!isKid(kid)) throw new Refusal('unknown_key')
  return { alg, kid, typ }
}

/** Whether `typ` says access token (RFC 9068 section 4): `at+jwt`, with or without `application/`, in any case. */
export function isAccessToken(header: Header): boolean {
  // Without the flag `u`, `i` never takes a letter beyond ASCII for one within.
  return /^(?:application\/)?at\+jwt$/i.test(header.typ)
}

/** Whether `typ` says status list (TSL-5.1a): `statuslist+jwt`, with or without `application/`, in any case. */
export function isStatusList(header: Header): boolean {
  return /^(?:application\/)?statuslist\+jwt$/i.test(header.typ)
}
