import { createError, defineEventHandler, readBody, setCookie } from 'h3'
import { accounts } from '~/server/accounts'

const options = { httpOnly: true, maxAge: 900, path: '/' }

export default defineEventHandler(async (event) => {
  const { mail, password } = await readBody<{ mail: string; password: string }>(event)
  const tokens = await accounts.signIn(mail, password)
  if (!tokens) throw createError({ statusCode: 401 })

  setCookie(event, 'access-token', tokens.access, options) // expect: cookie-without-secure, cookie-without-samesite
  setCookie(event, 'refresh-token', tokens.refresh, { ...options, secure: true, sameSite: 'strict' })
  return null
})
