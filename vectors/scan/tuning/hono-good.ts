import { Hono } from 'hono'
import { setCookie, setSignedCookie } from 'hono/cookie'
import type { CookieOptions } from 'hono/utils/cookie'
import { openSession } from './sessions'

const SESSION: CookieOptions = { path: '/', httpOnly: true, secure: true, sameSite: 'Lax', prefix: 'host' }

export const auth = new Hono<{ Bindings: { COOKIE_KEY: string } }>()

auth.post('/open', async (c) => {
  const session = await openSession(await c.req.json())
  await setSignedCookie(c, 'session', session.id, c.env.COOKIE_KEY, SESSION)
  setCookie(c, 'accent', session.accent)
  return c.body(null, 204)
})
