/** Requests as Next.js shows them to a server component and a server action: their headers, without method and address. */

import { type Auth, authenticate as judge, type RequestView } from './credential.js'
import { valuesOf } from './fetch.js'
import type { Guard } from './guard.js'
import { LoginPage } from './login.js'
import { problemOf } from './problem.js'
import { Refusal } from './refusal.js'
import { requirement, type Requirement } from './require.js'

/** What `headers()` of `next/headers` gives. */
export type RequestHeaders = Pick<Headers, 'get'>

/** What no form and no link can set, and what only Next.js itself sets on the request of a server action. */
const ACTION = 'next-action'

/**
 * The same request, on which the header of a server action counts as `X-Requested-With`: scripts of other origins can send neither
 * without being asked about it first.
 */
export function withAction(view: RequestView): RequestView {
  return { ...view, header: (name) => [...view.header(name), ...(name === 'x-requested-with' ? view.header(ACTION) : [])] }
}

/** A page that is rendered: it changes nothing, whatever request led to it. */
export async function judgePage(guard: Guard, headers: RequestHeaders): Promise<Auth> {
  return judgeHeaders(guard, headers, 'GET')
}

/** A server action, which changes something: C1 applies as to any POST. */
export async function judgeAction(guard: Guard, headers: RequestHeaders): Promise<Auth> {
  return judgeHeaders(guard, headers, 'POST')
}

async function judgeHeaders(guard: Guard, headers: RequestHeaders, method: string): Promise<Auth> {
  const view = withAction({ method, path: '/', header: (name) => valuesOf(headers, name) })
  // A proof is for an address, and nobody tells a component its own: it could only be guessed.
  if (view.header('dpop').length > 0) throw new Refusal('bad_proof')
  return judge(guard, view)
}

/** Who is signed in, or `null` where a sign-in or a refresh is wanting. Throws where neither would help. */
export async function authIn(guard: Guard, headers: RequestHeaders): Promise<Auth | null> {
  try {
    return await judgePage(guard, headers)
  } catch (error) {
    if (problemOf(error)?.status === 401) return null
    throw problemOf(error) ?? error
  }
}

/** Who is signed in, or where to lead. */
export type Entry = { readonly auth: Auth } | { readonly location: string }

/** What a page does that needs somebody: made when the page is, so that a wrong option is noticed then. */
export function entering(wanted: Requirement, login: string): (guard: Guard, headers: RequestHeaders, target: string) => Promise<Entry> {
  const check = requirement(wanted)
  const page = new LoginPage(login)
  return async (guard, headers, target) => {
    try {
      const auth = await judgePage(guard, headers)
      check(auth)
      return { auth }
    } catch (error) {
      const problem = problemOf(error)
      if (problem === undefined) throw error
      const location = page.location({ method: 'GET', fetchMode: 'navigate', target }, problem)
      if (location === undefined) throw problem
      return { location }
    }
  }
}
