/** Requests of the Fetch API, on which Hono and Next.js stand. */

import type { Auth, RequestView } from './credential.js'

// `Headers` joins what stood twice with a comma, which none of these can hold by itself.
const SINGLE = new Set(['authorization', 'dpop', 'origin', 'sec-fetch-mode', 'sec-fetch-site'])

export function viewOfFetch(request: Request): RequestView {
  const { pathname, search } = new URL(request.url)
  return { method: request.method, path: pathname, target: pathname + search, header: (name) => valuesOf(request.headers, name) }
}

/** Every value of a header, as far as `Headers` still tells. `name` in lower case. */
export function valuesOf(headers: Pick<Headers, 'get'>, name: string): readonly string[] {
  const value = headers.get(name)
  if (value === null) return []
  return SINGLE.has(name) ? value.split(',').map((one) => one.trim()) : [value]
}

/**
 * The response, with a body that breaks off when the token that opened it stops counting: for event streams and whatever else stays
 * open. What stands behind `endWith` for `node:http`.
 */
export function endingWith(auth: Auth, response: Response): Response {
  if (response.body === null) return response
  const over = new AbortController()
  const stop = auth.watch((why) => over.abort(why))
  const through = new TransformStream<Uint8Array, Uint8Array>({ flush: stop })
  // Whichever side ends it, nobody watches any longer.
  response.body.pipeTo(through.writable, { signal: over.signal }).catch(stop)
  return new Response(through.readable, response)
}
