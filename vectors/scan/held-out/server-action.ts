'use server'

import { cookies } from 'next/headers'
import { backend } from './backend'

const options = { httpOnly: true, secure: true, sameSite: 'lax' as const, path: '/' }

export async function verifyCode(code: string) {
  const { accessToken, expiresIn } = await backend.verify(code)
  const jar = await cookies()
  jar.set('access_token', accessToken, { ...options, maxAge: expiresIn })
  jar.set('onboarding', 'done')
}

export async function dismissTour() {
  ;(await cookies()).set('tour', 'dismissed', { maxAge: 31_536_000 })
}
