import { Hono } from 'hono';
import { getCookie, setCookie } from 'hono/cookie';
import { jwtVerify } from 'jose';
import { createSession, refreshKey } from './sessions.js';

const app = new Hono();
const rules = { algorithms: ['HS256'], issuer: 'toys', audience: 'toys' };
const hardened = { httpOnly: true, secure: true, sameSite: 'Strict' };

app.post('/refresh', async (c) => {
  const { payload } = await jwtVerify(getCookie(c, 'refresh') ?? '', refreshKey, rules);
  const session = await createSession(payload.sub, { replaces: payload.jti });
  setCookie(c, 'refresh', session.refreshToken, { ...hardened, path: '/refresh' });
  return c.json({ token: session.accessToken });
});

export default app;
