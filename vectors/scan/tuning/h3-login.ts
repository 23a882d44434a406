import { defineEventHandler, readBody, setCookie } from 'h3'
import { signInWith } from '../sign-in'

export default defineEventHandler(async (event) => {
  const { email, password } = await readBody(event)
  const { token, displayMode } = await signInWith(email, password)
  setCookie(event, 'auth_token', token, { secure: true, maxAge: 60 * 60 }) // expect: cookie-without-httponly, cookie-without-samesite
  setCookie(event, 'display_mode', displayMode)
  return { signedIn: true }
})
