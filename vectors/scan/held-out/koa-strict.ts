import type { Context } from 'koa'
import { beginSession } from './sessions'

export async function enter(ctx: Context): Promise<void> {
  const { refreshToken, layout } = await beginSession(ctx.request.body)
  ctx.cookies.set('refresh_token', refreshToken, {
    path: '/refresh',
    secure: true,
    sameSite: 'strict',
    overwrite: true,
  })
  ctx.cookies.set('layout', layout, { httpOnly: false })
  ctx.status = 204
}
