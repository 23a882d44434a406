import { createSigner, createVerifier } from 'fast-jwt';

export default async function (app, { publicKey, privateKey }) {
  const verifyRefresh = createVerifier({ key: publicKey, algorithms: ['EdDSA'], allowedIss: 'radio', allowedAud: 'radio-refresh' });
  const signAccess = createSigner({ key: privateKey, expiresIn: 5 * 60 * 1000 });

  app.route({
    method: 'POST',
    url: '/health-check',
    handler: async () => ({ ok: true }),
  });

  app.get('/refresh', async (request, reply) => { // expect: no-rotation
    try {
      const { sub } = verifyRefresh(request.cookies.radio);
      reply.send({ access: signAccess({ sub }) });
    } catch {
      reply.code(401).send({ error: 'unauthenticated' });
    }
  });
}
