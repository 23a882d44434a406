import { cookies } from 'next/headers'
import { NextResponse } from 'next/server'
import { openSession } from '@/server/sessions'

export async function POST(request: Request) {
  const session = await openSession(await request.formData())
  const store = await cookies()
  store.set({
    name: '__Host-session',
    value: session.token,
    httpOnly: true,
    secure: true,
    sameSite: 'lax',
    path: '/',
  })
  store.set('sidebar', 'open')
  return NextResponse.redirect(new URL('/', request.url), 303)
}
