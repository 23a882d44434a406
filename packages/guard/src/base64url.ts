/**
 * base64url without padding, canonical only: one byte string has exactly one spelling (RFC 4648 section 3.5).
 * A lenient decoder would turn one token into many strings, and break whatever is keyed on them (ATK-17).
 */

const ALPHABET = /^[A-Za-z0-9_-]*$/

/** Encodes without padding. */
export function encode(bytes: Uint8Array | string): string {
  return Buffer.from(bytes as Uint8Array).toString('base64url')
}

/** Decodes; `undefined` for padding, white space, another alphabet, an impossible length or non-zero trailing bits. */
export function decode(text: string): Buffer | undefined {
  if (!ALPHABET.test(text)) return undefined
  const bytes = Buffer.from(text, 'base64url')
  // Buffer never refuses; only what encodes back to the same text was canonical.
  return bytes.toString('base64url') === text ? bytes : undefined
}
