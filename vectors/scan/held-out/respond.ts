import type { CookieOptions, Response } from 'express'

interface Tokens {
  accessToken: string
  refreshToken: string
}

const base: CookieOptions = { sameSite: 'lax', path: '/' }

export class TokenResponse {
  constructor(private readonly res: Response) {}

  write({ accessToken, refreshToken }: Tokens): void {
    this.res.cookie('accessToken', accessToken, { ...base, httpOnly: true }) // expect: cookie-without-secure
    this.res.cookie('refreshToken', refreshToken, { ...base, secure: true }) // expect: cookie-without-httponly
    this.res.cookie('tour', 'unseen', base)
    this.res.status(204).end()
  }
}
