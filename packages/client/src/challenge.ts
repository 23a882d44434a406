/** A fresh proof that is asked for before something that matters (RFC 9470): what would be enough. */

import { jsonOf } from './answer.js'
import { AuthError, type Problem } from './error.js'

/** What a refusal with `reauthentication_required` asks for. */
export interface Challenge {
  /** What the proof has to reach, any of them: `aal2`, `phr` for a passkey; empty where age alone is at fault. */
  readonly acrValues: readonly string[]
  /** How old a proof may be, in seconds, where that was said. */
  readonly maxAge: number | undefined
  /** How it can be proved (`passkey`, `totp`, `password`), where the authority has named the ways. */
  readonly options: readonly string[]
}

/** What an answer of an API asks for, if it does; the answer can still be read. Another origin has to expose `WWW-Authenticate`. */
export async function challengeOf(response: Response): Promise<Challenge | undefined> {
  const problem = response.status === 401 && await jsonOf(response.clone())
  return problem ? challengeIn(problem, response.headers.get('www-authenticate') ?? '') : undefined
}

/** What an error, or a state that is not known, asks for, if it does. */
export function challengeIn(problem: Problem | AuthError | undefined, header = ''): Challenge | undefined {
  const said = problem instanceof AuthError ? problem.problem : problem
  if (said?.['code'] !== 'reauthentication_required') return undefined
  // Guards say it in the header only.
  const inHeader = (name: string): string | undefined => new RegExp(`\\b${name}="?([^",]*)`).exec(header)?.[1]
  const acr = said['acr_values'] ?? inHeader('acr_values') ?? ''
  const age = said['max_age'] ?? inHeader('max_age')
  return {
    acrValues: String(acr).split(' ').filter(Boolean),
    maxAge: age === undefined ? undefined : Number(age),
    options: Array.isArray(said['options']) ? said['options'].map(String) : [],
  }
}
