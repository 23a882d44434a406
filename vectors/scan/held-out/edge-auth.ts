import { Hono } from 'hono'
import { setCookie } from 'hono/cookie'
import { exchange } from './exchange'

const auth = new Hono<{ Bindings: { CLIENT_SECRET: string } }>()

auth.get('/callback', async (c) => {
  const tokens = await exchange(c.req.query('code') ?? '', c.env.CLIENT_SECRET)
  setCookie(c, 'id_token', tokens.idToken) // expect: cookie-without-httponly, cookie-without-secure, cookie-without-samesite
  setCookie(c, 'refresh_token', tokens.refreshToken, { httpOnly: true, path: '/auth' }) // expect: cookie-without-secure, cookie-without-samesite
  setCookie(c, 'region', c.req.header('cf-ipcountry') ?? 'XX')
  return c.redirect('/')
})

export default auth
