/**
 * base64url without padding, canonical only: one byte string has exactly one spelling (RFC 4648 section 3.5).
 * A lenient decoder would turn one token into many strings, and break whatever is keyed on them (ATK-17).
 * By what every runtime has, since status lists are read where there is no `Buffer`.
 */

// By the length modulo 4: of the last letter, the bits that stand for no byte must be zero; one letter alone stands for none.
const CANONICAL = [/^[A-Za-z0-9_-]*$/, /^(?!)/, /^[A-Za-z0-9_-]*[AQgw]$/, /^[A-Za-z0-9_-]*[AEIMQUYcgkosw048]$/] as const

/** So many bytes become characters at a time: each is an argument of a call. */
const PIECE = 4096

const utf8 = new TextEncoder()

/** Encodes without padding. */
export function encode(bytes: Uint8Array | string): string {
  const raw = typeof bytes === 'string' ? utf8.encode(bytes) : bytes
  let binary = ''
  for (let at = 0; at < raw.length; at += PIECE) binary += String.fromCharCode(...raw.subarray(at, at + PIECE))
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')
}

/** Decodes; `undefined` for padding, white space, another alphabet, an impossible length or non-zero trailing bits. */
export function decode(text: string): Uint8Array | undefined {
  if (!CANONICAL[(text.length % 4) as 0 | 1 | 2 | 3].test(text)) return undefined
  const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'))
  const bytes = new Uint8Array(binary.length)
  for (let at = 0; at < binary.length; at += 1) bytes[at] = binary.charCodeAt(at)
  return bytes
}
