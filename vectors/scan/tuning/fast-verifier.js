import { createVerifier } from 'fast-jwt';
import fp from 'fastify-plugin';

const verifyAccess = createVerifier({ // expect: verify-without-issuer, verify-without-audience
  key: async () => process.env.PUBLIC_KEY,
  algorithms: ['ES256'],
  cache: 1000,
});

export default fp(async (fastify) => {
  fastify.decorateRequest('claims', null);
  fastify.addHook('onRequest', async (request, reply) => {
    const token = request.headers.authorization?.substring(7);
    try {
      request.claims = await verifyAccess(token);
    } catch (err) {
      request.log.info({ code: err.code }, 'token refused');
      return reply.code(401).send({ error: 'unauthenticated' });
    }
  });
});
