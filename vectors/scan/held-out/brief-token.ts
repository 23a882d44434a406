import { sign } from 'jsonwebtoken'
import { readFileSync } from 'node:fs'

const privateKey = readFileSync(process.env.KEY_FILE!)

export interface Grant {
  subject: string
  scope: string[]
}

export function grantToken({ subject, scope }: Grant, audience: string): string {
  return sign({ scope: scope.join(' ') }, privateKey, {
    algorithm: 'ES256',
    subject,
    audience,
    issuer: 'grants',
    expiresIn: '300s',
  })
}
