/**
 * C1: no cross-site or cross-origin request with side effects succeeds on the strength of a cookie.
 *
 * Two independent locks: where the request comes from (Fetch Metadata, or `Origin`), and a header that no form and no
 * simple cross-origin request can set (FM-2, FM-3, BBA-6.1.3.3b, CSRF-2).
 */

/** What a request says about where it comes from. */
export interface Provenance {
  /** `Sec-Fetch-Site`; an unknown value counts as absent (FM-1). */
  readonly fetchSite?: string | undefined
  /** `Origin`. */
  readonly origin?: string | undefined
  /** Whether `X-Requested-With` is there, with whatever value. */
  readonly customHeader: boolean
}

/** The origins from which requests may come: this server's own, and listed ones of the same site. */
export class Origins {
  readonly #own: ReadonlySet<string>
  readonly #listed: ReadonlySet<string>

  /** Exact strings: scheme, host and port, nothing more (CSRF-5). */
  constructor(own: Iterable<string>, listed: Iterable<string> = []) {
    this.#own = new Set(own)
    this.#listed = new Set(listed)
  }

  /** Whether a request with side effects that rests on a cookie may pass. */
  permit(request: Provenance): boolean {
    return request.customHeader && this.#comesFromUs(request) === true
  }

  /**
   * Whether a WebSocket that rests on a cookie may open. Browsers cannot set a header there, but always say `Origin`;
   * without this, any page could hold a conversation in the user's name (ASVS-4.4.2).
   */
  permitSocket(request: Provenance): boolean {
    return request.origin !== undefined && this.#comesFromUs(request) === true
  }

  /** `undefined`: neither header is there. If both are, neither may be wrong. */
  #comesFromUs({ fetchSite, origin }: Provenance): boolean | undefined {
    const byOrigin = origin === undefined ? undefined : this.#own.has(origin) || this.#listed.has(origin)
    switch (fetchSite) {
      case 'same-origin': return byOrigin ?? true
      // A sibling host is another origin: only if it is listed.
      case 'same-site': return origin !== undefined && this.#listed.has(origin)
      case 'cross-site':
      case 'none': return false
      default: return byOrigin
    }
  }
}
