/** Express (and Connect): sets `req.auth`, or answers with a problem. */

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Auth } from './credential.js'
import type { Guard } from './guard.js'
import { authenticateNode } from './node.js'
import { problemOf } from './problem.js'
import { Refusal } from './refusal.js'
import { requirement, type Requirement } from './require.js'

declare global {
  namespace Express {
    interface Request {
      auth?: Auth
    }
  }
}

type Handler = (req: IncomingMessage & { auth?: Auth }, res: ServerResponse, next: (error?: unknown) => void) => void

/** Lets only requests with a good token pass. */
export function authenticate(guard: Guard): Handler {
  return (req, res, next) => {
    authenticateNode(guard, req).then((auth) => {
      req.auth = auth
      next()
    }, (error: unknown) => answer(error, res, next))
  }
}

/** Lets only users pass who meet the requirement. Stands after {@link authenticate}. */
export function require(wanted: Requirement): Handler {
  const check = requirement(wanted)
  return (req, res, next) => {
    try {
      if (req.auth === undefined) throw new Refusal('missing')
      check(req.auth)
    } catch (error) {
      return answer(error, res, next)
    }
    next()
  }
}

function answer(error: unknown, res: ServerResponse, next: (error?: unknown) => void): void {
  const problem = problemOf(error)
  if (problem === undefined) return next(error)
  res.writeHead(problem.status, problem.headers()).end(problem.body())
}
