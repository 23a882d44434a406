/** T1: every check an access token must pass, in order, in one function. */

import { compactVerify, errors } from 'jose'
import { decode } from './base64url.js'
import { type Claims, readClaims } from './claims.js'
import { parseStrict } from './json.js'
import { hasSmallOrder, type KeySet, type VerifyingKey } from './jwks.js'
import { decodeHeader, isAccessToken, split } from './jwt.js'
import { Refusal } from './refusal.js'

/**
 * How far `nbf` and `iat` may lie in the future: clocks differ. `exp` gets no leeway, the authority's clock is carried in
 * its feed.
 */
export const LEEWAY_SECONDS: number = 30

/** The longest life an access token may claim (`exp - iat`). */
export const MAX_LIFETIME_SECONDS: number = 15 * 60

/** A token whose signature is good, and the key that made it. */
export interface Verified {
  readonly claims: Claims
  readonly kid: string
}

/** Verifies the access tokens of one issuer for one audience, or for the few that one server answers for. */
export class Verifier {
  readonly #issuer: string
  readonly #audiences: ReadonlySet<string>

  /** For tokens of exactly this issuer (RFC 9068 section 4), meant for one of the audiences. */
  constructor(issuer: string, audiences: Iterable<string>) {
    this.#issuer = issuer
    this.#audiences = new Set(audiences)
  }

  /** Believes the token or throws a {@link Refusal}. Says nothing about revocation. `now` in milliseconds. */
  async verify(token: string, keys: KeySet, now: number): Promise<Claims> {
    const { claims } = await this.verifySigned(token, async (kid) => keys.get(kid))
    checkTimes(claims, now)
    return claims
  }

  /**
   * Shape, header, key, algorithm, signature, claims, issuer and audience: all that does not depend on the time. `keyFor`
   * is asked only for tokens that say they are access tokens.
   */
  async verifySigned(token: string, keyFor: (kid: string) => Promise<VerifyingKey | undefined>): Promise<Verified> {
    const [headerPart, payloadPart, signaturePart] = split(token)
    const header = decodeHeader(headerPart)
    if (!isAccessToken(header)) throw new Refusal('wrong_type')
    const key = await keyFor(header.kid)
    if (key === undefined) throw new Refusal('unknown_key')
    if (header.alg !== key.algorithm) throw new Refusal('wrong_algorithm')
    const signature = decode(signaturePart)
    if (signature === undefined) throw new Refusal('malformed')
    if (signature.length !== 64) throw new Refusal('bad_signature')
    if (key.algorithm !== 'ES256' && hasSmallOrder(signature)) throw new Refusal('bad_signature')
    await checkSignature(token, key)
    // Only now is the payload worth reading (JWS-5.2, ASVS-9.1.1).
    const bytes = decode(payloadPart)
    const payload = bytes && parseStrict(bytes)
    if (payload === undefined) throw new Refusal('malformed')
    const claims = readClaims(payload)
    if (claims === undefined) throw new Refusal('bad_claim')
    this.checkParties(claims)
    return { claims, kid: header.kid }
  }

  /** Who made it and for whom. */
  checkParties(claims: Pick<Claims, 'iss' | 'aud'>): void {
    if (claims.iss !== this.#issuer) throw new Refusal('wrong_issuer')
    if (!this.#audiences.has(claims.aud)) throw new Refusal('wrong_audience')
  }
}

/** The checks that a cached token must pass again on every use. `now` in milliseconds. */
export function checkTimes(claims: Pick<Claims, 'exp' | 'iat' | 'nbf'>, now: number): void {
  const seconds = Math.floor(now / 1000)
  if (claims.iat < 0 || claims.exp <= claims.iat) throw new Refusal('bad_claim')
  if (claims.exp - claims.iat > MAX_LIFETIME_SECONDS) throw new Refusal('lives_too_long')
  const latestStart = seconds + LEEWAY_SECONDS
  if (claims.iat > latestStart || (claims.nbf !== undefined && claims.nbf > latestStart)) {
    throw new Refusal('not_yet_valid')
  }
  if (seconds >= claims.exp) throw new Refusal('expired')
}

async function checkSignature(token: string, key: VerifyingKey): Promise<void> {
  try {
    await compactVerify(token, key.public, { algorithms: [key.algorithm] })
  } catch (error) {
    // Anything else comes from a payload that is no base64url, looked at only after the signature.
    throw new Refusal(error instanceof errors.JWSSignatureVerificationFailed ? 'bad_signature' : 'malformed')
  }
}
