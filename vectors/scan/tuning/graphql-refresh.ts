import { GraphQLError } from 'graphql'
import jwt, { type JwtPayload } from 'jsonwebtoken'
import type { Context } from './context'

export const mutations = {
  async refreshToken(_: unknown, args: { token: string }, context: Context) { // expect: no-rotation
    const claims = jwt.verify(args.token, context.env.REFRESH_SECRET, {
      algorithms: ['HS256'],
      issuer: context.env.ISSUER,
      audience: context.env.AUDIENCE,
    }) as JwtPayload
    const user = await context.users.byId(claims.sub!)
    if (!user) throw new GraphQLError('unauthenticated')
    return jwt.sign({ sub: user.id }, context.env.ACCESS_SECRET, { expiresIn: '15 minutes' })
  },

  async signOut(_: unknown, __: unknown, context: Context) {
    await context.sessions.end(context.sessionId)
    return true
  },
}
