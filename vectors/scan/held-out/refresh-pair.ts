import type { RequestHandler } from 'express'
import jwt, { type JwtPayload } from 'jsonwebtoken'
import { families } from './families'
import { signAccess, signRefresh } from './sign'

const rules = { algorithms: ['HS256' as const], issuer: 'gardens', audience: 'gardens-refresh' }

export const refreshTokens: RequestHandler = async (req, res) => {
  const old = String(req.cookies.refresh ?? '')
  const claims = jwt.verify(old, process.env.REFRESH_KEY!, rules) as JwtPayload
  const generation = await families.advance(claims.family, claims.generation)
  if (generation === undefined) {
    await families.end(claims.family)
    return void res.sendStatus(401)
  }
  const refresh = signRefresh({ sub: claims.sub!, family: claims.family, generation })
  res.cookie('refresh', refresh, { httpOnly: true, secure: true, sameSite: 'strict', path: '/refresh' })
  res.json({ access: signAccess(claims.sub!) })
}
