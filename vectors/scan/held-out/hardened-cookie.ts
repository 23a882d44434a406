import type { CookieOptions, RequestHandler } from 'express'
import { openSession } from './sessions'

const hardened: CookieOptions = {
  httpOnly: true,
  secure: process.env.NODE_ENV === 'production',
  sameSite: 'strict',
  path: '/',
}

export const signIn: RequestHandler = async (req, res) => {
  const session = await openSession(req.body)
  res.cookie('jwt', session.accessToken, { ...hardened, maxAge: 300_000 })
  res.cookie('font', session.font)
  res.sendStatus(204)
}
