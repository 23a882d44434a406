/** The key set of one issuer: `kid` to key, each bound to exactly one algorithm (JWT-BCP-3.1c). */

import { importJWK, type JWK } from 'jose'
import { decode } from './base64url.js'
import { isKid, isPaserkId } from './id.js'
import { type Json, type JsonObject, parseStrict } from './json.js'

/** How many keys a set may have. */
const MAX_KEYS = 64

/**
 * A signature algorithm by the name it has in `alg`. RFC 9864 gave Ed25519 its own name beside the older `EdDSA`; a key
 * is bound to one of the two names.
 */
export type Algorithm = 'EdDSA' | 'Ed25519' | 'ES256'

/** All of them. */
export const ALGORITHMS: readonly Algorithm[] = ['EdDSA', 'Ed25519', 'ES256']

/** Whether the text names one. */
export function isAlgorithm(text: unknown): text is Algorithm {
  return (ALGORITHMS as readonly unknown[]).includes(text)
}

/** A public key that verifies, imported once. */
export interface VerifyingKey {
  /** What a revocation of it names, however a token has named it. */
  readonly kid: string
  readonly algorithm: Algorithm
  readonly public: CryptoKey
}

type CryptoKey = Awaited<ReturnType<typeof importKey>>

/** Why a key set document was refused as a whole. */
export type KeySetFault = 'malformed' | 'too_many_keys' | 'private_key' | 'duplicate_kid'

/** A key set document that was refused. */
export class KeySetError extends Error {
  readonly fault: KeySetFault

  constructor(fault: KeySetFault) {
    super(`key set refused: ${fault}`)
    this.name = 'KeySetError'
    this.fault = fault
  }
}

/** The verifying keys of one issuer. */
export class KeySet {
  readonly #keys: ReadonlyMap<string, VerifyingKey>
  /** The same, by the names that keys for Ed25519 have in PASETO. */
  readonly #paserk: ReadonlyMap<string, VerifyingKey>

  private constructor(keys: ReadonlyMap<string, VerifyingKey>, paserk: ReadonlyMap<string, VerifyingKey>) {
    this.#keys = keys
    this.#paserk = paserk
  }

  /** The key with this name: its `kid`, or its PASERK id. No text is both. */
  get(name: string): VerifyingKey | undefined {
    return this.#keys.get(name) ?? this.#paserk.get(name)
  }

