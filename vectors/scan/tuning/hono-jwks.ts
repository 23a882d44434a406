import { Hono } from 'hono'
import { createMiddleware } from 'hono/factory'
import * as jose from 'jose'

const jwks = jose.createRemoteJWKSet(new URL('https://login.example.com/jwks'))

const authenticated = createMiddleware<{ Variables: { sub: string } }>(async (c, next) => {
  const token = c.req.header('authorization')?.slice('Bearer '.length)
  if (!token) return c.json({ error: 'unauthenticated' }, 401)
  const { payload } = await jose.jwtVerify(token, jwks, { // expect: verify-without-algorithms
    issuer: 'https://login.example.com/',
    audience: 'https://invoices.example.com',
  })
  c.set('sub', payload.sub!)
  await next()
})

export const invoices = new Hono().use(authenticated).get('/', (c) => c.json({ owner: c.get('sub'), items: [] }))
