import { Hono } from 'hono';
import { getCookie, setCookie } from 'hono/cookie';

const NAME = '__Host-session';

export function sessions(store) {
  const app = new Hono();

  app.use(async (c, next) => {
    const id = getCookie(c, NAME);
    const session = (id && (await store.get(id))) || (await store.create());
    c.set('session', session);
    await next();
    setCookie(c, NAME, session.id, { httpOnly: true, secure: true, sameSite: 'Lax', path: '/', maxAge: 1800 });
    setCookie(c, 'visits', String(session.visits));
  });

  return app;
}
