/**
 * Proofs of possession (RFC 9449): a request shows that it comes from whoever holds the key a token is bound to. A proof counts for
 * one method and one address, for a minute, and once.
 */

import { calculateJwkThumbprint, compactVerify, type JWK } from 'jose'
import { decode, encode } from './base64url.js'
import type { Claims } from './claims.js'
import { type Json, JsonNumber, type JsonObject, parseStrict } from './json.js'
import { type Algorithm, hasSmallOrder, importKey, isAlgorithm, publicJwk } from './jwks.js'
import { split } from './jwt.js'
import { Refusal } from './refusal.js'

/** How old a proof may be, and how long it must be remembered. */
export const PROOF_LIFE_SECONDS: number = 60

/** How many proofs are remembered. When all of them may still be used, no further one is taken: a flood must not make room for a replay. */
export const MOST_PROOFS: number = 200_000

/** How far its `iat` may lie in the future: clocks differ. */
const LEEWAY_SECONDS = 10

/** The longest `jti` that is taken, in bytes (DPOP-4.3d). */
const LONGEST_JTI = 256

const SIGNATURE_BYTES = 64
const utf8 = new TextEncoder()
const EXACT = 2 ** 53

/** What is read of a proof's claims. */
interface Said {
  readonly jti: string
  readonly htm: string
  readonly htu: string
  /** Whole seconds: fractions are cut. */
  readonly iat: number
  readonly ath: Uint8Array | undefined
  readonly nonce: string | undefined
}

/** A proof whose signature, method and address are right. */
export class Proof {
  /** Whose: the SHA-256 thumbprint of the key that signed it (RFC 7638), in base64url. */
  readonly key: string
  /** Names it. */
  readonly jti: string
  /** When it was made, by the client's clock, in seconds. */
  readonly issuedAt: number
  /** What a server had given the client to put in, if the client has put in anything. */
  readonly nonce: string | undefined
  /** What must not come a second time: this key's proof of this name for this address. */
  readonly once: string
  readonly #tokenHash: Uint8Array | undefined

  private constructor(key: string, { jti, iat, nonce, ath }: Said, once: string) {
    this.key = key
    this.jti = jti
    this.issuedAt = iat
    this.nonce = nonce
    this.#tokenHash = ath
    this.once = once
  }

  /**
   * Reads the value of a `DPoP` header that came with `method` to `url` (DPOP-4.3a to c), or rejects with a {@link Refusal}
   * `bad_proof`. The URL is the one under which clients know this server, never what stands in the request's own `Host`.
   */
  static async read(header: string, method: string, url: string): Promise<Proof> {
    const [headerPart, claimsPart, signaturePart] = partsOf(header)
    const { algorithm, jwk } = readHeader(headerPart)
    if (!(await isSigned(header, jwk, algorithm, decode(signaturePart)))) throw new Refusal('bad_proof')
    // Only now are the claims worth reading.
    const said = readClaims(claimsPart)
    const address = normal(url)
    if (said.htm !== method || address === undefined || normal(said.htu) !== address) throw new Refusal('bad_proof')
    const key = await calculateJwkThumbprint(jwk)
    return new Proof(key, said, await nameOf(key, address, said.jti))
  }

  /** Whether it was made a moment ago (DPOP-4.3d). `now` in milliseconds. */
  isFresh(now: number): boolean {
    const seconds = Math.floor(now / 1000)
    return this.issuedAt >= seconds - PROOF_LIFE_SECONDS && this.issuedAt <= seconds + LEEWAY_SECONDS
  }

  /** Whether it was made for this access token (`ath`; DPOP-7a). */
  async isFor(token: string): Promise<boolean> {
    const expected = await sha256(token)
    // Neither is a secret: whoever presents the proof has made one and has the other.
    return this.#tokenHash?.length === expected.length && this.#tokenHash.every((byte, at) => byte === expected[at])
  }
}

async function sha256(text: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', utf8.encode(text)))
}

async function nameOf(key: string, address: string, jti: string): Promise<string> {
  return encode(await sha256(['dpop', key, address, jti].map((part) => `${utf8.encode(part).length}:${part}`).join('')))
}

/** Whether the token may be presented without a proof: one that is bound to a key may not (DPOP-7b). */
export function checkBinding({ cnf }: Pick<Claims, 'cnf'>): void {
  if (cnf !== undefined) throw new Refusal('proof_required')
}

/** Proofs that have been used, until they would be too old anyway. One clock for all who ask. */
export class UsedProofs {
  readonly #now: () => number
  readonly #most: number
  /** Until when each is remembered, in milliseconds; the oldest first. */
  readonly #used = new Map<string, number>()

  constructor(now: () => number, most: number = MOST_PROOFS) {
    this.#now = now
    this.#most = most
  }

