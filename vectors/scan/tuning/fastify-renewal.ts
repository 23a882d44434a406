import type { FastifyInstance } from 'fastify'
import { createSigner, createVerifier } from 'fast-jwt'

const readRefresh = createVerifier({
  key: process.env.REFRESH_KEY as string,
  algorithms: ['HS256'],
  allowedIss: 'garden',
  allowedAud: 'garden-refresh',
})
const signAccess = createSigner({ key: process.env.ACCESS_KEY as string, expiresIn: 600_000 })

export async function routes(fastify: FastifyInstance) {
  fastify.post('/token/refresh', async (request, reply) => { // expect: no-rotation
    const { refresh } = request.cookies
    if (!refresh) return reply.code(401).send({ error: 'sign in again' })
    const claims = readRefresh(refresh)
    return { access: signAccess({ sub: claims.sub }) }
  })
}
