import fp from 'fastify-plugin';
import fastifyCookie from '@fastify/cookie';
import { sessions } from './sessions.mjs';

export default fp(async (app) => {
  await app.register(fastifyCookie);

  app.addHook('onSend', async (request, reply) => {
    const { session } = request;
    if (!session?.changed) return;
    const value = await sessions.save(session);
    reply.setCookie('session', value, { // expect: cookie-without-samesite
      path: '/',
      httpOnly: true,
      secure: process.env.NODE_ENV === 'production',
    });
    reply.setCookie('unread', String(session.unread), { path: '/' });
  });
});
