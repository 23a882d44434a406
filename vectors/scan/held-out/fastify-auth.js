'use strict'

const fp = require('fastify-plugin')

module.exports = fp(async function (fastify) {
  fastify.register(require('@fastify/jwt'), {
    secret: 'fastify-in-production', // expect: secret-in-source
    verify: { algorithms: ['HS256'], allowedIss: 'recipes', allowedAud: 'recipes' },
  })

  fastify.post('/cooks/login', async function (request, reply) {
    const cook = await this.cooks.check(request.body.name, request.body.password)
    if (!cook) return reply.code(401).send({ error: 'who are you?' })
    const token = fastify.jwt.sign({ sub: cook.id, kitchen: cook.kitchen }) // expect: token-without-expiry
    return { token }
  })
})
