/** Questions to the authority as whoever is signed in, for what stands beside the client. */

import { type Body, bodyOf } from './answer.js'
import { AuthError } from './error.js'
import type { Client } from './types.js'

/** JSON there and back, renewing the tokens if need be. Rejects with an `AuthError`. */
export async function ask(client: Client, method: string, path: string, body?: object): Promise<Body> {
  const content = body ? { body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } } : {}
  const asked = client.fetch((client.authority || location.origin) + path, { method, cache: 'no-store', ...content })
  return bodyOf(await asked.catch((error: unknown) => {
    throw error instanceof AuthError ? error : new AuthError('unreachable')
  }))
}
