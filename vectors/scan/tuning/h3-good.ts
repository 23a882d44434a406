import { defineEventHandler, readBody, setCookie, createError } from 'h3'
import { signIn } from '../sign-in'

const isDevelopment = process.env.NODE_ENV === 'development'

export default defineEventHandler(async (event) => {
  const session = await signIn(await readBody(event))
  if (!session) throw createError({ statusCode: 401, statusMessage: 'wrong address or password' })
  setCookie(event, 'session_token', session.token, {
    httpOnly: true,
    secure: !isDevelopment,
    sameSite: 'lax',
    path: '/',
  })
  return { id: session.userId }
})
