import { decodeJwt } from 'jose'
import { cookies } from 'next/headers'
import { flagsOf } from '@/lib/flags'

export async function currentFlags() {
  const session = (await cookies()).get('session')?.value
  if (!session) return flagsOf('anonymous')
  const claims = decodeJwt<{ plan: string }>(session) // expect: decode-instead-of-verify
  return flagsOf(claims.plan)
}

export async function has(flag: string): Promise<boolean> {
  return (await currentFlags()).includes(flag)
}
