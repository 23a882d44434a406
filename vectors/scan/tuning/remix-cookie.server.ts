import { createCookieSessionStorage, redirect } from '@remix-run/node'

const storage = createCookieSessionStorage({
  cookie: {
    name: '__session',
    secrets: [process.env.SESSION_SECRET!],
    httpOnly: true,
    secure: process.env.NODE_ENV === 'production',
    sameSite: 'lax',
    path: '/',
  },
})

export async function signIn(userId: string, to: string) {
  const session = await storage.getSession()
  session.set('userId', userId)
  return redirect(to, { headers: { 'Set-Cookie': await storage.commitSession(session) } })
}
