import type { IncomingMessage, ServerResponse } from 'node:http'
import { startSession } from './sessions'

export async function start(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { token, maxAge } = await startSession(request)
  response.setHeader('Set-Cookie', `session=${token}; Max-Age=${maxAge}; Path=/; Secure; HttpOnly; SameSite=Strict`)
  response.writeHead(204).end()
}

export function greet(response: ServerResponse): void {
  response.setHeader('Set-Cookie', 'greeted=1; Max-Age=86400')
  response.end('Hello.')
}
