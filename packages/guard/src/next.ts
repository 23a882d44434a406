/** Next.js route handlers in the Node runtime: sets `request.auth`, or answers with a problem. */

import { type Auth, authenticate as judge } from './credential.js'
import { viewOfFetch } from './fetch.js'
import type { Guard } from './guard.js'
import { answering, type PageOptions } from './login.js'
import { problemOf } from './problem.js'
import { requirement, type Requirement } from './require.js'

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
  const check = requirement(wanted)
  const answerOf = answering(pages)
  return async (request, context) => {
    let auth: Auth
    try {
      auth = await judge(guard, viewOfFetch(request))
      check(auth)
    } catch (error) {
      const problem = problemOf(error)
      if (problem === undefined) throw error
      const { status, headers, body } = answerOf(problem, viewOfFetch(request))
      return new Response(body, { status, headers })
    }
    Object.defineProperty(request, 'auth', { value: auth })
    return handler(request as R, context)
  }
}
