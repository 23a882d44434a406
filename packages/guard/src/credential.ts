/** Finds the one credential of a request, and judges it. */

import type { Claims } from './claims.js'
import { ACCESS_COOKIE, cookieValues } from './cookie.js'
import type { Provenance } from './cross_site.js'
import { Proof } from './dpop.js'
import type { Guard, OnEnd } from './guard.js'
import { Problem } from './problem.js'
import { Refusal } from './refusal.js'

/** What every adapter sets on a request that passed. */
export interface Auth {
  readonly claims: Claims
  /** How the token came; `bound` with a proof for this very request, as `Authorization: DPoP`. */
  readonly source: 'bearer' | 'bound' | 'cookie'
  /** When it was judged: seconds of the authority's clock. */
  readonly at: number
  /** Calls back once, when the token stops counting. Returns what takes the call-back away. */
  watch(onEnd: OnEnd): () => void
}

/** A request, as far as it matters here. */
export interface RequestView {
  readonly method: string
  /** As the client has sent it, without query. */
  readonly path: string
  /** The same with its query. */
  readonly target?: string
  /** Every value of a header, in order; `name` in lower case. */
  header(name: string): readonly string[]
}

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE'])
/** Each costs a verification. */
const MOST_COOKIES = 8
const ADVICE = "send it from this application's own origin, with the header X-Requested-With"

/** Judges a request. Throws a {@link Refusal} or a {@link Problem}. */
export async function authenticate(guard: Guard, request: RequestView): Promise<Auth> {
  // What carries no Authorization header can only rest on a cookie, whether the browser has sent it or held it back.
  if (request.header('authorization').length === 0) checkCrossSite(guard, request)
  const authorization = authorizationOf(request)
  const cookies = accessCookies(request)
  if (authorization !== undefined) {
    // Two transports at once may name two people (ATK-34).
    if (cookies.length > 0) {
      throw new Problem('ambiguous_credentials', { detail: 'send either an Authorization header or a cookie, not both' })
    }
    return authorized(guard, authorization, await proofOf(guard, request))
  }
  const [only, ...others] = cookies
  if (only === undefined) throw new Refusal('missing')
  await proofOf(guard, request)
  if (others.length === 0) return authOf(guard, only, await guard.verify(only), 'cookie')
  return oneOf(guard, cookies)
}

/** What is bound to a key counts only with a proof, whatever else comes with the request (DPOP-7b). */
async function authorized(guard: Guard, { token, source }: Authorization, proof: Proof | undefined): Promise<Auth> {
  if (source === 'bearer') return authOf(guard, token, await guard.verify(token), source)
  if (proof === undefined) throw new Refusal('proof_required')
  return authOf(guard, token, await guard.verifyBound(token, proof), source)
}

/** The proof that came with a request, if one did; two are none (DPOP-4.3a), and a bad one is refused whatever it was sent for. */
async function proofOf(guard: Guard, request: RequestView): Promise<Proof | undefined> {
  const [value, second] = request.header('dpop')
  if (value === undefined) return undefined
  if (second !== undefined) throw new Refusal('bad_proof')
  return Proof.read(value, request.method, guard.at + request.path)
}

function authOf(guard: Guard, token: string, claims: Claims, source: Auth['source']): Auth {
  const auth = { claims, source, at: Math.floor(guard.now() / 1000) }
  // Not enumerable, so that logging the object shows data only. The token itself stays in the closure.
  return Object.defineProperty(auth, 'watch', { value: (onEnd: OnEnd) => guard.watch(token, onEnd) }) as Auth
}

/** C1, for unsafe methods and for WebSockets. */
function checkCrossSite(guard: Guard, request: RequestView): void {
  const safe = SAFE.has(request.method.toUpperCase())
  const socket = request.header('upgrade').length > 0
  if (safe && !socket) return
  const provenance = provenanceOf(request)
  const permitted = provenance !== undefined &&
    (safe ? guard.origins.permitSocket(provenance) : guard.origins.permit(provenance))
  if (!permitted) throw new Problem('cross_site', { detail: ADVICE })
}

/** `undefined` when a header stands there twice: then it is not a browser. */
function provenanceOf(request: RequestView): Provenance | undefined {
  const [fetchSite, secondSite] = request.header('sec-fetch-site')
  const [origin, secondOrigin] = request.header('origin')
  if (secondSite !== undefined || secondOrigin !== undefined) return undefined
  return { fetchSite, origin, customHeader: request.header('x-requested-with').length > 0 }
}

interface Authorization {
  readonly token: string
  readonly source: 'bearer' | 'bound'
}

/**
 * The token of an `Authorization` header, `Bearer` (RFC 6750 section 2.1) or `DPoP` (RFC 9449 section 7.1). The scheme's case does not
 * matter; a second header, another scheme or white space in the token does.
 */
function authorizationOf(request: RequestView): Authorization | undefined {
  const [value, second] = request.header('authorization')
  if (second !== undefined) {
    throw new Problem('ambiguous_credentials', { detail: 'there are two Authorization headers' })
  }
  if (value === undefined) return undefined
  const [, scheme, token] = /^(bearer|dpop) ([^ ]+)$/i.exec(value) ?? []
  if (scheme === undefined || token === undefined) {
    throw new Problem('token_invalid', { detail: 'expected Authorization: Bearer TOKEN, or DPoP TOKEN with a proof' })
  }
  return { token, source: scheme.toLowerCase() === 'dpop' ? 'bound' : 'bearer' }
}

/** All different values of the access cookie. More than one means an earlier path or domain, or tossing. */
function accessCookies(request: RequestView): string[] {
  return [...new Set(request.header('cookie').flatMap((header) => cookieValues(header, ACCESS_COOKIE)))].slice(0, MOST_COOKIES)
}

/** Of several cookies of one name, the one that verifies; if two do, none counts (ATK-33). */
async function oneOf(guard: Guard, tokens: readonly string[]): Promise<Auth> {
  const good: Auth[] = []
  let first: Refusal | undefined
  for (const token of tokens) {
    try {
      good.push(authOf(guard, token, await guard.verify(token), 'cookie'))
    } catch (error) {
      // That nobody can tell is no fault of one cookie.
      if (!(error instanceof Refusal) || error.reason === 'verifier_stale') throw error
      first ??= error
    }
  }
  const [only, second] = good
  if (second !== undefined) throw new Problem('token_invalid', { detail: 'two cookies of one name both verify' })
  if (only === undefined) throw first ?? new Refusal('missing')
  return only
}
