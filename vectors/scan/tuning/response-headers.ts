import { issueSession } from './sessions'

export async function onLogin(request: Request): Promise<Response> {
  const session = await issueSession(await request.formData())
  if (!session) return new Response('wrong password', { status: 401 })
  const headers = new Headers({ location: '/' })
  headers.append('Set-Cookie', `session_token=${session.token}; Path=/; SameSite=Lax`) // expect: cookie-without-httponly, cookie-without-secure
  headers.append('Set-Cookie', `units=${session.units}; Path=/`)
  return new Response(null, { status: 303, headers })
}
