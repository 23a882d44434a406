/** Express (and Connect): sets `req.auth`, or answers with a problem. */

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Auth } from './credential.js'
import type { Guard } from './guard.js'
import { answering, type PageOptions } from './login.js'
import { authenticateNode, viewOf } from './node.js'
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
export function authenticate(guard: Guard, pages: PageOptions = {}): Handler {
  const answer = answerer(pages)
  return (req, res, next) => {
    authenticateNode(guard, req).then((auth) => {
      req.auth = auth
      next()
    }, (error: unknown) => answer(error, req, res, next))
  }
}

/** Lets only users pass who meet the requirement. Stands after {@link authenticate}. */
export function require(wanted: Requirement, pages: PageOptions = {}): Handler {
  const check = requirement(wanted)
  const answer = answerer(pages)
  return (req, res, next) => {
    try {
      if (req.auth === undefined) throw new Refusal('missing')
      check(req.auth)
    } catch (error) {
      return answer(error, req, res, next)
    }
    next()
  }
}

type Answer = (error: unknown, req: IncomingMessage, res: ServerResponse, next: (error?: unknown) => void) => void

function answerer(pages: PageOptions): Answer {
  const answerOf = answering(pages)
  return (error, req, res, next) => {
    const problem = problemOf(error)
    if (problem === undefined) return next(error)
    const { status, headers, body } = answerOf(problem, viewOf(req))
    res.writeHead(status, headers).end(body)
  }
}
