/** The move from another system: its token, which a page has kept in its storage, is turned into a session, and taken out of the storage. */

import { AuthError, type Cause } from './error.js'
import type { Client, SignedIn, SignInResult } from './types.js'

export interface ExchangeOptions {
  /** False: for two hours unused, or until the browser is closed. */
  readonly remember?: boolean
}

/**
 * Turns an old token into a session. Rejects with an `AuthError`: `legacy_token_invalid` (401), `legacy_token_used` (409), `legacy_closed`
 * (410); what is `temporary` says nothing about the token.
 */
export function exchange(client: Client, legacyToken: string, { remember }: ExchangeOptions = {}): Promise<SignInResult> {
  return client.signInBy('/api/auth/legacy', { token: legacyToken, client_id: client.clientId, remember })
}

export interface TakeOverOptions extends ExchangeOptions {
  /** Where the old token is: `localStorage`, `sessionStorage`, or what is like them. */
  readonly storage: Pick<Storage, 'getItem' | 'removeItem'>
  readonly key: string
  /** Gets the token out of what stands there, where that is more than the token. */
  readonly read?: (stored: string) => string | undefined
}

/** What became of it. */
export type TakeOver =
  /** There was no old token. */
  | { readonly status: 'nothing' }
  /** Somebody is signed in, by it or already; the old token is gone. */
  | SignedIn
  /** A further step is needed (`next`); the old token stays until then. */
  | Extract<SignInResult, { status: 'next' }>
  /** The old token counts no more and is gone: the person has to sign in. */
  | { readonly status: 'refused', readonly code: string }
  /** Not known; the old token stays for the next time. */
  | { readonly status: 'later', readonly cause: Cause, readonly message: string }

/**
 * To be called when the page starts, before it asks who is signed in. The old token is taken away only once there is a session in its place,
 * or the authority has said that it counts no more; after a lost answer or a failure it stays. Never rejects for what the network does.
 */
export async function takeOver(client: Client, options: TakeOverOptions): Promise<TakeOver> {
  const { storage, key, read = (stored) => stored } = options
  waiting.get(client)?.()
  const stored = storage.getItem(key)
  if (stored === null) return { status: 'nothing' }
  const remove = (): void => {
    // Another may have been put there meanwhile, by a page of before.
    if (storage.getItem(key) === stored) storage.removeItem(key)
  }
  const outcome = await outcomeOf(client, read(stored), options)
  if (outcome.status === 'signed_in' || outcome.status === 'refused') remove()
  else removeOnceSignedIn(client, remove)
  return outcome
}

async function outcomeOf(client: Client, token: string | undefined, options: ExchangeOptions): Promise<TakeOver> {
  if (!token) return { status: 'refused', code: 'legacy_token_invalid' }
  try {
    // Another tab may have done it, or the person has signed in since.
    const known = await client.session()
    return known.status === 'signed_in' ? known : await exchange(client, token, options)
  } catch (error) {
    if (!(error instanceof AuthError)) throw error
    return afterRefusal(client, error)
  }
}

async function afterRefusal(client: Client, { code, kind, message }: AuthError): Promise<TakeOver> {
  if (code === 'legacy_token_invalid' || code === 'legacy_closed') return { status: 'refused', code }
  if (code === 'legacy_token_used') {
    // By another tab, whose cookies are there; or long ago, and then it opens nothing any more.
    const state = await client.refresh()
    if (state.status === 'signed_in') return state
    return state.status === 'signed_out' ? { status: 'refused', code } : { status: 'later', cause: state.cause, message: state.message }
  }
  return { status: 'later', cause: kind, message }
}

/** What waits for a sign-in. The next attempt takes its place: as long as it waits, the client has somebody to ask for. */
const waiting = new WeakMap<Client, () => void>()

/** Whoever has signed in by other means must not be signed in again by the old token after signing out. */
function removeOnceSignedIn(client: Client, remove: () => void): void {
  const stop = client.subscribe(({ status }) => {
    if (status !== 'signed_in') return
    stop()
    remove()
  })
  waiting.set(client, stop)
}
