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
  const { clock = systemClock, fetch = globalThis.fetch } = environment
  let { channel = openChannel(authority) } = environment
  const tell = (type: Message['type'], expires_in?: unknown): void => channel?.postMessage({ type, expires_in })

  const credentials = createCredentials(clock, hybrid)
  const wire = createWire(authority, fetch, clock, credentials)
  const presence = createPresence()
  const turns = createTurns()
  const { renew, tooEarly, adopt, end, out, changed, person, fail, well, close } = createRenewing(
    wire, clock, grace, credentials, presence, turns, tell, retry,
  )

  // Where there is nothing to renew, what the authority says to a question of its own decides.
  const revive = opaque ? () => ask(false) : renew
  const call: Fetch = createCall(fetch, credentials, authority, hybrid ? apis : [], presence.isOut, revive)

  // ---- Who is here --------------------------------------------------------------------------

  const me = (): Promise<Body> => wire('GET', '/api/auth/me')
  /** What is under way, by `person`: what was asked before somebody signed in or out says nothing of who is here now. */
  const readings: Record<number, Promise<void>> = {}

  /** Rejects where that was asked in vain, or it is too early to ask again. */
  async function ask(pressed: unknown): Promise<void> {
    if (tooEarly(pressed)) throw tooEarly(pressed)
    const before = person()
    return readings[before] ??= read(before).finally(() => {
      delete readings[before]
    })
  }

  const session = (pressed: unknown = true): Promise<State> => ask(pressed).catch(asAuthError).then(presence.state)

  async function read(before: number): Promise<void> {
    if (credentials.due() && !(await renewed(before))) return
    try {
      const answer = await me().catch(async (caught: unknown) => {
        if (!isRenewable(asAuthError(caught))) throw caught
        return before !== person() ? undefined : opaque ? end(caught as AuthError) : await renewed(before) ? me() : undefined
      })
      if (answer && before === person()) {
        presence.signedIn(answer)
        well()
      }
    } catch (error) {
      if (before === person()) throw fail(asAuthError(error))
    }
  }

  /** Whether it is of use to go on: where it failed, or the session is over, that is known already. */
  const renewed = (before: number): Promise<boolean> => renew(true).then(() => before === person(), (error) => !asAuthError(error))

  const refresh = async (): Promise<State> =>
    opaque || (await renewed(person())) && presence.state().status !== 'signed_in' ? session() : presence.state()

  // ---- What changes it ----------------------------------------------------------------------

  /** Something that brings tokens, where it succeeds: a sign-in, a step of one, or a fresh proof. */
  const change = (path: string, body: object): Promise<Body> => turns.take(async (signal) => {
    const since = clock.now()
    const answer = await wire('POST', path, signal, body)
    if (answer['user']) changed(!answer['access_token'])
    // Nothing can be done ahead of the end of what is not renewed.
    if (answer['expires_in'] && !opaque) adopt(answer, since)
    if (answer['user']) {
      if (!cookiesEnabled()) throw fail(new AuthError('token_missing'))
      // That nothing answers this question says nothing about the sign-in.
      await me().catch((error: unknown) => {
        if (asAuthError(error).code === 'token_missing') throw fail(error as AuthError)
      })
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
    await turns.take(async (signal) => {
      const finish = async (method: string, path: string): Promise<void> => {
        if (!(await wire(method, path, signal))['effective']) throw new AuthError()
      }
      // The refresh cookie names the session even when the access token has run out.
      if (!everywhere && !opaque) await finish('DELETE', '/api/auth/refresh')
      await finish('POST', `/api/auth/logout${everywhere ? '-all' : ''}`)
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

  /** Asks again, where somebody wants to know. By itself it does so when it is time; `pressed` as for `tooEarly`. */
  function retry(pressed?: unknown): void {
    if (presence.wanted()) void session(pressed)
  }
  globalThis.addEventListener?.('online', retry)

  return {
    authority, clientId, apis,
    get state() {
      return presence.state()
    },
    subscribe(listener) {
      const stop = presence.subscribe(listener)
      // When it was time to ask again, nobody may have been there to hear of it.
      retry(false)
      return stop
    },
    session, refresh, signInBy, stepUpBy, signOut,
    signIn: (credentials) => signInBy('/api/auth/login', { ...credentials, client_id: clientId }),
    fetch: call,
    close() {
      channel?.close()
      channel = undefined
      close()
      globalThis.removeEventListener?.('online', retry)
    },
  }
}
