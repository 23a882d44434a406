/** The guard's settings, checked when it is made: a mistake stops the start, not a request at night. */

import type { JWK } from 'jose'
import type { ClientEvent, Fetch } from './client.js'
import { type Clock, systemClock } from './clock.js'
import { Origins } from './cross_site.js'
import type { DecryptionKeys } from './encryption.js'
import type { Subjects } from './subject.js'

export interface GuardOptions {
  /** The authority's public URL, exactly as it stands in tokens. */
  readonly issuer: string
  /** The audience of the tokens meant for this server, or the few it answers for. */
  readonly audience: string | readonly string[]
  /** Where revocations are learnt from; not needed in mode `status-list`. */
  readonly feed?: {
    /** Where this process reaches the authority: its base URL, or the feed's own. Beyond loopback only `https`. */
    readonly url: string
    /** The guard credential, `cfg_...`. */
    readonly credential: string
  }
  /**
   * `pushed` (the default) judges from a copy of the revocation log; `introspect` asks about every token, every time; `status-list`
   * by the authority's status lists, fetched when they are needed: late by the `ttl` of the list, and without a credential.
   */
  readonly mode?: 'pushed' | 'introspect' | 'status-list'
  /** Where this process reaches the authority, if it is neither at the issuer nor where the feed is; for mode `status-list`. */
  readonly authority?: string
  /** When the copy may no longer be trusted: `refuse` everything (the default), or ask. Nothing accepts. */
  readonly onLeaseEnd?: 'refuse' | 'introspect'
  /** From where requests that rest on a cookie may come. `own` is the issuer's origin unless given. */
  readonly origins?: { readonly own?: readonly string[]; readonly listed?: readonly string[] }
  /**
   * Under which origin clients know this server, such as `https://api.example.com`; the issuer's unless given. Proofs of possession
   * (RFC 9449) are made for it and the request's path.
   */
  readonly at?: string
  /** Whose tokens are believed: those of `users` (the default), of `clients`, which are services in their own name, or of `both`. */
  readonly subjects?: Subjects
  /** Private JWKs (X25519 or P-256, with a `kid`) for tokens that are encrypted to this server. Without any, all such are refused. */
  readonly decryptionKeys?: readonly JWK[]
  /** How many verified tokens to remember at least; at most twice as many are. */
  readonly cacheSize?: number
  readonly onEvent?: (event: ClientEvent) => void
  readonly clock?: Clock
  readonly fetch?: Fetch
}

/** The same, complete. */
export interface Settings {
  readonly issuer: string
  readonly audiences: readonly string[]
  readonly base: string
  /** Empty where there is no feed. */
  readonly credential: string
  readonly mode: 'pushed' | 'introspect' | 'status-list'
  readonly onLeaseEnd: 'refuse' | 'introspect'
  readonly origins: Origins
  readonly at: string
  readonly subjects: Subjects
  readonly decryptionKeys: DecryptionKeys | undefined
  readonly cacheSize: number
  readonly onEvent: (event: ClientEvent) => void
  readonly clock: Clock
  readonly fetch: Fetch
}

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/

/** With the keys in `decryptionKeys`, read: where they are none of a runtime's business there are none. */
export function settingsOf(options: GuardOptions, decryptionKeys?: DecryptionKeys): Settings {
  const { issuer, audience, feed, mode = 'pushed', onLeaseEnd = 'refuse', origins = {}, cacheSize = 10_000 } = options
  const { subjects = 'users' } = options
  const audiences = typeof audience === 'string' ? [audience] : [...audience]
  const issuerUrl = urlOf('issuer', issuer)
  if (audiences.length === 0 || audiences.some((one) => one === '')) throw new TypeError('audience must not be empty')
  if (!['pushed', 'introspect', 'status-list'].includes(mode)) {
    throw new TypeError('mode must be "pushed", "introspect" or "status-list"')
  }
  if (feed === undefined && mode !== 'status-list') throw new TypeError('feed is needed, but in mode "status-list"')
  if (feed !== undefined && !/^[\x21-\x7e]+$/.test(feed.credential)) {
    throw new TypeError('feed.credential must be printable, without spaces')
  }
  if (options.authority !== undefined && mode !== 'status-list') throw new TypeError('authority is for mode "status-list"')
  if (onLeaseEnd !== 'refuse' && onLeaseEnd !== 'introspect') {
    throw new TypeError('onLeaseEnd must be "refuse" or "introspect"')
  }
  if (!['users', 'clients', 'both'].includes(subjects)) throw new TypeError('subjects must be "users", "clients" or "both"')
  if (!(Number.isSafeInteger(cacheSize) && cacheSize > 0)) throw new TypeError('cacheSize must be a positive number')
  return {
    issuer, audiences, mode, onLeaseEnd, subjects, cacheSize,
    decryptionKeys,
    base: options.authority === undefined && feed !== undefined ? baseOf('feed.url', feed.url) : baseOf('authority', options.authority ?? issuer),
    credential: feed?.credential ?? '',
    at: options.at === undefined ? issuerUrl.origin : originOf('at', options.at),
    origins: new Origins(origins.own ?? [issuerUrl.origin], origins.listed ?? []),
    onEvent: (event) => shielded(() => options.onEvent?.(event)),
    clock: options.clock ?? systemClock,
    // Looked up at each call, so that instrumentation which replaces the global one is seen.
    fetch: options.fetch ?? ((url, init) => fetch(url, init)),
  }
}

/** A log that fails fails as any event handler would, and does not end the following of the feed. */
function shielded(report: () => void): void {
  try {
    report()
  } catch (error) {
    queueMicrotask(() => {
      throw error
    })
  }
}

function urlOf(name: string, text: string): URL {
  if (!URL.canParse(text)) throw new TypeError(`${name} must be a URL`)
  return new URL(text)
}

function originOf(name: string, text: string): string {
  const url = urlOf(name, text)
  const plain = url.href === `${url.origin}/`
  if (!plain || !['https:', 'http:'].includes(url.protocol)) throw new TypeError(`${name} must be an origin: scheme, host and port`)
  return url.origin
}

function baseOf(name: string, text: string): string {
  const url = urlOf(name, text)
  // The credential goes there, and the keys come from there.
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && LOOPBACK.test(url.hostname))) {
    throw new TypeError(`${name} must be https (http only to loopback)`)
  }
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
    throw new TypeError(`${name} must have no user, query or fragment`)
  }
  return (url.origin + url.pathname).replace(/\/+$/, '').replace(/\/api\/revocations$/, '')
}
