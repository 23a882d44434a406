/** Who a token speaks for: a user, or a service of its own (SEC-4.15, ATK-26). The two are written so that no text is both. */

import { isId } from './id.js'
import { membersOf } from './json.js'

/** Whose tokens are believed. What serves people must not take a service for one. */
export type Subjects = 'users' | 'clients' | 'both'

/** Who acts for the subject, and before it who acted for that (RFC 8693 section 4.1). Only the outermost may be decided by. */
export interface Actor {
  /** Who. */
  readonly sub: string
  /** On which session; for a service, the one that stands as long as its credential does. */
  readonly sid: string
  /** Who had acted before. */
  readonly act?: Actor
}

/** How many actors may stand behind one another. */
export const MAX_ACTORS: number = 4

// No id holds a colon.
const CLIENT = /^client:[A-Za-z0-9._-]{1,64}$/

/** Whether the text names a service: `client:` and its name. */
export function isClient(text: unknown): text is string {
  return typeof text === 'string' && CLIENT.test(text)
}

/** Whether the text may stand in `sub`. */
export function isSubject(text: unknown): text is string {
  return isId(text) || isClient(text)
}

/** Whether a subject of this kind is served. */
export function allows(subjects: Subjects, sub: string): boolean {
  return subjects === 'both' || subjects === (isClient(sub) ? 'clients' : 'users')
}

/**
 * An `act` claim, frozen; `undefined` for anything that is not exactly such a chain. Takes an object of either reader: a token's,
 * and that of introspection.
 */
export function readActor(value: unknown, most: number = MAX_ACTORS): Actor | undefined {
  const members = membersOf(value)
  const [sub, sid] = [members?.get('sub'), members?.get('sid')]
  if (members === undefined || most === 0 || !isSubject(sub) || !isId(sid)) return undefined
  if (!members.has('act')) return members.size === 2 ? Object.freeze({ sub, sid }) : undefined
  const act = readActor(members.get('act'), most - 1)
  return act !== undefined && members.size === 3 ? Object.freeze({ sub, sid, act }) : undefined
}

/** The sessions of everybody in the chain. */
export function* sessionsOf(actor: Actor | undefined): Generator<string> {
  for (let one = actor; one !== undefined; one = one.act) yield one.sid
}
