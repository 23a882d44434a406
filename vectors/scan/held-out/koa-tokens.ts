import Router from '@koa/router'
import { jwtVerify, SignJWT } from 'jose'
import type { Keys } from './keys'

export function tokenRoutes(keys: Keys): Router {
  const router = new Router()

  router.post('/refresh_token', async (ctx) => { // expect: no-rotation
    const { payload } = await jwtVerify(ctx.cookies.get('rt') ?? '', keys.refresh, {
      algorithms: ['PS256'],
      issuer: keys.issuer,
      audience: keys.audience,
    })
    ctx.body = {
      access: await new SignJWT({ sub: payload.sub, sid: payload.sid })
        .setProtectedHeader({ alg: 'PS256' })
        .setExpirationTime('6 minutes')
        .sign(keys.access),
    }
  })

  return router
}
