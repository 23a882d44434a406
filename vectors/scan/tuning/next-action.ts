'use server'

import { cookies } from 'next/headers'
import { redirect } from 'next/navigation'
import { api } from '@/lib/api'

export async function signIn(_: unknown, form: FormData) {
  const answer = await api.post('/sign-in', Object.fromEntries(form))
  if (!answer.ok) return { error: 'Wrong address or password.' }

  const jar = await cookies()
  jar.set('access_token', answer.accessToken, { secure: true, sameSite: 'lax', maxAge: 600 }) // expect: cookie-without-httponly
  jar.set('refresh_token', answer.refreshToken, { httpOnly: true, secure: true, sameSite: 'strict' })
  jar.set('theme', 'dark')
  redirect('/')
}
