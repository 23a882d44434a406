/** Fastify: hooks for `onRequest` that set `request.auth`, or answer with a problem. */

import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Auth } from './credential.js'
import type { Guard } from './guard.js'
import { answering, type PageOptions } from './login.js'
import { authenticateNode, viewOf } from './node.js'
import { problemOf } from './problem.js'
import { Refusal } from './refusal.js'
import { requirement, type Requirement } from './require.js'

declare module 'fastify' {
  interface FastifyRequest {
    auth?: Auth
  }
}

type Hook = (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply | undefined>

/** Lets only requests with a good token pass. */
export function authenticate(guard: Guard, pages: PageOptions = {}): Hook {
  return attempting(pages, async (request) => {
    request.auth = await authenticateNode(guard, request.raw)
  })
}

/** Lets only users pass who meet the requirement. Stands after {@link authenticate}. */
export function require(wanted: Requirement, pages: PageOptions = {}): Hook {
  const check = requirement(wanted)
  return attempting(pages, async (request) => {
    if (request.auth === undefined) throw new Refusal('missing')
    check(request.auth)
  })
}

function attempting(pages: PageOptions, judge: (request: FastifyRequest) => Promise<void>): Hook {
  const answerOf = answering(pages)
  return async (request, reply) => {
    try {
      await judge(request)
      return undefined
    } catch (error) {
      const problem = problemOf(error)
      if (problem === undefined) throw error
      const { status, headers, body } = answerOf(problem, viewOf(request.raw))
      return reply.code(status).headers(headers).send(body)
    }
  }
}
