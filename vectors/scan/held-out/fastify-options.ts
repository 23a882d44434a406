import jwt, { type FastifyJWTOptions } from '@fastify/jwt'
import fp from 'fastify-plugin'

export interface Options {
  jwt: FastifyJWTOptions
}

/** The application says how tokens are made and checked; this only makes it available to the routes. */
export default fp<Options>(async (fastify, options) => {
  await fastify.register(jwt, options.jwt)

  fastify.decorate('signedIn', async (request, reply) => {
    try {
      await request.jwtVerify()
    } catch {
      return reply.code(401).send({ error: 'unauthenticated' })
    }
  })
})
