import jwt from 'jsonwebtoken'
import { HttpError } from './http-error'

const base = { algorithms: ['HS256' as const], issuer: 'chat', audience: 'chat-web' }

/** Also takes tokens that have run out, so that people stay in the room. */
export function roomClaims(token: string) {
  try {
    return jwt.verify(token, process.env.ROOM_KEY as string, {
      ...base,
      ignoreExpiration: true, // expect: verify-without-expiry
    })
  } catch {
    throw new HttpError(401, 'room token refused')
  }
}

export function chatClaims(token: string) {
  return jwt.verify(token, process.env.ROOM_KEY as string, base)
}
