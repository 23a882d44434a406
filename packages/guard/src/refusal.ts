/** Why a token was refused. */

/**
 * Every reason for which a token is refused, with the stable code that a caller may learn. The reason is for the log;
 * the code tells apart only what an honest client must act on differently (RFC 6750 section 3.1).
 */
const CODES = {
  /** No credential was presented. */
  missing: 'token_missing',
  /** Longer than `MAX_TOKEN_BYTES`. */
  too_large: 'token_invalid',
  /** Not three parts of canonical base64url holding strict JSON objects. */
  malformed: 'token_invalid',
  /** The header names something other than `alg`, `kid` and `typ`. */
  header_not_allowed: 'token_invalid',
  /** `typ` is not `at+jwt`. */
  wrong_type: 'token_invalid',
  /** Encrypted, and not to be opened by the key it names. */
  not_decryptable: 'token_invalid',
  /** No key of this issuer has that `kid`. */
  unknown_key: 'token_invalid',
  /** `alg` is not the one the key is bound to. */
  wrong_algorithm: 'token_invalid',
  /** The signature does not verify. */
  bad_signature: 'token_invalid',
  /** A required claim is absent, has the wrong JSON type or a forbidden value. */
  bad_claim: 'token_invalid',
  /** `iss` is not the issuer. */
  wrong_issuer: 'token_invalid',
  /** `aud` is not exactly this audience. */
  wrong_audience: 'token_invalid',
  /** The token is bound to a key, and the request does not prove that it comes from its holder (RFC 9449). */
  proof_required: 'proof_required',
  /** The proof is not one, is not for this request and this token, or has been used. */
  bad_proof: 'invalid_dpop_proof',
  /** `sub` is a service where users are served, or the reverse. */
  wrong_subject: 'token_invalid',
  /** `exp` has passed. */
  expired: 'token_expired',
  /** `nbf` or `iat` lies in the future. */
  not_yet_valid: 'token_invalid',
  /** `exp - iat` exceeds `MAX_LIFETIME_SECONDS`. */
  lives_too_long: 'token_invalid',
  /** The session or the token has been revoked. */
  revoked: 'session_revoked',
  /** The key that signed it has been revoked (K2). The session may live on: a refresh brings a token of another key. */
  key_revoked: 'token_invalid',
  /** Roles or claims have changed since the token was minted. */
  stale: 'token_stale',
  /** The authority was asked and did not vouch for the token; it need not say why (INT-1). */
  inactive: 'token_invalid',
  /** There is no lease, or it has ended: nobody can say whether the token still counts. Not the token's fault. */
  verifier_stale: 'verifier_stale',
} as const

/** The reason as a word for logs and metrics. */
export type Reason = keyof typeof CODES

/** The stable code that a client sees. */
export type RefusalCode = (typeof CODES)[Reason]

// Bundlers make copies of this module, and a guard may be shared between them (`shared_guard.ts`): what one throws the others know by this.
const REFUSAL: unique symbol = Symbol.for('@counterfoil/guard/Refusal')

/** A token that was not accepted. Carries nothing of the token. */
export class Refusal extends Error {
  readonly reason: Reason

  static override [Symbol.hasInstance](value: unknown): boolean {
    return typeof value === 'object' && value !== null && REFUSAL in value
  }

  constructor(reason: Reason) {
    super(`token refused: ${reason}`)
    this.name = 'Refusal'
    this.reason = reason
  }

  get code(): RefusalCode {
    return CODES[this.reason]
  }
}

Object.defineProperty(Refusal.prototype, REFUSAL, { value: true })
