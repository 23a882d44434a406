import type { FastifyPluginAsync } from 'fastify'
import { codes } from './codes'

const login: FastifyPluginAsync = async (fastify) => {
  fastify.post<{ Body: { phone: string; code: string } }>('/otp', async (request, reply) => {
    const sessionToken = await codes.redeem(request.body.phone, request.body.code)
    if (!sessionToken) return reply.code(401).send({ error: 'wrong code' })
    reply.setCookie('sessionToken', sessionToken, { path: '/' }) // expect: cookie-without-httponly, cookie-without-secure, cookie-without-samesite
    reply.setCookie('method', 'otp', { path: '/' })
    return { ok: true }
  })
}

export default login
