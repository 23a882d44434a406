import { cookies } from 'next/headers'
import { NextResponse } from 'next/server'
import { backend } from '@/backend'

const SESSION_COOKIE = 'session_token'

export async function POST(request: Request) {
  const { session, locale } = await backend.open(await request.json())
  cookies().set(SESSION_COOKIE, session.token, { httpOnly: true, secure: true, expires: session.expires }) // expect: cookie-without-samesite
  cookies().set('NEXT_LOCALE', locale, { path: '/' })
  return NextResponse.json({ ok: true })
}

export async function DELETE() {
  cookies().delete(SESSION_COOKIE)
  return new NextResponse(null, { status: 204 })
}
