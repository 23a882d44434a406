/** T1: every check an access token must pass, in order, in one function. */

import { compactVerify, errors } from 'jose'
import { decode } from './base64url.js'
import { type Claims, type Kind, readClaims } from './claims.js'
import { checkBinding } from './dpop.js'
import type { DecryptionKeys } from './encryption.js'
import { parseStrict } from './json.js'
import { hasSmallOrder, type KeySet, type VerifyingKey } from './jwks.js'
import { checkSize, decodeHeader, type Header, isAccessToken, MAX_TOKEN_BYTES, split } from './jwt.js'
import type { Settings } from './options.js'
import { isPaseto, keyIdOf, splitPaseto, verifiesPaseto } from './paseto.js'
import { Refusal } from './refusal.js'
import { allows, type Subjects } from './subject.js'

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

/** Finds a key by its `kid`, or by its PASERK id. */
export type KeyFor = (name: string) => Promise<VerifyingKey | undefined>

/** The signed token, and how it came. Nothing of it is believed yet. */
export interface Opened {
  readonly token: string
  readonly encrypted: boolean
}

/** Verifies the access tokens of one issuer for one audience, or for the few that one server answers for. */
export class Verifier {
  readonly #issuer: string
  readonly #audiences: ReadonlySet<string>
  readonly #subjects: Subjects
  readonly #decryptionKeys: DecryptionKeys | undefined

  /**
   * For tokens of exactly this issuer (RFC 9068 section 4), meant for one of the audiences, of users only unless told otherwise.
   * With keys it also opens tokens that are encrypted to one of them; those that are not encrypted still count.
   */
  constructor(
    issuer: string,
    audiences: Iterable<string>,
    subjects: Subjects = 'users',
    decryptionKeys?: DecryptionKeys,
  ) {
    this.#issuer = issuer
    this.#audiences = new Set(audiences)
    this.#subjects = subjects
    this.#decryptionKeys = decryptionKeys
  }

  /**
   * Believes the token or throws a {@link Refusal}; one that is bound to a key needs a proof, and is refused here. Says nothing about
   * revocation. `now` in milliseconds.
   */
  async verify(token: string, keys: KeySet, now: number): Promise<Claims> {
    const { claims } = await this.verifySigned(token, async (name) => keys.get(name))
    checkTimes(claims, now)
    checkBinding(claims)
    return claims
  }

  /**
   * Shape, header, key, algorithm, signature, claims, issuer, audience and subject: all that does not depend on the time. What
   * the token is, its beginning says, and either kind is verified whole and in its own way. `keyFor` is asked only for tokens that
   * say they are access tokens. Whether whoever presents it may do so is left to `checkBinding`.
   */
  async verifySigned(token: string, keyFor: KeyFor): Promise<Verified> {
    const opened = await this.open(token)
    // What is encrypted is a JWT within (`cty`), and nothing else.
    const paseto = isPaseto(opened.token) && !opened.encrypted
    const verified = paseto ? await readPaseto(opened.token, keyFor) : await readJwt(opened, keyFor)
    this.checkParties(verified.claims)
    return verified
  }

  /** The signed token: this one, or the one within it. */
  async open(token: string): Promise<Opened> {
    checkSize(token)
    if (!this.#decryptionKeys?.open(token)) return { token, encrypted: false }
    return { token: await this.#decryptionKeys.decrypt(token), encrypted: true }
  }

  /** Who made it, for whom and about whom. */
  checkParties({ iss, aud, sub }: Pick<Claims, 'iss' | 'aud' | 'sub'>): void {
    if (iss !== this.#issuer) throw new Refusal('wrong_issuer')
    if (!this.#audiences.has(aud)) throw new Refusal('wrong_audience')
    if (!allows(this.#subjects, sub)) throw new Refusal('wrong_subject')
  }
}

/** JWT: shape, header, key, algorithm, signature, claims. */
async function readJwt({ token, encrypted }: Opened, keyFor: KeyFor): Promise<Verified> {
  const { payload, kid } = await readSigned(token, { most: MAX_TOKEN_BYTES, isOfType: isAccessToken }, keyFor)
  return { claims: claimsIn(payload, { dates: 'numbers', private: encrypted }), kid }
}

/** What a kind of JWT is like. */
export interface SignedKind {
  readonly most: number
  readonly isOfType: (header: Header) => boolean
}

/** The payload of a JWT of this kind, `undefined` where it is no base64url, and the name of the key that signed it. */
export async function readSigned(
  token: string,
  { most, isOfType }: SignedKind,
  keyFor: KeyFor,
): Promise<{ payload: Uint8Array | undefined; kid: string }> {
  const [headerPart, payloadPart, signaturePart] = split(token, most)
  const header = decodeHeader(headerPart)
  if (!isOfType(header)) throw new Refusal('wrong_type')
  const key = await keyFor(header.kid)
  if (key === undefined) throw new Refusal('unknown_key')
  if (header.alg !== key.algorithm) throw new Refusal('wrong_algorithm')
  const signature = decode(signaturePart)
  if (signature === undefined) throw new Refusal('malformed')
  if (signature.length !== 64) throw new Refusal('bad_signature')
  if (key.algorithm !== 'ES256' && hasSmallOrder(signature)) throw new Refusal('bad_signature')
  await checkSignature(token, key)
  // Only now is the payload worth reading (JWS-5.2, ASVS-9.1.1).
  return { payload: decode(payloadPart), kid: key.kid }
}

/** PASETO v4.public: shape, key, signature, claims. */
async function readPaseto(token: string, keyFor: KeyFor): Promise<Verified> {
  const parts = splitPaseto(token)
  const key = await keyFor(keyIdOf(parts))
  if (key === undefined) throw new Refusal('unknown_key')
  if (!(await verifiesPaseto(parts, key))) throw new Refusal('bad_signature')
  return { claims: claimsIn(parts.message, { dates: 'texts', private: false }), kid: key.kid }
}

function claimsIn(bytes: Uint8Array | undefined, kind: Kind): Claims {
  const payload = bytes && parseStrict(bytes)
  if (payload === undefined) throw new Refusal('malformed')
  const claims = readClaims(payload, kind)
  if (claims === undefined) throw new Refusal('bad_claim')
  return claims
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

/** The one that these settings ask for. */
export function verifierOf({ issuer, audiences, subjects, decryptionKeys }: Pick<Settings, 'issuer' | 'audiences' | 'subjects' | 'decryptionKeys'>): Verifier {
  return new Verifier(issuer, audiences, subjects, decryptionKeys)
}
