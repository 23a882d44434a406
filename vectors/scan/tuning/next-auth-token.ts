import { decode, getToken } from 'next-auth/jwt'
import { NextResponse, type NextRequest } from 'next/server'

const secret = process.env.NEXTAUTH_SECRET!

export async function GET(request: NextRequest) {
  const token = await getToken({ req: request, secret })
  if (!token) return NextResponse.json({ signedIn: false })
  return NextResponse.json({ signedIn: true, id: token.sub })
}

export async function readSession(sealed: string) {
  return decode({ token: sealed, secret, salt: 'session' })
}
