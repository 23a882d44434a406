/** Passkeys: signing in by one, also from the autofill of a field, adding one, and proving by one who is signed in. */

import type { Body } from './answer.js'
import { ask } from './ask.js'
import { AuthError } from './error.js'
import type { Client, SignInResult } from './types.js'

export interface PasskeyOptions {
  /** Ends the browser's question. */
  readonly signal?: AbortSignal
}

export interface PasskeySignInOptions extends PasskeyOptions {
  /** Waits in the autofill of a field with `autocomplete="username webauthn"` until one is picked. */
  readonly autofill?: boolean
  /** False: for two hours unused, or until the browser is closed. */
  readonly remember?: boolean
  /** Whether it is the next step of a sign-in that has begun. */
  readonly step?: boolean
}

/** Whether this browser can make and use passkeys. */
export function passkeysSupported(): boolean {
  return typeof globalThis.PublicKeyCredential?.parseRequestOptionsFromJSON === 'function'
}

/** Whether passkeys can be offered in the autofill of a field. */
export async function autofillSupported(): Promise<boolean> {
  return passkeysSupported() && await PublicKeyCredential.isConditionalMediationAvailable?.() === true
}

/**
 * Signs in by a passkey. Rejects with an `AuthError`: `passkey_cancelled` (the person turned back, or has none here), `aborted`,
 * `passkey_unknown` (it has been removed; the password manager is told so), `passkey_unsupported`, or what `signIn` rejects with.
 */
export async function signInWithPasskey(client: Client, options: PasskeySignInOptions = {}): Promise<SignInResult> {
  const { signal, autofill = false, remember, step = false } = options
  // Named, so that it is not taken for the next step of a sign-in that somebody has begun and left.
  const offered = await ask(client, 'POST', '/api/auth/passkeys/login/start', step ? {} : { client_id: client.clientId ?? 'web' })
  const credential = await use(offered, { signal, mediation: autofill ? 'conditional' : 'optional' })
  try {
    return await client.signInBy('/api/auth/passkeys/login/finish', { credential, remember })
  } catch (error) {
    if (error instanceof AuthError && error.code === 'passkey_unknown') await forget(offered, credential)
    throw error
  }
}

/** Adds a passkey to the account of whoever is signed in. It needs a fresh proof: see `withProof` of `@counterfoil/client/step-up`. */
export async function registerPasskey(client: Client, { signal }: PasskeyOptions = {}): Promise<void> {
  const credential = await make(await ask(client, 'POST', '/api/auth/passkeys/register/start', {}), signal)
  await ask(client, 'POST', '/api/auth/passkeys/register/finish', { credential })
}

/** Adds a passkey on the way, where the next step of a sign-in is `enrol`. */
export async function enrolPasskey(client: Client, { signal }: PasskeyOptions = {}): Promise<SignInResult> {
  const credential = await make(await ask(client, 'POST', '/api/auth/passkeys/register/start', { sign_in: true }), signal)
  return client.signInBy('/api/auth/passkeys/register/finish', { sign_in: true, credential })
}

/** Proves by a passkey who is signed in. */
export async function proveWithPasskey(client: Client, { signal }: PasskeyOptions = {}): Promise<void> {
  const credential = await use(await ask(client, 'POST', '/api/auth/step-up/passkey/start', {}), { signal })
  await client.stepUpBy('/api/auth/step-up/passkey/finish', { credential })
}

function use({ publicKey }: Body, options: { signal: AbortSignal | undefined, mediation?: CredentialMediationRequirement }): Promise<object> {
  return asked(options.signal, () => navigator.credentials.get({
    ...given(options), publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(publicKey as PublicKeyCredentialRequestOptionsJSON),
  }))
}

function make({ publicKey }: Body, signal: AbortSignal | undefined): Promise<object> {
  return asked(signal, () => navigator.credentials.create({
    ...given({ signal }), publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(publicKey as PublicKeyCredentialCreationOptionsJSON),
  }))
}

/** Browsers refuse a signal that is there and undefined. */
function given<T extends { signal?: AbortSignal | undefined }>({ signal, ...more }: T): Omit<T, 'signal'> & { signal?: AbortSignal } {
  return { ...more, ...(signal && { signal }) }
}

/** What the browser refuses with, in codes of ours. */
const REFUSALS: Readonly<Record<string, string>> = {
  AbortError: 'aborted', InvalidStateError: 'passkey_taken', NotAllowedError: 'passkey_cancelled',
}

async function asked(signal: AbortSignal | undefined, question: () => Promise<Credential | null>): Promise<object> {
  if (!passkeysSupported()) throw new AuthError('passkey_unsupported', { problem: { title: 'This browser has no passkeys.' } })
  try {
    return (await question() as PublicKeyCredential).toJSON() as object
  } catch (error) {
    const { name = '', message = '' } = Object(error) as Error
    // Whoever ends the question may give a reason of any kind, and that is what the browser then refuses with.
    const code = signal?.aborted ? 'aborted' : REFUSALS[name] ?? 'passkey_failed'
    throw new AuthError(code, { problem: { title: message || 'The passkey did not work.' } })
  }
}

/** Tells the password manager, where it can be told, that the passkey is good for nothing any more. A courtesy: how it goes is no matter. */
async function forget({ publicKey }: Body, credential: object): Promise<void> {
  const { rpId } = Object(publicKey) as { rpId?: string }
  const told = Object(globalThis.PublicKeyCredential) as { signalUnknownCredential?: (which: object) => Promise<void> }
  await told.signalUnknownCredential?.({ rpId, credentialId: (credential as { id?: string }).id }).catch(() => undefined)
}
