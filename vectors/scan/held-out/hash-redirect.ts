import type { FastifyInstance } from 'fastify'
import { signIn } from './sign-in'

export default async function (fastify: FastifyInstance) {
  fastify.get<{ Querystring: { code: string; to: string } }>('/login/done', async (request, reply) => {
    const { accessToken, idToken } = await signIn(request.query.code)
    const origin = fastify.allowedOrigin(request.query.to)
    return reply.redirect(`${origin}/#id_token=${idToken}&access_token=${accessToken}`) // expect: token-in-url
  })
}
