import type { FastifyInstance } from 'fastify'
import { sessionCookie, cookieFor } from './cookie-options'
import { start } from './sessions'

export default async function (fastify: FastifyInstance) {
  fastify.post('/start', async (request, reply) => {
    const { id, token } = await start(request.body)
    reply.setCookie('sid', id, sessionCookie)
    reply.setCookie('access_token', token, cookieFor('/api'))
    return reply.code(204).send()
  })
}
