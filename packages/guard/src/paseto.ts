/**
 * PASETO v4.public (paseto-standard, version 4): what is signed, by Ed25519, and how it is written. There is no header to be
 * believed: the purpose is the caller's, and whatever does not begin with `v4.public.` is no token of this kind (PAS-2).
 */

import { decode } from './base64url.js'
import { concat } from './bytes.js'
import { parseStrict } from './json.js'
import { hasSmallOrder, type VerifyingKey } from './jwks.js'
import { isPaserkId } from './id.js'
import { Refusal } from './refusal.js'

const HEADER = 'v4.public.'
const SIGNATURE_BYTES = 64

/** A token taken apart; nothing of it is believed yet. */
export interface Message {
  /** What was signed for whoever reads it: the claims. */
  readonly message: Uint8Array
  /** Signed too, read before the signature is checked, and only to find the key (PAS-6). Empty when the token has none. */
  readonly footer: Uint8Array
  readonly signature: Uint8Array
}

/** Whether a token's beginning says that it is one of these. */
export function isPaseto(token: string): boolean {
  return token.startsWith(HEADER)
}

/** Takes a token apart: header, payload and perhaps a footer, each in canonical base64url. */
export function splitPaseto(token: string): Message {
  if (!isPaseto(token)) throw new Refusal('malformed')
  const [payload = '', footer, ...more] = token.slice(HEADER.length).split('.', 3)
  if (footer === '' || more.length > 0) throw new Refusal('malformed')
  const bytes = decode(payload)
  const about = decode(footer ?? '')
  if (bytes === undefined || about === undefined || bytes.length <= SIGNATURE_BYTES) throw new Refusal('malformed')
  const at = bytes.length - SIGNATURE_BYTES
  return { message: bytes.subarray(0, at), signature: bytes.subarray(at), footer: about }
}

/** The name of the key in the footer, which holds nothing else. */
export function keyIdOf({ footer }: Message): string {
  const members = parseStrict(footer)
  if (members === undefined) throw new Refusal('malformed')
  // Well-formed JSON that is not ours is told apart from rubbish, for the log only.
  const kid = members instanceof Map && members.size === 1 ? members.get('kid') : undefined
  if (typeof kid !== 'string') throw new Refusal('header_not_allowed')
  if (!isPaserkId(kid)) throw new Refusal('unknown_key')
  return kid
}

/** Whether the signature is this key's. The key must be one for Ed25519 (PAS-1). */
export async function verifiesPaseto(
  { message, footer, signature }: Message,
  key: VerifyingKey,
  implicitAssertion: Uint8Array = new Uint8Array(),
): Promise<boolean> {
  if (key.algorithm === 'ES256' || hasSmallOrder(signature)) return false
  const signed = signingInput([new TextEncoder().encode(HEADER), message, footer, implicitAssertion])
  return crypto.subtle.verify({ name: 'Ed25519' }, key.public, signature, signed)
}

/** What is signed: each piece with its length before it (PAS-3), so that none can be taken for a part of another. */
function signingInput(pieces: readonly Uint8Array[]): Uint8Array {
  return concat([length(pieces.length), ...pieces.flatMap((piece) => [length(piece.length), piece])])
}

/** Little-endian. The highest bit, which must be clear, is: nothing here is that long. */
function length(of: number): Uint8Array {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(of), true)
  return bytes
}
