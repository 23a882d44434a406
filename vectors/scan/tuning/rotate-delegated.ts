import type { FastifyInstance } from 'fastify'
import { jwtVerify } from 'jose'
import { issueTokens, refreshKey } from './tokens'
import { sessions } from './sessions'

export default async function (fastify: FastifyInstance) {
  fastify.post<{ Body: { refreshToken: string } }>('/refresh', async (request, reply) => {
    const { payload } = await jwtVerify(request.body.refreshToken, refreshKey, {
      algorithms: ['EdDSA'],
      issuer: 'canteen',
      audience: 'canteen-refresh',
    })
    const session = await sessions.spend(payload.jti as string)
    if (!session) return reply.code(401).send({ error: 'sign in again' })
    return issueTokens(session)
  })
}
