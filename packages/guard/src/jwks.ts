/** The key set of one issuer: `kid` to key, each bound to exactly one algorithm (JWT-BCP-3.1c). */

import { importJWK } from 'jose'
import { decode } from './base64url.js'
import { isKid } from './id.js'
import { type Json, type JsonObject, parseStrict } from './json.js'

/** How many keys a set may have. */
const MAX_KEYS = 64

/**
 * A signature algorithm by the name it has in `alg`. RFC 9864 gave Ed25519 its own name beside the older `EdDSA`; a key
 * is bound to one of the two names.
 */
export type Algorithm = 'EdDSA' | 'Ed25519'

/** A public key that verifies, imported once. */
export interface VerifyingKey {
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

  private constructor(keys: ReadonlyMap<string, VerifyingKey>) {
    this.#keys = keys
  }

  /** The key with this name. */
  get(kid: string): VerifyingKey | undefined {
    return this.#keys.get(kid)
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
    const bytes = typeof document === 'string' ? Buffer.from(document) : document
    const set = parseStrict(bytes)
    const entries = set instanceof Map ? set.get('keys') : undefined
    if (!Array.isArray(entries)) throw new KeySetError('malformed')
    const keys = entries.map(readKey)
    if (keys.length > MAX_KEYS) throw new KeySetError('too_many_keys')
    const found = new Map<string, VerifyingKey>()
    for (const key of keys) {
      if (key.secret) throw new KeySetError('private_key')
      const usable = usableKey(key)
      if (usable === undefined) continue
      if (found.has(usable.kid)) throw new KeySetError('duplicate_kid')
      found.set(usable.kid, { algorithm: usable.algorithm, public: await importKey(usable.x, usable.algorithm) })
    }
    return new KeySet(found)
  }
}

interface RawKey {
  readonly kty: string
  readonly kid: string | undefined
  readonly alg: string | undefined
  readonly use: string | undefined
  readonly crv: string | undefined
  readonly x: string | undefined
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
    operations,
    secret: (entry.get('d') ?? entry.get('k') ?? null) !== null,
  }
}

function textOf(entry: JsonObject, name: string): string | undefined {
  const value = entry.get(name) ?? undefined
  if (value !== undefined && typeof value !== 'string') throw new KeySetError('malformed')
  return value
}

function usableKey(key: RawKey): { kid: string; algorithm: Algorithm; x: string } | undefined {
  const forSignatures = key.use === undefined || key.use === 'sig'
  const mayVerify = key.operations === undefined || key.operations.includes('verify')
  if (!forSignatures || !mayVerify || key.kty !== 'OKP' || key.crv !== 'Ed25519') return undefined
  if (key.alg !== 'EdDSA' && key.alg !== 'Ed25519') return undefined
  const point = key.x === undefined ? undefined : decode(key.x)
  if (key.x === undefined || point?.length !== 32 || !isCanonical(point) || !isKid(key.kid)) return undefined
  return { kid: key.kid, algorithm: key.alg, x: key.x }
}

/**
 * Whether the point is spelt in the one canonical way: y less than 2^255 - 19, and no sign where x is 0. OpenSSL takes the few
 * other spellings, the Rust guard's library does not; one rule for all verifiers (ATK-07).
 */
function isCanonical(point: Buffer): boolean {
  const hex = point.toString('hex')
  if (hex === MINUS_ZERO_AT_ONE || hex === MINUS_ZERO_AT_MINUS_ONE) return false
  const [lowest = 0, ...rest] = point
  const highest = (rest.pop() ?? 0) & 0x7f
  return highest !== 0x7f || lowest < 0xed || rest.some((byte) => byte !== 0xff)
}

const MINUS_ZERO_AT_ONE = `01${'00'.repeat(30)}80`
const MINUS_ZERO_AT_MINUS_ONE = `ec${'ff'.repeat(31)}`

async function importKey(x: string, algorithm: Algorithm): Promise<Exclude<Awaited<ReturnType<typeof importJWK>>, Uint8Array>> {
  const key = await importJWK({ kty: 'OKP', crv: 'Ed25519', x, alg: algorithm })
  if (key instanceof Uint8Array) throw new KeySetError('malformed')
  return key
}
