import jwt, { type VerifyOptions } from 'jsonwebtoken'

export class TokenError extends Error {}

/** Wraps the error; what is checked is the caller's choice. */
export function verifyWith<T>(token: string, key: string, options: VerifyOptions): T {
  try {
    return jwt.verify(token, key, options) as T
  } catch (cause) {
    throw new TokenError('token refused', { cause })
  }
}

export function verifyFor<T>(audience: string, token: string, key: string, rest: VerifyOptions): T {
  return jwt.verify(token, key, { ...rest, audience }) as T
}
