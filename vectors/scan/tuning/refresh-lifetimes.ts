import jwt from 'jsonwebtoken'
import { randomUUID } from 'node:crypto'

export function createRefreshToken(sub: string, sid: string): string {
  return jwt.sign({ sub, sid, jti: randomUUID() }, process.env.REFRESH_TOKEN_SECRET!, { expiresIn: '30d' })
}

export function createAccessToken(sub: string, sid: string): string {
  return jwt.sign({ sub, sid }, process.env.ACCESS_TOKEN_SECRET!, { expiresIn: '15m' })
}

export function createEmailVerificationToken(sub: string): string {
  return jwt.sign({ sub, purpose: 'verify-email' }, process.env.EMAIL_TOKEN_SECRET!, { expiresIn: '1d' })
}
