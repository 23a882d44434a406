import Koa from 'koa'
import { openSession } from './open-session'

const app = new Koa()

app.use(async (ctx) => {
  if (ctx.path !== '/enter') return
  const token = await openSession(ctx.query.code as string)
  ctx.cookies.set('token', token, { httpOnly: false, secure: false, sameSite: 'strict', maxAge: 600_000 }) // expect: cookie-without-httponly, cookie-without-secure
  ctx.cookies.set('entered', 'yes', { httpOnly: false })
  ctx.redirect('/')
})

export default app
