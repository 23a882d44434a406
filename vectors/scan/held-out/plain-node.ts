import { createServer, type ServerResponse } from 'node:http'
import { randomBytes } from 'node:crypto'

const sessions = new Map<string, { since: number }>()

function start(res: ServerResponse, now: number): void {
  const sessionId = randomBytes(24).toString('hex')
  sessions.set(sessionId, { since: now })
  res.setHeader('Set-Cookie', 'sessionId=' + sessionId + '; Path=/; SameSite=Lax') // expect: cookie-without-httponly, cookie-without-secure
  res.writeHead(302, { Location: '/' }).end()
}

export const server = (clock: () => number) =>
  createServer((req, res) => {
    if (req.url === '/start') return start(res, clock())
    res.setHeader('Set-Cookie', 'motd=seen')
    res.end('welcome')
  })
