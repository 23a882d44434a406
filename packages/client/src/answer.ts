/** Reads an answer of the authority's, and tells it from what a proxy, a captive portal or another server says. */

import { AuthError } from './error.js'

/** What an answer holds. */
export type Body = Readonly<Record<string, unknown>>

/** The body of a good answer; anything else rejects. Only what Counterfoil has said itself is believed. */
export async function bodyOf(response: Response): Promise<Body> {
  const { status, ok, headers } = response
  // There is nothing to say, but that it is done; a receipt says so in the same word.
  if (status === 204) return { effective: true }
  const body = await jsonOf(response)
  if (ok && body) return body
  // A number of seconds. A date is not taken: it would be compared with a clock of ours.
  throw new AuthError(body?.['code'], { status, problem: body, retryAfter: Number(headers.get('retry-after')) || undefined })
}

/** JSON where it says that it is JSON: a good answer's, or a problem's (RFC 9457). */
export async function jsonOf(response: Response): Promise<Body | undefined> {
  if (!response.headers.get('content-type')?.startsWith(`application/${response.ok ? '' : 'problem+'}json`)) return undefined
  const text = await response.text()
  try {
    return Object(JSON.parse(text)) as Body
  } catch {
    return undefined // cut off, or not JSON after all: whoever asks says that it is no answer of Counterfoil's
  }
}
