// What all token cases stand on: the issuer, the time, good claims, how a token is signed, and how cases are collected.

import { b64, signEd } from './keys.mjs'

export const issuer = 'https://app.example.com'
export const audience = 'web'
/** Seconds since the epoch. */
export const now = 1795260600
export const id = (byte) => b64(Buffer.alloc(16, byte))

export const header = { alg: 'EdDSA', kid: 'k1', typ: 'at+jwt' }
export const claims = {
  iss: issuer, sub: id(1), aud: audience, client_id: 'web', exp: now + 240, iat: now - 60, jti: id(3), sid: id(2),
  auth_time: now - 600, acr: 'aal1', amr: ['pwd'],
}
/** As a guard gives them back: with what is absent filled in. */
export const read = (more = {}) => ({ ...claims, roles: [], cv: 0, ...more })
export const without = (name, from = claims) => { const { [name]: _, ...rest } = from; return rest }

export const text = (value) => (typeof value === 'string' || value instanceof Uint8Array ? value : JSON.stringify(value))
/** A token of these header and payload, signed as they stand. */
export function jwt(h, p, signature = (input) => signEd(input)) {
  const input = `${b64(text(h))}.${b64(text(p))}`
  return `${input}.${b64(signature(input))}`
}
export const withClaims = (more) => jwt(header, { ...claims, ...more })

/** Cases in order. `subjects` is whose tokens are believed; users' where it is not said. */
export function collection() {
  const cases = []
  const put = (name, { atk, subjects }, token, expect) =>
    cases.push({ name, ...(atk ? { atk } : {}), ...(subjects ? { subjects } : {}), token, ...expect })
  const accept = (name, token, more, subjects) => put(name, { subjects }, token, { claims: read(more) })
  const refuse = (reason, atk, name, token, subjects) => put(name, { atk, subjects }, token, { refusal: reason })
  return { cases, accept, refuse }
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
/** The next letter at the end: the same bytes for a lenient decoder, where unused bits end the part. */
export const trailing = (part) => part.slice(0, -1) + ALPHABET[ALPHABET.indexOf(part.at(-1)) + 1]

/** S + L: the same number to whoever does not check that it is reduced. */
export function addOrder(signature) {
  const order = 2n ** 252n + 27742317777372353535851937790883648493n
  const s = BigInt(`0x${Buffer.from(signature.subarray(32)).reverse().toString('hex')}`) + order
  const bytes = Buffer.from(s.toString(16).padStart(64, '0'), 'hex').reverse()
  return Buffer.concat([signature.subarray(0, 32), bytes])
}
