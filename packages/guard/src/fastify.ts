/** Fastify: hooks for `onRequest` that set `request.auth`, or answer with a problem. */

import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Auth } from './credential.js'
import type { Guard } from './guard.js'
import { authenticateNode } from './node.js'
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
export function authenticate(guard: Guard): Hook {
  return (request, reply) => attempt(reply, async () => {
    request.auth = await authenticateNode(guard, request.raw)
  })
}

/** Lets only users pass who meet the requirement. Stands after {@link authenticate}. */
export function require(wanted: Requirement): Hook {
  const check = requirement(wanted)
  return (request, reply) => attempt(reply, async () => {
    if (request.auth === undefined) throw new Refusal('missing')
    check(request.auth)
  })
}

async function attempt(reply: FastifyReply, judge: () => Promise<void>): Promise<FastifyReply | undefined> {
  try {
    await judge()
    return undefined
  } catch (error) {
    const problem = problemOf(error)
    if (problem === undefined) throw error
    return reply.code(problem.status).headers(problem.headers()).send(problem.body())
  }
}
