import { NextResponse } from 'next/server'
import { verifyCode } from '@/lib/codes'

export async function POST(request: Request) {
  const { code } = await request.json()
  const token = await verifyCode(code)
  if (!token) return NextResponse.json({ error: 'wrong code' }, { status: 401 })

  const response = NextResponse.json({ ok: true })
  response.cookies.set({ // expect: cookie-without-httponly, cookie-without-samesite
    name: 'auth-token',
    value: token,
    secure: process.env.NODE_ENV === 'production',
    path: '/',
  })
  response.cookies.set('country', 'NL')
  return response
}