  /** Lets a verified token pass with this proof, once, or throws a {@link Refusal}. */
  async use({ cnf }: Pick<Claims, 'cnf'>, token: string, proof: Proof): Promise<void> {
    // Bound to this key, and proven for this token: a proof with a token that is bound to nothing is none (DPOP-7b).
    if (proof.key !== cnf?.jkt || !(await proof.isFor(token))) throw new Refusal('bad_proof')
    if (!proof.isFresh(this.#now()) || !this.#insert(proof.once)) throw new Refusal('bad_proof')
  }

  /** Takes one in; `false` if it has been used, or if there is no room. */
  #insert(proof: string): boolean {
    const now = this.#now()
    for (const [old, until] of this.#used) {
      if (until > now) break
      this.#used.delete(old)
    }
    if (this.#used.size >= this.#most || this.#used.has(proof)) return false
    // Its `iat` may lie a little in the future.
    this.#used.set(proof, now + 2 * PROOF_LIFE_SECONDS * 1000)
    return true
  }
}

/** Header, claims and signature, undecoded. */
function partsOf(header: string): [string, string, string] {
  try {
    return split(header)
  } catch {
    throw new Refusal('bad_proof')
  }
}

/** The strict JSON object in a part. */
function objectIn(part: string): JsonObject {
  const bytes = decode(part)
  const value = bytes && parseStrict(bytes)
  if (!(value instanceof Map)) throw new Refusal('bad_proof')
  return value
}

/** Exactly `alg`, `typ` and `jwk`: no other key is looked for, and nothing is fetched. */
function readHeader(part: string): { algorithm: Algorithm; jwk: JWK } {
  const header = objectIn(part)
  const [alg, typ, key] = [header.get('alg'), header.get('typ'), header.get('jwk')]
  if (header.size !== 3 || !isAlgorithm(alg) || typeof typ !== 'string' || !(key instanceof Map)) throw new Refusal('bad_proof')
  // Without the flag `u`, `i` never takes a letter beyond ASCII for one within.
  if (!/^(?:application\/)?dpop\+jwt$/i.test(typ)) throw new Refusal('bad_proof')
  const jwk = readKey(key, alg)
  if (jwk === undefined) throw new Refusal('bad_proof')
  return { algorithm: alg, jwk }
}

/** The members that say which key, if those that would give it away are absent. `null` gives nothing away. */
function readKey(key: JsonObject, algorithm: Algorithm): JWK | undefined {
  const [kty, crv, x, y] = ['kty', 'crv', 'x', 'y'].map((name) => key.get(name))
  if (typeof kty !== 'string' || typeof crv !== 'string' || typeof x !== 'string') return undefined
  const hasY = algorithm === 'ES256' ? typeof y === 'string' : y === undefined
  if (!hasY || (key.get('d') ?? key.get('k') ?? null) !== null) return undefined
  return publicJwk(algorithm, { kty, crv, x, y: y as string | undefined })
}

async function isSigned(proof: string, jwk: JWK, algorithm: Algorithm, signature: Uint8Array | undefined): Promise<boolean> {
  if (signature?.length !== SIGNATURE_BYTES || (algorithm !== 'ES256' && hasSmallOrder(signature))) return false
  try {
    // A point that is not on the curve is no key.
    await compactVerify(proof, await importKey(jwk, algorithm), { algorithms: [algorithm] })
    return true
  } catch {
    return false
  }
}

function readClaims(part: string): Said {
  const claims = objectIn(part)
  const jti = text(claims.get('jti'))
  if (jti === '' || utf8.encode(jti).length > LONGEST_JTI) throw new Refusal('bad_proof')
  const ath = claims.has('ath') ? decode(text(claims.get('ath'))) : undefined
  if (claims.has('ath') && ath === undefined) throw new Refusal('bad_proof')
  const nonce = claims.has('nonce') ? text(claims.get('nonce')) : undefined
  return { jti, htm: text(claims.get('htm')), htu: text(claims.get('htu')), iat: whole(claims.get('iat')), ath, nonce }
}

function text(value: Json | undefined): string {
  if (typeof value !== 'string') throw new Refusal('bad_proof')
  return value
}

/** A `NumericDate`, fractions cut. */
function whole(value: Json | undefined): number {
  const seconds = value instanceof JsonNumber ? Number(value.text) : NaN
  if (!(seconds >= 0 && seconds < EXACT)) throw new Refusal('bad_proof')
  return Math.floor(seconds) + 0
}

const PORTS: ReadonlyMap<string, string> = new Map([['https', ':443'], ['http', ':80']])
const lower = (ascii: string): string => ascii.replace(/[A-Z]+/g, (letters) => letters.toLowerCase())

/**
 * A URL as it is compared: scheme and host in lower case, without its scheme's own port, query and fragment (RFC 3986 section 6.2).
 * `undefined` for what is no http URL, or names a user.
 */
export function normal(url: string): string | undefined {
  const at = url.indexOf('://')
  const scheme = lower(url.slice(0, Math.max(at, 0)))
  const port = PORTS.get(scheme)
  if (port === undefined) return undefined
  const rest = url.slice(at + 3).split(/[?#]/, 1)[0] ?? ''
  const slash = rest.indexOf('/')
  const [authority, path] = slash < 0 ? [rest, '/'] : [rest.slice(0, slash), rest.slice(slash)]
  const named = lower(authority)
  const host = named.endsWith(port) ? named.slice(0, -port.length) : named
  return host === '' || host.includes('@') ? undefined : `${scheme}://${host}${path}`
}
