/**
 * Next.js: route handlers, which get `request.auth`, and the proxy (middleware) before pages and routes. In the Node runtime with any
 * guard, on the edge with one of `@counterfoil/guard/edge`. Server components and actions: `next_page.ts`.
 */

import { type Auth, authenticate as judge, type RequestView } from './credential.js'
import { viewOfFetch } from './fetch.js'
import type { Guard } from './guard.js'
import { answering, type PageOptions } from './login.js'
import { withAction } from './next_request.js'
import { problemOf } from './problem.js'
import { requirement, type Requirement } from './require.js'

export { sharedGuard } from './shared_guard.js'

/** What a wrapped handler is given; Next passes a `NextRequest`, which the handler may say: `Authenticated<NextRequest>`. */
export type Authenticated<R extends Request = Request> = R & { readonly auth: Auth }

type RouteHandler<R extends Request, C> = (request: R, context: C) => Response | Promise<Response>

/**
 * Wraps a route handler: it sees only requests with a good token, of users who meet the requirement.
 *
 * ```ts
 * export const POST = authenticate(guard, { role: 'editor' }, async (request) => Response.json(request.auth.claims.sub))
 * ```
 */
export function authenticate<C, R extends Authenticated = Authenticated>(
  guard: Guard,
  wanted: Requirement,
  handler: RouteHandler<R, C>,
  pages: PageOptions = {},
): RouteHandler<Request, C> {
  const judgeRequest = judging(guard, wanted, pages)
  return async (request, context) => {
    const outcome = await judgeRequest(request)
    if (outcome instanceof Response) return outcome
    Object.defineProperty(request, 'auth', { value: outcome })
    return handler(request as R, context)
  }
}

/**
 * The proxy (`proxy.ts`; in the edge runtime `middleware.ts`): what its matcher names is refused to whoever has no good token, and
 * people are led to the sign-in page. It spares the pages behind it work, and is no lock: they ask again, for themselves.
 *
 * ```ts
 * export const proxy = protect(guard, {}, { login: '/login' })
 * export const config = { matcher: ['/statement/:path*', '/api/orders/:path*'] }
 * ```
 */
export function protect(guard: Guard, wanted: Requirement = {}, pages: PageOptions = {}): (request: Request) => Promise<Response | undefined> {
  const judgeRequest = judging(guard, wanted, pages, (request) => withAction(viewOfFetch(request)))
  return async (request) => {
    const outcome = await judgeRequest(request)
    // Without an answer of ours the request goes on.
    return outcome instanceof Response ? absolute(outcome, request) : undefined
  }
}

/** Who sends a request, or the answer that refuses it. */
function judging(
  guard: Guard,
  wanted: Requirement,
  pages: PageOptions,
  viewOf: (request: Request) => RequestView = viewOfFetch,
): (request: Request) => Promise<Auth | Response> {
  const check = requirement(wanted)
  const answerOf = answering(pages)
  return async (request) => {
    try {
      const auth = await judge(guard, viewOf(request))
      check(auth)
      return auth
    } catch (error) {
      const problem = problemOf(error)
      if (problem === undefined) throw error
      const { status, headers, body } = answerOf(problem, viewOf(request))
      return new Response(body, { status, headers })
    }
  }
}

/** From a proxy Next.js takes whole addresses only, and makes those of its own origin paths again. */
function absolute(answer: Response, request: Request): Response {
  const location = answer.headers.get('location')
  if (location !== null) answer.headers.set('location', new URL(location, request.url).href)
  return answer
}
