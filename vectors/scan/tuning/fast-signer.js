import { createSigner } from 'fast-jwt';

const signAccess = createSigner({ key: process.env.ACCESS_KEY, algorithm: 'HS256' }); // expect: token-without-expiry

const signUpload = createSigner({
  key: process.env.UPLOAD_KEY,
  expiresIn: 5 * 60 * 1000,
});

export async function loginRoute(fastify) {
  fastify.post('/login', async (request, reply) => {
    const account = await fastify.accounts.check(request.body);
    if (!account) return reply.code(401).send();
    return { token: signAccess({ sub: account.id }) };
  });
  fastify.post('/uploads', async (request) => ({ ticket: signUpload({ sub: request.user.sub }) }));
}
