import type { Mail } from './mail'
import { signList } from './sign-list'

export function withUnsubscribe(mail: Mail, list: string, subscriber: string): Mail {
  const token = signList(list, subscriber)
  const address = `https://letters.example.com/unsubscribe?token=${token}`
  return {
    ...mail,
    headers: { ...mail.headers, 'List-Unsubscribe': `<${address}>`, 'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click' },
    text: `${mail.text}\n\nNo more of these: ${address}\n`,
  }
}
