import { Hono } from 'hono'
import jwt from 'jsonwebtoken'

type Bindings = { ACCESS_KEY: string; REFRESH_KEY: string }

const app = new Hono<{ Bindings: Bindings }>()
const refreshRules: jwt.VerifyOptions = { algorithms: ['HS512'], issuer: 'skipper', audience: 'skipper' }

app.get('/status', (c) => c.text('up'))

app.post('/v1/tokens/refresh', async (c) => { // expect: no-rotation
  const { refresh_token: refreshToken } = await c.req.json<{ refresh_token: string }>()
  const claims = jwt.verify(refreshToken, c.env.REFRESH_KEY, refreshRules) as jwt.JwtPayload
  return c.json({
    access_token: jwt.sign({ sub: claims.sub, boat: claims.boat }, c.env.ACCESS_KEY, { expiresIn: '300s' }),
    token_type: 'Bearer',
  })
})

export default app
