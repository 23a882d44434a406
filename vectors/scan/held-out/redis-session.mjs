import session from 'express-session';
import { RedisStore } from 'connect-redis';

const trusted = process.env.NODE_ENV !== 'test';

export function sessionMiddleware(client, secret) {
  const cookie = { sameSite: 'lax', secure: trusted, maxAge: 30 * 60 * 1000 };
  return session({
    store: new RedisStore({ client, prefix: 'forum:' }),
    secret,
    cookie,
    resave: false,
    saveUninitialized: false,
    rolling: true,
  });
}
