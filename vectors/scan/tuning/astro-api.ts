import { serialize } from 'cookie'
import jwt from 'jsonwebtoken'

export async function POST({ request }: { request: Request }) {
  const { handoff } = await request.json()
  const { sub } = jwt.verify(handoff, process.env.HANDOFF_KEY!, { // expect: verify-without-issuer
    algorithms: ['HS256'],
    audience: 'site',
    ignoreExpiration: true, // expect: verify-without-expiry
  }) as { sub: string }
  const token = jwt.sign({ sub }, process.env.SITE_KEY!, { expiresIn: '10m' })
  return new Response(null, {
    status: 204,
    headers: { 'set-cookie': serialize('site_token', token, { secure: true, sameSite: 'lax' }) }, // expect: cookie-without-httponly
  })
}
