/** Further steps: the codes that a sign-in still needs, and fresh proofs before something that matters. */

import type { Body } from './answer.js'
import { ask } from './ask.js'
import { type Challenge, challengeIn, challengeOf } from './challenge.js'
import { AuthError } from './error.js'
import type { Client, SignInResult } from './types.js'

export { type Challenge, challengeIn, challengeOf } from './challenge.js'

/** Has a person prove it, by a form of the page's or by leading to the hosted page. Gives whether it has been proved. */
export type OnChallenge = (challenge: Challenge) => Promise<boolean> | boolean

const VERIFY = { totp: 'totp', recovery_code: 'recovery-codes', mail: 'mail-code' } as const

// ---- Steps of a sign-in ---------------------------------------------------------------------

/** Goes on with a sign-in by a code: of the authenticator app, a recovery code (which counts once), or one that came by mail. */
export function verify(client: Client, way: keyof typeof VERIFY, code: string): Promise<SignInResult> {
  return client.signInBy(`/api/auth/${VERIFY[way]}/verify`, { code })
}

/** Has a code sent by mail, where the next step is `mail`. */
export async function sendMailCode(client: Client): Promise<void> {
  await ask(client, 'POST', '/api/auth/mail-code/send', {})
}

/** What an authenticator app has to be told, and what goes on once it shows a code. */
export interface TotpOffer {
  readonly secret: string
  readonly uri: string
  /** An image of the address, as SVG. */
  readonly qr: string
  finish(code: string): Promise<SignInResult>
}

/** Sets up an authenticator app on the way, where the next step is `enrol`. */
export async function enrolTotp(client: Client): Promise<TotpOffer> {
  const { secret, uri, qr } = await ask(client, 'POST', '/api/auth/totp/enrol/start', { sign_in: true })
  const finish = (code: string): Promise<SignInResult> => client.signInBy('/api/auth/totp/enrol/finish', { sign_in: true, code })
  return { secret: String(secret), uri: String(uri), qr: String(qr), finish }
}

// ---- Fresh proofs ---------------------------------------------------------------------------

/** Proves by the password, where that alone would open a session, or by a code of the authenticator app. */
export function prove(client: Client, way: 'password' | 'totp', secret: string): Promise<void> {
  return client.stepUpBy(`/api/auth/step-up/${way}`, way === 'totp' ? { code: secret } : { password: secret })
}

/** What the account can prove itself with: `step_up` holds the ways, the best first. */
export function factors(client: Client): Promise<Body> {
  return ask(client, 'GET', '/api/auth/factors')
}

/** The authority's page on which a person proves it, and which leads back to a path of this host. For an authority on the page's own host. */
export function proofPage(client: Client, { acrValues }: Challenge, back: string = location.pathname + location.search): string {
  const query = new URLSearchParams({ redirect: back, ended: 'reauthenticate' })
  if (acrValues.length > 0) query.set('acr_values', acrValues.join(' '))
  return `${client.authority}/login?${query}`
}

/** Does something that may need a fresh proof: where it does, the proof is asked for, and it is done once more. */
export async function withProof<T>(action: () => Promise<T>, onChallenge: OnChallenge): Promise<T> {
  try {
    return await action()
  } catch (error) {
    const challenge = error instanceof AuthError ? challengeIn(error) : undefined
    if (!challenge || !(await onChallenge(challenge))) throw error
    return action()
  }
}

/**
 * `client.fetch` that has a fresh proof given where an answer asks for one, and sends the call once more. Calls at the same time share one
 * question. What is not proved gets the refusal as it is, and so does what a stranger refuses: who is neither of the page's own origin, nor the
 * authority, nor one of the client's `apis`. Inside `onChallenge` use the functions of this module, and not this `fetch`.
 */
export function fetchWithProof(client: Client, onChallenge: OnChallenge): Client['fetch'] {
  let asking: Promise<boolean> | undefined
  const proved = (challenge: Challenge): Promise<boolean> =>
    asking ??= Promise.resolve(onChallenge(challenge)).finally(() => {
      asking = undefined
    })
  return async (input, init) => {
    const request = new Request(input, init)
    const response = await withProof(() => client.fetch(request.clone()), proved)
    const challenge = mayAsk(client, request, response) ? await challengeOf(response) : undefined
    return challenge && await proved(challenge) ? client.fetch(request) : response
  }
}

/**
 * Whether a refusal may have somebody asked for a proof: not a stranger's. Nor one after which the call must not be sent again: what was
 * redirected may have done its work before it was led to where the answer is from.
 */
function mayAsk({ authority, apis }: Client, { method, url }: Request, response: Response): boolean {
  const trusted = [globalThis.location?.origin, authority, ...apis.map((api) => new URL(api).origin)]
  return trusted.includes(new URL(response.url || url).origin) && (!response.redirected || method === 'GET')
}
