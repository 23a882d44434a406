/**
 * Encrypted tokens: a signed JWT within a JWE, for audiences that have given the authority a key (RFC 7516, ECDH-ES with A256GCM).
 * Encryption proves nothing: anybody can encrypt to a public key. What is found inside is a token like any other, and verified whole.
 */

import { createECDH, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import { compactDecrypt, type JWK } from 'jose'
import { decode } from './base64url.js'
import { isKid } from './id.js'
import { type JsonObject, parseStrict } from './json.js'
import { checkSize } from './jwt.js'
import { Refusal } from './refusal.js'

/** A private key that opens tokens encrypted to its public half. */
interface DecryptionKey {
  readonly kty: 'OKP' | 'EC'
  readonly private: KeyObject
}

const IV_BYTES = 12
/** A shorter tag would be easier to guess (ATK-20). */
const TAG_BYTES = 16
const CURVES = { OKP: 'X25519', EC: 'P-256' } as const
/** What a header must say, and beside it only `epk` and `kid`: nothing is unpacked, derived or fetched (`zip`, `p2c`, `jku`). */
const SAID = { alg: 'ECDH-ES', enc: 'A256GCM', cty: 'JWT' }
const SIGNED = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/

/** The private keys of this server, by name. */
export class DecryptionKeys {
  readonly #keys: ReadonlyMap<string, DecryptionKey>

  private constructor(keys: ReadonlyMap<string, DecryptionKey>) {
    this.#keys = keys
  }

  /** From private JWKs for X25519 or P-256, each with a `kid` of its own. Throws a `TypeError` for any other. */
  static fromJwks(jwks: readonly JWK[]): DecryptionKeys {
    const keys = new Map<string, DecryptionKey>()
    for (const jwk of jwks) {
      const key = readKey(jwk)
      // Not with the key in the message: it would end in a log.
      if (key === undefined) throw new TypeError('a decryption key must be a private JWK for X25519 or P-256, with a kid')
      if (keys.has(jwk.kid ?? '')) throw new TypeError('two decryption keys have one kid')
      keys.set(jwk.kid ?? '', key)
    }
    return new DecryptionKeys(keys)
  }

  /** Whether a token is to be opened before it is read: it has the parts of an encrypted one, and there is a key at all. */
  open(token: string): boolean {
    return this.#keys.size > 0 && token.split('.', 6).length === 5
  }

  /** The signed token within an encrypted one. Which of the keys opens it, the header says; that is a look-up, nothing else. */
  async decrypt(token: string): Promise<string> {
    checkSize(token)
    const [headerPart = '', keyPart, ...others] = token.split('.', 6)
    const [iv, sealed, tag, ...more] = others.map(decode)
    const header = decode(headerPart)
    // The key is agreed on, so none is sent.
    if (!header?.length || keyPart !== '' || more.length > 0) throw new Refusal('malformed')
    if (!iv?.length || !sealed?.length || !tag?.length) throw new Refusal('malformed')
    const { kid, epk } = readHeader(header)
    const key = isKid(kid) ? this.#keys.get(kid) : undefined
    if (key === undefined) throw new Refusal('unknown_key')
    // From here on there is one refusal, whatever is wrong (JWE-11.5).
    if (!fits(epk, key) || iv.length !== IV_BYTES || tag.length !== TAG_BYTES) throw new Refusal('not_decryptable')
    const inner = await plaintextOf(token, key)
    // Signed, then encrypted, once each (JWT-11.2, ATK-19).
    if (!SIGNED.test(inner)) throw new Refusal('malformed')
    return inner
  }
}

function readKey({ kty, crv, x, y, d, kid, alg = SAID.alg, use = 'enc' }: JWK): DecryptionKey | undefined {
  const type = kty === 'OKP' ? 'OKP' : kty === 'EC' ? 'EC' : undefined
  if (type === undefined || crv !== CURVES[type] || alg !== SAID.alg || use !== 'enc') return undefined
  const hasY = type === 'EC' ? isCoordinate(y) : y === undefined
  if (!isKid(kid) || !isCoordinate(x) || !isCoordinate(d) || !hasY) return undefined
  try {
    const key = createPrivateKey({ key: { kty: type, crv: CURVES[type], x, d, ...(y === undefined ? {} : { y }) }, format: 'jwk' })
    const halves = type === 'EC' ? pointOf(d) : createPublicKey(key).export({ format: 'jwk' })
    return halves.x === x && halves.y === y ? { kty: type, private: key } : undefined
  } catch {
    return undefined
  }
}

/** The public half on P-256. Node takes the one that a JWK says, whatever the private half. */
function pointOf(d: string): { x: string; y: string } {
  const pair = createECDH('prime256v1')
  pair.setPrivateKey(d, 'base64url')
  const point = pair.getPublicKey()
  return { x: point.toString('base64url', 1, 33), y: point.toString('base64url', 33) }
}

/** 32 bytes in canonical base64url. */
function isCoordinate(text: unknown): text is string {
  return typeof text === 'string' && decode(text)?.length === 32
}

interface Header {
  readonly kid: string
  readonly epk: JsonObject
}

function readHeader(bytes: Uint8Array): Header {
  const header = parseStrict(bytes)
  if (header === undefined) throw new Refusal('malformed')
  if (!(header instanceof Map) || header.size !== 5) throw new Refusal('header_not_allowed')
  const [kid, epk] = [header.get('kid'), header.get('epk')]
  const said = Object.entries(SAID).every(([name, value]) => header.get(name) === value)
  if (!said || typeof kid !== 'string' || !(epk instanceof Map) || !isPoint(epk)) throw new Refusal('header_not_allowed')
  return { kid, epk }
}

/** Whether these are the members of a public key and no others. */
function isPoint(epk: JsonObject): boolean {
  const names = epk.has('y') ? ['kty', 'crv', 'x', 'y'] : ['kty', 'crv', 'x']
  return epk.size === names.length && names.every((name) => typeof epk.get(name) === 'string')
}

/** Whether the sender's key is one for the same curve. Whether it lies on that curve, the library says. */
function fits(epk: JsonObject, { kty }: DecryptionKey): boolean {
  const hasY = kty === 'EC' ? isCoordinate(epk.get('y')) : !epk.has('y')
  return epk.get('kty') === kty && epk.get('crv') === CURVES[kty] && isCoordinate(epk.get('x')) && hasY
}

async function plaintextOf(token: string, key: DecryptionKey): Promise<string> {
  try {
    const only = { keyManagementAlgorithms: [SAID.alg], contentEncryptionAlgorithms: [SAID.enc] }
    const { plaintext } = await compactDecrypt(token, key.private, only)
    return Buffer.from(plaintext).toString('latin1')
  } catch {
    throw new Refusal('not_decryptable')
  }
}
