import { Hono } from 'hono'
import { getCookie } from 'hono/cookie'
import { SignJWT, jwtVerify } from 'jose'

const refreshKey = new TextEncoder().encode(process.env.REFRESH_KEY)
const accessKey = new TextEncoder().encode(process.env.ACCESS_KEY)

export const tokens = new Hono()

tokens.post('/refresh-token', async (c) => { // expect: no-rotation
  const refreshToken = getCookie(c, 'refresh_token')
  if (!refreshToken) return c.json({ error: 'no refresh token' }, 401)
  const { payload } = await jwtVerify(refreshToken, refreshKey, {
    algorithms: ['HS256'],
    issuer: 'library',
    audience: 'library-refresh',
  })
  const accessToken = await new SignJWT({ sub: payload.sub })
    .setProtectedHeader({ alg: 'HS256' })
    .setExpirationTime('10 minutes')
    .sign(accessKey)
  return c.json({ accessToken })
})
