/**
 * Server components and server actions of Next.js. Each asks for itself: what a proxy (middleware) has let pass proves nothing, because
 * a request may have come by another way, and no header that it sets is looked at here.
 *
 * A component cannot set a cookie, so nothing is renewed here: who comes with a token that has expired is led through the sign-in page,
 * which renews it and leads back.
 */

import { headers } from 'next/headers.js'
import { redirect } from 'next/navigation.js'
import type { Auth } from './credential.js'
import type { Guard } from './guard.js'
import { authIn, entering, judgeAction } from './next_request.js'
import type { PageOptions } from './login.js'
import { problemOf } from './problem.js'
import { requirement, type Requirement } from './require.js'

/** What the page is, and what it asks for. */
export interface PageRequirement extends Requirement, PageOptions {
  /** The page's own path and query, to which the sign-in page leads back. Next.js does not tell a component. */
  readonly target: string
}

/**
 * Who is signed in, or `null`: nobody, or somebody whose token has to be renewed. For pages that everybody may see.
 *
 * Throws a `Problem` where a sign-in would not help, such as `verifier_stale`: nobody can tell at the moment.
 */
export async function auth(guard: Guard): Promise<Auth | null> {
  return authIn(guard, await headers())
}

/**
 * Who is signed in and meets the requirement. Everybody else is led to the sign-in page (`login`, default `/login`) and back, or, where
 * that would not help (`forbidden`, `verifier_stale`), gets the error page: a `Problem` is thrown.
 *
 * ```tsx
 * const { claims } = await requireAuth(guard, { target: '/statement', acr: 'aal2' })
 * ```
 */
export async function requireAuth(guard: Guard, { target, login = '/login', ...wanted }: PageRequirement): Promise<Auth> {
  const entry = await entering(wanted, login)(guard, await headers(), target)
  if ('location' in entry) redirect(entry.location)
  return entry.auth
}

/**
 * Who calls this server action. Throws a `Problem` unless a good token comes with it, from one of our own pages, by script: a form that
 * is sent without JavaScript carries no header, and what rests on a cookie needs one.
 */
export async function authOfAction(guard: Guard, wanted: Requirement = {}): Promise<Auth> {
  const check = requirement(wanted)
  try {
    const found = await judgeAction(guard, await headers())
    check(found)
    return found
  } catch (error) {
    throw problemOf(error) ?? error
  }
}
