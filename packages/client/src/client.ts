/**
 * The client: who is signed in, and what changes it. Three rules keep an honest session alive:
 *   - only a 401 of the authority's own with a known code ends it; a lost network, a 429, a 5xx or a page of a proxy's never does;
 *   - sign-in, sign-out and refresh never run at once in one tab;
 *   - between tabs there are no locks: the server answers those that race.
 *
 * It is made of functions that share variables, not of classes: what is private is so by the language, and the whole stays small.
 */

import type { Body } from './answer.js'
import { createCall, isRenewable } from './calls.js'
import { type Channel, type Message, openChannel } from './channel.js'
import { type Clock, systemClock } from './clock.js'
import { createCredentials } from './credentials.js'
import { asAuthError, AuthError } from './error.js'
import { createPresence, identityOf } from './presence.js'
import { cookiesEnabled, createRenewing } from './renewing.js'
import { createTurns } from './turn.js'
import type { Client, ClientOptions, NextStep, SignInResult, State } from './types.js'
import { createWire, type Fetch } from './wire.js'

/** What a test puts in place of the browser's own. */
export interface Environment {
  readonly fetch?: Fetch
  readonly clock?: Clock
  /** `null` where there is none. */
  readonly channel?: Channel | null | undefined
}

/** A client of this page's. Nothing is asked before somebody asks it something. */
export function createClient(options: ClientOptions = {}, environment: Environment = {}): Client {
  const { clientId, profile = 'cookie', apis = [], grace = 30 } = options
  const opaque = profile === 'opaque'
  const hybrid = profile === 'hybrid'
  const page = globalThis.location?.origin
  // Spelled as browsers do it, and empty where it is the page's own.
  let authority = options.authority ? new URL(options.authority).origin : ''
  if (authority === page) authority = ''
  const {
    clock = systemClock,
    fetch = globalThis.fetch,
    channel = openChannel(authority),
  } = environment
  const tell = (type: Message['type'], expires_in?: unknown): void => channel?.postMessage({ type, expires_in })

  const credentials = createCredentials(clock, hybrid)
  const wire = createWire(authority, fetch, clock, credentials)
  const presence = createPresence()
  const turns = createTurns()
  const { renew, resting, adopt, end, out, changed, person, fail, well } = createRenewing({
    wire, clock, grace, credentials, presence, turns,
    renewed: (expiresIn) => tell('refreshed', expiresIn),
    again: () => retry(),
  })

  // Where there is nothing to renew, what the authority says to a question of its own decides.
  const revive = opaque ? session : renew
  const call: Fetch = createCall(fetch, {
    credentials, authority,
    apis: hybrid ? apis : [],
    isOut: presence.isOut,
    renew: revive,
  })

  // ---- Who is here --------------------------------------------------------------------------

  const me = (): Promise<Body> => wire('GET', '/api/auth/me')
  let reading: { readonly person: number, readonly done: Promise<State> } | undefined

  function session(): Promise<State> {
    // What was asked before somebody signed in or out says nothing of who is here now.
    if (reading?.person === person()) return reading.done
    const done = read().finally(() => {
      if (reading?.done === done) reading = undefined
    })
    reading = { person: person(), done }
    return done
  }

  async function read(): Promise<State> {
    const before = person()
    try {
      if (opaque || !credentials.due() ? resting() : !(await renewed(before))) return presence.state()
      const answer = await me().catch(async (caught: unknown) => {
        const error = asAuthError(caught)
        if (!isRenewable(error)) throw error
        return opaque ? end(error) : await renewed(before) ? me() : undefined
      })
      if (answer && before === person()) {
        presence.signedIn(answer)
        well()
      }
    } catch (error) {
      if (before === person()) fail(asAuthError(error))
    }
    return presence.state()
  }

  /** Whether it is of use to go on: where it failed, or the session is over, that is known already. */
  const renewed = (before: number): Promise<boolean> => renew(true).then(() => before === person(), (error) => !asAuthError(error))

  const refresh = async (): Promise<State> =>
    opaque || (await renewed(person())) && presence.state().status !== 'signed_in' ? session() : presence.state()

  // ---- What changes it ----------------------------------------------------------------------

  /** Something that brings tokens, where it succeeds: a sign-in, a step of one, or a fresh proof. */
  const change = (path: string, body: object): Promise<Body> => turns.take('change', async (signal) => {
    const since = clock.now()
    const answer = await wire('POST', path, { body, signal })
    if (answer['user']) changed()
    if (answer['expires_in']) adopt(answer, since)
    if (answer['user']) {
      // That nothing answers this question says nothing about the sign-in.
      const kept = cookiesEnabled() && await me().then(() => true, (error) => asAuthError(error).code !== 'token_missing')
      if (!kept) throw fail(new AuthError('token_missing'))
      tell('signed-in')
      presence.signedIn(answer)
    }
    return answer
  })

  async function signInBy(path: string, body: object): Promise<SignInResult> {
    const answer = await change(path, body)
    if (answer['next']) return { ...answer as unknown as NextStep, status: 'next' }
    return { ...identityOf(answer), status: 'signed_in', recovery_codes: answer['recovery_codes'] as string[] | undefined }
  }

  async function stepUpBy(path: string, body: object): Promise<void> {
    await change(path, body).catch(async (error: unknown) => {
      if (!isRenewable(asAuthError(error))) throw error
      await revive()
      return change(path, body)
    })
    // How strong the session is now stands in it.
    await session()
  }

  async function signOut({ everywhere }: { readonly everywhere?: boolean } = {}): Promise<void> {
    // Without a live token it would end nothing elsewhere.
    if (everywhere && (await revive(), presence.isOut())) throw new AuthError('session_revoked')
    await turns.take('change', async (signal) => {
      // The refresh cookie names the session even when the access token has run out.
      if (!everywhere && !opaque) await wire('DELETE', '/api/auth/refresh', { signal })
      await wire('POST', `/api/auth/logout${everywhere ? '-all' : ''}`, { signal })
      tell('signed-out')
      out('signed_out')
    })
  }

  // ---- Other tabs ---------------------------------------------------------------------------

  if (channel) channel.onmessage = ({ data }) => {
    const { type, expires_in } = Object(data) as Message
    // Cookies are everybody's; a token from a body is each tab's own.
    if (type === 'refreshed' && profile === 'cookie') credentials.adopt(expires_in, undefined, clock.now())
    if (type === 'signed-out') out('signed_out')
    if (type === 'signed-in') {
      changed()
      void session()
    }
  }

  /** Asks again, where somebody wants to know. */
  const retry = (): void => {
    if (presence.watched() && presence.state().status === 'unknown') void session()
  }
  globalThis.addEventListener?.('online', retry)

  return {
    authority, clientId,
    get state() {
      return presence.state()
    },
    subscribe: presence.subscribe,
    session, refresh, signInBy, stepUpBy, signOut,
    signIn: (credentials) => signInBy('/api/auth/login', { ...credentials, client_id: clientId }),
    fetch: call,
    close() {
      channel?.close()
      well()
      globalThis.removeEventListener?.('online', retry)
    },
  }
}
