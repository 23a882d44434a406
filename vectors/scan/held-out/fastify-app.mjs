import Fastify from 'fastify';
import fastifyJwt from '@fastify/jwt';
import { ledger } from './ledger.mjs';

export function build(options = {}) {
  const app = Fastify(options);

  app.register(fastifyJwt, { // expect: verify-without-issuer, verify-without-audience
    secret: { public: process.env.LEDGER_PUBLIC_KEY },
    verify: { algorithms: ['RS256'], maxAge: '10m' },
  });

  app.get('/entries', { onRequest: (request) => request.jwtVerify() }, async (request) => {
    return ledger.entriesOf(request.user.sub);
  });

  return app;
}
