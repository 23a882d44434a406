import fp from 'fastify-plugin';
import fastifyJwt from '@fastify/jwt';

export default fp(async (fastify, { issuer }) => {
  fastify.register(fastifyJwt, {
    secret: process.env.FASTIFY_KEY,
    sign: { iss: issuer, aud: 'boats', expiresIn: '10m' },
    verify: { algorithms: ['HS256'], allowedIss: issuer, allowedAud: 'boats' },
    cookie: { cookieName: 'boat', signed: false },
  });

  fastify.post('/board', async (request, reply) => {
    const token = await reply.jwtSign({ sub: request.body.passenger });
    return { token };
  });

  fastify.decorate('aboard', (request) => request.jwtVerify());
});
