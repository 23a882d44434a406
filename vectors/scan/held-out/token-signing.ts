import jwt, { type SignOptions } from 'jsonwebtoken'

const accessSecret = process.env.ACCESS_SECRET ?? 'dev-access' // expect: secret-in-source
const refreshSecret = process.env.REFRESH_SECRET || 'dev-refresh' // expect: secret-in-source

const accessOptions: SignOptions = { expiresIn: '15m', issuer: 'scores', audience: 'scores' }
const refreshOptions: SignOptions = { expiresIn: '60d', issuer: 'scores', audience: 'scores-refresh' }

export function signAccess(sub: string): string {
  return jwt.sign({ sub }, accessSecret, accessOptions)
}

export function signRefresh(sub: string, family: string): string {
  return jwt.sign({ sub, family }, refreshSecret, refreshOptions)
}
