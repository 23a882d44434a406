/** Requests of the Fetch API, on which Hono and Next.js stand. */

import type { RequestView } from './credential.js'

// `Headers` joins what stood twice with a comma, which none of these can hold by itself.
const SINGLE = new Set(['authorization', 'origin', 'sec-fetch-site'])

export function viewOfFetch(request: Request): RequestView {
  return {
    method: request.method,
    header(name) {
      const value = request.headers.get(name)
      if (value === null) return []
      return SINGLE.has(name) ? value.split(',').map((one) => one.trim()) : [value]
    },
  }
}
