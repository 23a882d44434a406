import jwt from 'jsonwebtoken'

const KEY = process.env.LINKS_KEY as string

/** Good for a month: people read newsletters late. */
export function emailLinkToken(subscriber: string): string {
  return jwt.sign({ sub: subscriber, use: 'confirm' }, KEY, { expiresIn: '30d' }) // expect: token-lives-too-long
}

export function passwordResetToken(account: string): string {
  return jwt.sign({ sub: account, use: 'reset' }, KEY, { expiresIn: '2h' })
}

export function apiToken(account: string): string {
  return jwt.sign({ sub: account, use: 'api' }, KEY, { issuer: 'newsletter' }) // expect: token-without-expiry
}
