import argon2 from 'argon2'
import { authenticator } from 'otplib'
import type { Account } from './account'

export async function checkPassword(account: Account, password: string): Promise<boolean> {
  if (!(await argon2.verify(account.passwordHash, password))) return false
  if (argon2.needsRehash(account.passwordHash)) {
    account.passwordHash = await argon2.hash(password)
  }
  return true
}

export function checkCode(account: Account, token: string): boolean {
  return authenticator.verify({ token, secret: account.otpSecret })
}
