import type { FastifyPluginAsync } from 'fastify'

const login: FastifyPluginAsync = async (fastify) => {
  fastify.post<{ Body: { email: string; password: string } }>('/login', async (request, reply) => {
    const member = await fastify.members.authenticate(request.body)
    if (!member) return reply.unauthorized()
    const token = await reply.jwtSign({ // expect: token-without-expiry
      sub: member.id,
      fullName: member.fullName, // expect: personal-data-in-payload
    })
    return reply.send({ token })
  })

  fastify.post('/guest', async () => {
    const token = fastify.jwt.sign({ sub: 'guest', scope: 'read' }, { expiresIn: '15m' })
    return { token }
  })
}

export default login
