import { NextResponse, type NextRequest } from 'next/server'
import { renew } from './lib/renew'

export async function middleware(request: NextRequest) {
  const current = request.cookies.get('jwt')?.value
  const response = NextResponse.next()
  if (current) {
    const jwt = await renew(current)
    response.cookies.set('jwt', jwt, { // expect: cookie-without-httponly, cookie-without-secure
      path: '/',
      sameSite: 'strict',
      maxAge: 900,
    })
  }
  response.cookies.set('pathname', request.nextUrl.pathname)
  return response
}
