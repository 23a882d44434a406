import { NextResponse, type NextRequest } from 'next/server'
import { jwtVerify } from 'jose'

const key = new TextEncoder().encode(process.env.AUTH_SECRET)

export async function middleware(request: NextRequest) {
  const session = request.cookies.get('session')?.value
  if (!session) return NextResponse.redirect(new URL('/login', request.url))
  try {
    const { payload } = await jwtVerify(session, key) // expect: verify-without-algorithms, verify-without-issuer, verify-without-audience
    const headers = new Headers(request.headers)
    headers.set('x-user-id', String(payload.sub))
    return NextResponse.next({ request: { headers } })
  } catch {
    return NextResponse.redirect(new URL('/login', request.url))
  }
}

export const config = { matcher: ['/dashboard/:path*'] }
