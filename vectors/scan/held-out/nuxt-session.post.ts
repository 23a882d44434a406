import { serialize } from 'cookie'
import { appendResponseHeader, defineEventHandler, readBody } from 'h3'
import { openSession } from '../sessions'

const attributes = { httpOnly: true, secure: true, sameSite: 'lax', path: '/' } as const

export default defineEventHandler(async (event) => {
  const session = await openSession(await readBody(event))
  appendResponseHeader(event, 'set-cookie', serialize('auth_token', session.token, attributes))
  appendResponseHeader(event, 'set-cookie', serialize('palette', session.palette, { path: '/' }))
  return { ok: true }
})
