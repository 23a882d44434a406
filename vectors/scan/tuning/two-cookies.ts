import type { Response } from 'express'

const isProduction = process.env.NODE_ENV === 'production'
const REFRESH_COOKIE = 'refreshToken'

const hardened = { httpOnly: true, secure: isProduction, sameSite: 'lax' as const }

export function setTokens(res: Response, tokens: { access: string; refresh: string }): void {
  res.cookie('accessToken', tokens.access, hardened)
  res.cookie(REFRESH_COOKIE, tokens.refresh, { ...hardened, httpOnly: false, path: '/auth' }) // expect: cookie-without-httponly
}

export function setImpersonation(res: Response, token: string): void {
  res.cookie('impersonation_token', token, { httpOnly: true, secure: isProduction }) // expect: cookie-without-samesite
}

export function setRemembered(res: Response, token: string): void {
  res.cookie('remember_token', token, { httpOnly: true, sameSite: 'lax', secure: false }) // expect: cookie-without-secure
}
