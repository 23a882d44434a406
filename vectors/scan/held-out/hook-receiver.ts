import { createHmac, createVerify, timingSafeEqual } from 'node:crypto'
import { Webhook } from 'svix'

export function fromMailer(body: string, headers: Record<string, string>) {
  return new Webhook(process.env.MAILER_HOOK!).verify(body, headers)
}

export function fromBank(body: string, signature: string, certificate: string): boolean {
  return createVerify('RSA-SHA256').update(body).verify(certificate, signature, 'base64')
}

export function fromChat(body: string, given: string): boolean {
  const expected = createHmac('sha256', process.env.CHAT_HOOK!).update(body).digest()
  return timingSafeEqual(expected, Buffer.from(given, 'hex'))
}
