import { randomUUID } from 'node:crypto'
import type { FastifyInstance } from 'fastify'

const XSRF = 'XSRF-TOKEN'

export default async function (fastify: FastifyInstance) {
  fastify.addHook('onRequest', async (request, reply) => {
    if (request.method === 'GET' && !request.cookies[XSRF]) {
      reply.setCookie(XSRF, randomUUID(), { path: '/', secure: true, sameSite: 'strict' })
    }
    const unsafe = !['GET', 'HEAD', 'OPTIONS'].includes(request.method)
    if (unsafe && request.headers['x-xsrf-token'] !== request.cookies[XSRF]) {
      return reply.code(403).send({ error: 'x-xsrf-token is not that of the cookie' })
    }
  })
}
