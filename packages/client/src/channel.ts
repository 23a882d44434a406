/**
 * Word to the other tabs, in the form that the hosted pages speak too: that somebody signed in or out, that the tokens are new. Never a token.
 * Browsers without `BroadcastChannel` do without: the server tells them the same at their next request.
 */

/** What is said. `refreshed` says for how many seconds the cookies are good. */
export interface Message {
  readonly type: 'signed-in' | 'signed-out' | 'refreshed'
  readonly expires_in?: unknown
}

/** What a `BroadcastChannel` is to this client. */
export interface Channel {
  postMessage(message: Message): void
  onmessage: ((event: MessageEvent) => void) | null
  close(): void
}

/** The page's channel for this authority; none where there is no page or the browser has none, or refuses it in private mode. */
export function openChannel(authority: string): Channel | undefined {
  try {
    // On a server it would keep the process alive, and there are no tabs.
    return globalThis.document && new BroadcastChannel(`counterfoil${authority && ` ${authority}`}`)
  } catch {
    return undefined
  }
}
