import type { Context, Next } from 'koa'
import jwt from 'jsonwebtoken'

interface Claims {
  sub: string
  plan: 'free' | 'paid'
}

export async function user(ctx: Context, next: Next) {
  const token = ctx.cookies.get('access')
  if (token) {
    ctx.state.user = jwt.decode(token) as Claims // expect: decode-instead-of-verify
  }
  await next()
}

export async function paidOnly(ctx: Context, next: Next) {
  ctx.assert(ctx.state.user?.plan === 'paid', 402)
  await next()
}
