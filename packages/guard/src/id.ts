/** Identifiers: 16 random bytes, written as 22 characters of base64url. An id names a thing; it is never a secret. */

// 22 characters carry 132 bits; the last four must be zero, so the last character is one of four.
const ID = /^[A-Za-z0-9_-]{21}[AQgw]$/
const KID = /^[A-Za-z0-9_-]{1,64}$/
const PASERK_ID = /^k4\.pid\.[A-Za-z0-9_-]{44}$/

/** Whether the text is an id of a session, a user or a token: 22 characters of canonical base64url. */
export function isId(text: unknown): text is string {
  return typeof text === 'string' && ID.test(text)
}

/**
 * Whether the text may name a signing key. Attacker input until it has been found in the key set, so it is only ever
 * compared, never put into a path or a query (JWT-BCP-3.10a).
 */
export function isKid(text: unknown): text is string {
  return typeof text === 'string' && KID.test(text)
}

/**
 * Whether the text may name an Ed25519 key in the footer of a PASETO (PAS-7). It is looked up and never computed here: the key
 * set says which key has it. No `kid` has a dot, so no text is both.
 */
export function isPaserkId(text: unknown): text is string {
  return typeof text === 'string' && PASERK_ID.test(text)
}
