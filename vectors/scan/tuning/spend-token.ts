import { db } from './db'
import { HttpError } from './errors'

/** One-time tokens of links in mails: each is good once. */
export async function spend(token: string, purpose: 'reset' | 'confirm'): Promise<string> {
  const row = await db
    .deleteFrom('one_time_tokens')
    .where('token_hash', '=', await digest(token))
    .where('purpose', '=', purpose)
    .returning(['account_id', 'expires_at'])
    .executeTakeFirst()
  if (!row || row.expires_at < new Date()) throw new HttpError(410, 'this link has been used or has run out')
  return row.account_id
}

async function digest(text: string): Promise<string> {
  const bytes = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))
  return Buffer.from(bytes).toString('hex')
}
