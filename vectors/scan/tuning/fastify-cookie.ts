import type { FastifyInstance } from 'fastify'
import { createSession } from './sessions'

export default async function (fastify: FastifyInstance) {
  fastify.post('/session', async (request, reply) => {
    const session = await createSession(request.body)
    return reply // expect: cookie-without-samesite
      .setCookie('sid', session.id, { path: '/', httpOnly: false, secure: true }) // expect: cookie-without-httponly
      .send({ user: session.user })
  })

  fastify.post('/consent', async (request, reply) => {
    reply.setCookie('consent', 'all', { path: '/' })
    return { ok: true }
  })
}
