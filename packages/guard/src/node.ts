/** Requests of `node:http`, on which Express and Fastify stand, and upgrades to WebSockets. */

import type { IncomingMessage } from 'node:http'
import { type Auth, authenticate, type RequestView } from './credential.js'
import type { Guard } from './guard.js'

export function viewOf(request: IncomingMessage): RequestView {
  // Frameworks cut off where they are mounted, and keep what the client has sent.
  const { originalUrl = request.url ?? '' } = request as IncomingMessage & { originalUrl?: string }
  const target = targetOf(originalUrl)
  return { method: request.method ?? '', path: pathOf(target), target, header: (name) => valuesOf(request, name) }
}

/** A request's target, which a proxy may write with scheme and host (RFC 9112 section 3.2.2). */
function targetOf(text: string): string {
  const target = text.replace(/^https?:\/\/[^/?#]*/i, '')
  return /^(?:$|[?#])/.test(target) ? `/${target}` : target
}

function pathOf(target: string): string {
  const [path = ''] = target.split(/[?#]/, 1)
  return path
}

/** Not `headers`: it silently drops a second Authorization header. HTTP/2 and stand-ins for tests have the raw ones only. */
function valuesOf(request: IncomingMessage, name: string): string[] {
  const distinct = request.headersDistinct as IncomingMessage['headersDistinct'] | undefined
  if (distinct !== undefined) return distinct[name] ?? []
  const { rawHeaders } = request
  return rawHeaders.filter((_, at) => at % 2 === 1 && rawHeaders[at - 1]?.toLowerCase() === name)
}

/** Judges a request of `node:http`; also one that asks for an upgrade, in the server's `upgrade` event. */
export function authenticateNode(guard: Guard, request: IncomingMessage): Promise<Auth> {
  return authenticate(guard, viewOf(request))
}

/** Something that stays open: a socket, a response that streams. */
export interface Closable {
  destroy(): unknown
  once(event: 'close', listener: () => void): unknown
}

/** Closes a stream or a socket when the token that opened it stops counting. */
export function endWith(auth: Auth, stream: Closable): void {
  const stop = auth.watch(() => stream.destroy())
  stream.once('close', stop)
}
