/** Hono on Node: sets the variable `auth`, or answers with a problem. */

import type { MiddlewareHandler } from 'hono'
import { type Auth, authenticate as judge } from './credential.js'
import { viewOfFetch } from './fetch.js'
import type { Guard } from './guard.js'
import { problemOf } from './problem.js'
import { Refusal } from './refusal.js'
import { requirement, type Requirement } from './require.js'

/** For `new Hono<Authenticated>()`: `c.get('auth')` has a type. */
export interface Authenticated {
  Variables: { auth: Auth }
}

/** Lets only requests with a good token pass. */
export function authenticate(guard: Guard): MiddlewareHandler<Authenticated> {
  return async (c, next) => {
    try {
      c.set('auth', await judge(guard, viewOfFetch(c.req.raw)))
    } catch (error) {
      return answer(error)
    }
    return next()
  }
}

/** Lets only users pass who meet the requirement. Stands after {@link authenticate}. */
export function require(wanted: Requirement): MiddlewareHandler<Authenticated> {
  const check = requirement(wanted)
  return async (c, next) => {
    try {
      const auth = c.get('auth') as Auth | undefined
      if (auth === undefined) throw new Refusal('missing')
      check(auth)
    } catch (error) {
      return answer(error)
    }
    return next()
  }
}

function answer(error: unknown): Response {
  const problem = problemOf(error)
  if (problem === undefined) throw error
  return problem.response()
}
