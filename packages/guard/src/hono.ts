/** Hono on Node: sets the variable `auth`, or answers with a problem. */

import type { MiddlewareHandler } from 'hono'
import { type Auth, authenticate as judge } from './credential.js'
import { viewOfFetch } from './fetch.js'
import type { Guard } from './guard.js'
import { answering, type PageOptions } from './login.js'
import { problemOf } from './problem.js'
import { Refusal } from './refusal.js'
import { requirement, type Requirement } from './require.js'

/** For `new Hono<Authenticated>()`: `c.get('auth')` has a type. */
export interface Authenticated {
  Variables: { auth: Auth }
}

/** Lets only requests with a good token pass. */
export function authenticate(guard: Guard, pages: PageOptions = {}): MiddlewareHandler<Authenticated> {
  const answer = answerer(pages)
  return async (c, next) => {
    try {
      c.set('auth', await judge(guard, viewOfFetch(c.req.raw)))
    } catch (error) {
      return answer(error, c.req.raw)
    }
    return next()
  }
}

/** Lets only users pass who meet the requirement. Stands after {@link authenticate}. */
export function require(wanted: Requirement, pages: PageOptions = {}): MiddlewareHandler<Authenticated> {
  const check = requirement(wanted)
  const answer = answerer(pages)
  return async (c, next) => {
    try {
      const auth = c.get('auth') as Auth | undefined
      if (auth === undefined) throw new Refusal('missing')
      check(auth)
    } catch (error) {
      return answer(error, c.req.raw)
    }
    return next()
  }
}

function answerer(pages: PageOptions): (error: unknown, request: Request) => Response {
  const answerOf = answering(pages)
  return (error, request) => {
    const problem = problemOf(error)
    if (problem === undefined) throw error
    const { status, headers, body } = answerOf(problem, viewOfFetch(request))
    return new Response(body, { status, headers })
  }
}
