/** What the client takes and gives. */

import type { Cause, Problem } from './error.js'

/** An account. */
export interface User {
  readonly id: string
  readonly email: string
  readonly name?: string | null
  readonly roles: readonly string[]
  readonly created_at: string
}

/** A session: one sign-in on one device. Times are the server's, RFC 3339. */
export interface Session {
  readonly id: string
  readonly application: string
  readonly created_at: string
  readonly last_seen_at: string
  readonly expires_at: string
  readonly acr: string
  readonly amr: readonly string[]
  readonly device: string
  readonly network: string
  readonly current: boolean
  readonly [more: string]: unknown
}

/** Who is signed in, and in which session. */
export interface Identity {
  readonly user: User
  readonly session: Session
}

/** Why a session is over. A newer server may know others. */
export type Reason =
  | 'signed_out'
  | 'expired'
  | 'ended_by_you'
  | 'ended_by_admin'
  | 'password_changed'
  | 'suspected_theft'
  | 'session_limit'
  | 'deleted'
  | (string & {})

export interface SignedIn extends Identity {
  readonly status: 'signed_in'
}

/** Nobody is signed in: the authority has said so. */
export interface SignedOut {
  readonly status: 'signed_out'
  /** Why the session is over; none where there was none, or where the server gives none. */
  readonly reason: Reason | undefined
}

/** It cannot be told at the moment. Nobody has been signed out by it. */
export interface Unknown {
  readonly status: 'unknown'
  readonly cause: Cause
  /** The cause in words for a person. */
  readonly message: string
  /** Who was signed in when it was last known: a page can go on showing it. */
  readonly last: Identity | undefined
  /** In how many seconds the server wants to hear of it again. */
  readonly retryAfter: number | undefined
  /** What the authority has said; with the cause `reauthentication_required`, `challengeIn` of `@counterfoil/client/step-up` reads what would be enough. */
  readonly problem: Problem | undefined
}

export type State = SignedIn | SignedOut | Unknown

/** How the application receives tokens; the same word as in the server's configuration. */
export type Profile = 'cookie' | 'hybrid' | 'opaque'

/** An address and its password. */
export interface PasswordSignIn {
  readonly email: string
  readonly password: string
  /** False: for two hours unused, or until the browser is closed. */
  readonly remember?: boolean
}

/**
 * A sign-in that needs one more step: `verify` and `enrolTotp` of `@counterfoil/client/step-up` go on with a code, those of
 * `@counterfoil/client/passkeys` with a passkey.
 */
export interface NextStep {
  readonly status: 'next'
  /** The best next step: `passkey`, `totp`, `recovery_code`, `mail`; or `enrol`: one of `options` has to be set up first. */
  readonly next: string
  /** All that would do, the best first. */
  readonly options: readonly string[]
  /** Shown this once, where an authenticator app was set up on the way. */
  readonly recovery_codes?: readonly string[] | undefined
}

/** Somebody is signed in. */
export interface Arrived extends SignedIn {
  /** Shown this once, where an authenticator app was set up on the way. */
  readonly recovery_codes?: readonly string[] | undefined
}

export type SignInResult = Arrived | NextStep

export interface ClientOptions {
  /** The authority's origin, `https://auth.example.com`; not given, it is the page's own. */
  readonly authority?: string
  /** The application, as the configuration names it; not given, it is the one for which no name is needed (`web`). */
  readonly clientId?: string
  /** Default: `cookie`. */
  readonly profile?: Profile
  /** With `hybrid`: the origins that get the access token, beside the authority. No other ever does. */
  readonly apis?: readonly string[]
  /** The server's `rotation_grace` in seconds, if it is not 30. */
  readonly grace?: number
}

/** A client for one authority. Make one per page and share it. */
export interface Client {
  /** The authority's origin; empty where it is the page's own. */
  readonly authority: string
  readonly clientId: string | undefined
  /** The further origins that were given. */
  readonly apis: readonly string[]
  /** What is known at the moment. */
  readonly state: State
  /** Calls back with each new state, until the function that it gives is called. */
  subscribe(listener: (state: State) => void): () => void
  /** Asks the authority who is signed in, renewing the tokens if need be. Never rejects: a state says what is not known, and why. */
  session(): Promise<State>
  /** Renews the tokens now, whatever is known of them. Callers at the same time share one renewal. Never rejects. */
  refresh(): Promise<State>
  /** Signs in by a password. Rejects with an `AuthError`: `invalid_credentials`, `rate_limited`, `unreachable`, `cookies_blocked`, … */
  signIn(credentials: PasswordSignIn): Promise<SignInResult>
  /** Signs out here, or on every device. Rejects if it is not certain: then nobody is signed out. */
  signOut(options?: { readonly everywhere?: boolean }): Promise<void>
  /**
   * `fetch`. To the page's own origin, the authority and `apis` it adds what they want to see, renews tokens ahead of their end, and after a
   * refusal that a renewal may cure renews once and sends once more. To other origins it is `fetch` and nothing else.
   */
  fetch(input: RequestInfo | URL, init?: RequestInit): Promise<Response>
  /** A sign-in by another of the authority's addresses, or a step of one. */
  signInBy(path: string, body: object): Promise<SignInResult>
  /** A fresh proof of who is signed in, by one of the addresses under `/api/auth/step-up/`. The session goes on with new tokens. */
  stepUpBy(path: string, body: object): Promise<void>
  /** Hears other tabs and tells them nothing any more, and asks nothing by itself. */
  close(): void
}
