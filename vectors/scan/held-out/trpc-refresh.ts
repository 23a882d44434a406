import { TRPCError } from '@trpc/server'
import jwt, { type JwtPayload } from 'jsonwebtoken'
import type { Context } from './context'

export async function refreshToken(ctx: Context) { // expect: no-rotation
  const presented = ctx.cookies.refresh
  if (!presented) throw new TRPCError({ code: 'UNAUTHORIZED', message: 'no refresh cookie' })

  let claims: JwtPayload
  try {
    claims = jwt.verify(presented, ctx.env.REFRESH_KEY, { algorithms: ['HS256'], audience: 'cinema' }) as JwtPayload // expect: verify-without-issuer
  } catch (cause) {
    throw new TRPCError({ code: 'UNAUTHORIZED', cause })
  }

  return jwt.sign({ sub: claims.sub }, ctx.env.ACCESS_KEY, { expiresIn: '15m' })
}
