import { createCookie, redirect } from '@remix-run/node'
import { exchange } from './exchange.server'

const sessionCookie = createCookie('session', {
  httpOnly: true,
  secure: true,
  sameSite: 'lax',
  secrets: [process.env.COOKIE_KEY as string],
})

export async function loader({ request }: { request: Request }) {
  const code = new URL(request.url).searchParams.get('code')
  const { sessionId } = await exchange(code ?? '')
  return redirect('/', { headers: { 'Set-Cookie': await sessionCookie.serialize(sessionId) } })
}
