import fp from 'fastify-plugin'
import jwt from '@fastify/jwt'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

export default fp(async function auth(fastify: FastifyInstance) {
  await fastify.register(jwt, { // expect: verify-without-algorithms, verify-without-issuer, verify-without-audience
    secret: fastify.config.JWT_SECRET,
    sign: { expiresIn: '10m' },
  })

  fastify.decorate('authenticate', async (request: FastifyRequest, reply: FastifyReply) => {
    try {
      await request.jwtVerify()
    } catch (err) {
      reply.send(err)
    }
  })
})