  /** The names of the keys. */
  kids(): string[] {
    return [...this.#keys.keys()]
  }

  /**
   * Reads a JWK Set (RFC 7517 section 5). Keys of a kind not known here are skipped; so is a key without `kid` or `alg`,
   * and one not meant for verifying signatures (JWK-4.2).
   */
  static async fromJwks(document: Uint8Array | string): Promise<KeySet> {
    const bytes = typeof document === 'string' ? new TextEncoder().encode(document) : document
    const set = parseStrict(bytes)
    const entries = set instanceof Map ? set.get('keys') : undefined
    if (!Array.isArray(entries)) throw new KeySetError('malformed')
    const keys = entries.map(readKey)
    if (keys.length > MAX_KEYS) throw new KeySetError('too_many_keys')
    const found = new Map<string, VerifyingKey>()
    const paserk = new Map<string, VerifyingKey>()
    for (const key of keys) {
      if (key.secret) throw new KeySetError('private_key')
      const usable = usableKey(key)
      if (usable === undefined) continue
      const { kid, paserkId, algorithm } = usable
      if (found.has(kid) || (paserkId !== undefined && paserk.has(paserkId))) throw new KeySetError('duplicate_kid')
      // A point that is not on the curve is no key.
      const imported = await importKey(usable.jwk, algorithm).catch(() => undefined)
      if (imported === undefined) continue
      found.set(kid, { kid, algorithm, public: imported })
      if (paserkId !== undefined) paserk.set(paserkId, { kid, algorithm, public: imported })
    }
    return new KeySet(found, paserk)
  }
}

interface RawKey {
  readonly kty: string
  readonly kid: string | undefined
  readonly alg: string | undefined
  readonly use: string | undefined
  readonly crv: string | undefined
  readonly x: string | undefined
  readonly y: string | undefined
  readonly paserkId: string | undefined
  readonly operations: readonly Json[] | undefined
  /** A private or symmetric key stands in a public document. */
  readonly secret: boolean
}

/** The members that matter, each of its kind or absent (`null` counts as absent); anything else spoils the document. */
function readKey(entry: Json): RawKey {
  if (!(entry instanceof Map)) throw new KeySetError('malformed')
  const kty = textOf(entry, 'kty')
  if (kty === undefined) throw new KeySetError('malformed')
  const operations = entry.get('key_ops') ?? undefined
  if (operations !== undefined && !(Array.isArray(operations) && operations.every((op) => typeof op === 'string'))) {
    throw new KeySetError('malformed')
  }
  return {
    kty,
    kid: textOf(entry, 'kid'),
    alg: textOf(entry, 'alg'),
    use: textOf(entry, 'use'),
    crv: textOf(entry, 'crv'),
    x: textOf(entry, 'x'),
    y: textOf(entry, 'y'),
    paserkId: textOf(entry, 'paserk_id'),
    operations,
    secret: (entry.get('d') ?? entry.get('k') ?? null) !== null,
  }
}

function textOf(entry: JsonObject, name: string): string | undefined {
  const value = entry.get(name) ?? undefined
  if (value !== undefined && typeof value !== 'string') throw new KeySetError('malformed')
  return value
}

interface UsableKey {
  readonly kid: string
  readonly paserkId?: string
  readonly algorithm: Algorithm
  readonly jwk: JWK
}

function usableKey(key: RawKey): UsableKey | undefined {
  const forSignatures = key.use === undefined || key.use === 'sig'
  const mayVerify = key.operations === undefined || key.operations.includes('verify')
  if (!forSignatures || !mayVerify || !isKid(key.kid)) return undefined
  const { kid, alg, paserkId } = key
  const jwk = isAlgorithm(alg) ? publicJwk(alg, key) : undefined
  if (!isAlgorithm(alg) || jwk === undefined) return undefined
  return { kid, algorithm: alg, jwk, ...(alg !== 'ES256' && isPaserkId(paserkId) ? { paserkId } : {}) }
}

/** The public key with these members, for this algorithm; `undefined` when it is none, or one that verifies what nobody has signed. */
export function publicJwk(alg: Algorithm, { kty, crv, x, y }: Pick<RawKey, 'kty' | 'crv' | 'x' | 'y'>): JWK | undefined {
  const point = coordinate(x)
  if (x === undefined || point === undefined) return undefined
  if (alg === 'ES256') return kty === 'EC' && crv === 'P-256' && y !== undefined && coordinate(y) ? { kty, crv, x, y, alg } : undefined
  if (kty !== 'OKP' || crv !== 'Ed25519' || !isCanonical(point) || hasSmallOrder(point)) return undefined
  return { kty, crv, x, alg }
}

/** 32 bytes in canonical base64url. */
function coordinate(text: string | undefined): Uint8Array | undefined {
  const bytes = text === undefined ? undefined : decode(text)
  return bytes?.length === 32 ? bytes : undefined
}

/**
 * Whether y is spelt in the one canonical way: below 2^255 - 19. OpenSSL takes the few other spellings, the Rust guard's library
 * does not; one rule for all verifiers (ATK-07).
 */
function isCanonical(point: Uint8Array): boolean {
  const [lowest = 0, ...rest] = point
  const highest = (rest.pop() ?? 0) & 0x7f
  return highest !== 0x7f || lowest < 0xed || rest.some((byte) => byte !== 0xff)
}

/** y of the points whose order divides the cofactor: 0, 1, -1 (also as p, p + 1, p - 1), and those of order 8. */
const SMALL_ORDER: ReadonlySet<string> = new Set([
  '00'.repeat(32),
  `01${'00'.repeat(31)}`,
  ...['ec', 'ed', 'ee'].map((lowest) => `${lowest}${'ff'.repeat(30)}7f`),
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
])

/**
 * Whether these bytes begin with a point of small order, in any of its 14 spellings: as a key it verifies signatures nobody made,
 * as R it comes from nobody honest.
 */
export function hasSmallOrder(bytes: Uint8Array): boolean {
  const y = Uint8Array.from(bytes.subarray(0, 32))
  y[31] = (y[31] ?? 0) & 0x7f
  return SMALL_ORDER.has(Array.from(y, (byte) => byte.toString(16).padStart(2, '0')).join(''))
}

/** Rejects for a point that is not on the curve. */
export async function importKey(jwk: JWK, algorithm: Algorithm): Promise<Exclude<Awaited<ReturnType<typeof importJWK>>, Uint8Array>> {
  const key = await importJWK(jwk, algorithm)
  if (key instanceof Uint8Array) throw new KeySetError('malformed')
  return key
}
