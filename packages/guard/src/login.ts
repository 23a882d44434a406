/**
 * Where a person is led whose page was refused: to the authority's sign-in page on this host, and back. Programs get their challenge; only
 * whoever looks at a page can do something with another page.
 */

import type { RequestView } from './credential.js'
import type { Problem } from './problem.js'

/** What an adapter does for people, beside answering programs. */
export interface PageOptions {
  /** The authority's sign-in page, by its path on this host, such as `/login`. Without it every refusal is a problem. */
  readonly login?: string
}

/** A request, as far as it says whether a person waits for a page. */
export interface Navigation {
  readonly method: string
  /** `Sec-Fetch-Mode`, which no script can set. */
  readonly fetchMode: string | undefined
  /** Path and query, as the client has sent them. */
  readonly target: string
}

/** What is answered: a problem, or the way to the sign-in page. */
export interface Answer {
  readonly status: number
  readonly headers: Record<string, string>
  readonly body: string
}

/** What a refresh or a sign-in may mend. */
const MENDABLE: ReadonlySet<string> = new Set([
  'token_missing', 'token_expired', 'token_invalid', 'token_stale', 'session_revoked', 'reauthentication_required',
])

/**
 * A path that no browser can read as another host: `/…` of printable ASCII, in which the second character is neither `/` nor `\` and no
 * backslash stands anywhere (ATK-40).
 */
export function isLocalPath(text: string): boolean {
  return /^\/(?!\/)[\x21-\x5b\x5d-\x7e]{0,2047}$/.test(text)
}

/** The authority's sign-in page: the cookie that counts here is of this host, and so is the page that renews it. */
export class LoginPage {
  readonly #path: string

  constructor(path: string) {
    if (!isLocalPath(path) || /[?#]/.test(path)) {
      throw new TypeError('login must be the path of the sign-in page on this host, such as /login')
    }
    this.#path = path
  }

  /** Where to lead, if a person waits for a page: GET, and a navigation. It leads back where the target is a path of this host. */
  location({ method, fetchMode, target }: Navigation, { code, acr }: Pick<Problem, 'code' | 'acr'>): string | undefined {
    if (method !== 'GET' || fetchMode !== 'navigate' || !MENDABLE.has(code)) return undefined
    const query = isLocalPath(target) ? [`redirect=${encoded(target)}`] : []
    if (code === 'reauthentication_required') {
      query.push('ended=reauthenticate')
      if (acr !== undefined) query.push(`acr_values=${encoded(acr)}`)
    }
    return query.length === 0 ? this.#path : `${this.#path}?${query.join('&')}`
  }
}

/** What an adapter answers with: made when the route is made, so that a wrong option is noticed then. */
export function answering({ login }: PageOptions): (problem: Problem, request: RequestView) => Answer {
  const page = login === undefined ? undefined : new LoginPage(login)
  return (problem, request) => {
    const [fetchMode, second] = request.header('sec-fetch-mode')
    const navigation = {
      method: request.method, fetchMode: second === undefined ? fetchMode : undefined, target: request.target ?? request.path,
    }
    const location = page?.location(navigation, problem)
    if (location !== undefined) return { status: 303, headers: { location, 'cache-control': 'no-store' }, body: '' }
    return { status: problem.status, headers: problem.headers(), body: problem.body() }
  }
}

function encoded(text: string): string {
  return text.replace(/[^A-Za-z0-9\-._~/]/g, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`)
}
