import { Hono } from 'hono'
import { deleteCookie, setCookie } from 'hono/cookie'
import { login } from './login'

const app = new Hono()

app.post('/login', async (c) => {
  const { session, redirectTo } = await login(await c.req.parseBody())
  setCookie(c, 'session', session.token, { path: '/', maxAge: 3600, sameSite: 'Lax' }) // expect: cookie-without-httponly, cookie-without-secure
  setCookie(c, 'last_page', redirectTo)
  return c.redirect(redirectTo)
})

app.post('/logout', (c) => {
  deleteCookie(c, 'session')
  return c.redirect('/')
})

export default app
